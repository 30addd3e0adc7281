"""Daybook: the decision log and memory of autonomous agents, in your own AWS account.

The public names are in `__init__.pyi`. Each is loaded when it is first used, so that a program
pays for what it takes: `import daybook` by itself loads neither boto3 nor pydantic.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
