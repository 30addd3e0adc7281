"""For your own tests: Daybook on moto, without an AWS account.

With `daybook-aws[testing]` installed, pytest finds the fixtures `daybook_client_manager` and
`daybook_memory` by itself. Outside pytest, use `local_aws`:

    with local_aws() as client_manager:
        memory = MemoryManager("my-agent", client_manager)
"""

from daybook.testing.local_aws import local_aws

__all__ = ["local_aws"]
