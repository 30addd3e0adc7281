"""The functions' one connection, made when a container starts and kept while it is warm."""

from functools import cache

from daybook.client import AWSClientManager, get_client_manager
from daybook.settings import region


@cache
def client_manager() -> AWSClientManager:
    """Return the client manager of the region in which the function runs."""
    return get_client_manager(region())
