"""Tables from which nothing is removed by the server's clock: those of tests stand in the past."""

from daybook import AWSClientManager
from daybook.store.schema import TABLES, TTL_ATTRIBUTE


def create_lasting_tables(manager: AWSClientManager) -> None:
    """Create all tables, with no stream and with no life span for their items.

    DynamoDB Local and ministack do remove what has expired, by the real time. And at each write
    DynamoDB Local counts all of the stream so far.
    """
    manager.create_all_tables(streams=False)
    for table in TABLES:
        manager.dynamodb.update_time_to_live(
            TableName=manager.store.name_of(table),
            TimeToLiveSpecification={"Enabled": False, "AttributeName": TTL_ATTRIBUTE},
        )
