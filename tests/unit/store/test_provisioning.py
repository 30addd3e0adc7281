"""Tables made by hand, or half made, or made by somebody else."""

import pytest

from daybook import AWSClientManager
from daybook.errors import SchemaMismatchError
from daybook.settings import Settings
from daybook.store import TABLES
from daybook.testing import local_aws


def test_a_table_of_another_layout_is_refused() -> None:
    """Daybook does not work on a table that lacks its indexes, and says which."""
    with local_aws() as made:
        made.dynamodb.create_table(
            TableName="mine-agent_decisions",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        mine = AWSClientManager(dynamodb=made.dynamodb, settings=Settings(table_prefix="mine-"))
        with pytest.raises(SchemaMismatchError, match="DecisionTypeIndex"):
            mine.create_all_tables()


def test_what_is_missing_is_made() -> None:
    """After one table is removed, creating all makes that one again and keeps the others."""
    with local_aws() as made:
        made.store.put(TABLES[0], {"pk": "a", "sk": "b"})
        made.dynamodb.delete_table(TableName=TABLES[1].name)
        made.create_all_tables()
        assert set(made.dynamodb.list_tables()["TableNames"]) == {t.name for t in TABLES}
        assert made.store.get(TABLES[0], {"pk": "a", "sk": "b"}) is not None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_expires_and_streams(table: object) -> None:
    """TTL and the stream are there without the stack, too."""
    name = getattr(table, "name", "")
    with local_aws(settings=Settings(table_prefix="other-")) as made:
        made.delete_all_tables()
        made.create_all_tables()
        name = f"other-{name}"
        described = made.dynamodb.describe_time_to_live(TableName=name)
        assert described["TimeToLiveDescription"]["AttributeName"] == "expires_at"
        stream = made.dynamodb.describe_table(TableName=name)["Table"]["StreamSpecification"]
        assert stream["StreamViewType"] == "NEW_AND_OLD_IMAGES"
