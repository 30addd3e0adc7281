"""What every backend's store must do."""

import pytest

from daybook import AWSClientManager, TableMissingError
from daybook.settings import Settings
from daybook.store import DECISIONS, TABLES, Store
from daybook.store.attributes import Item
from daybook.store.expressions import (
    absent,
    absent_or_less_than,
    at_most,
    begins_with,
    between,
    equals,
    less_than,
    more_than,
    present,
)
from daybook.store.requests import Check, Delete, Put, Update
from tests.clocks import Clock
from tests.contracts.conftest import BY_TABLES

# these speak to the tables themselves, and no verb of an agent is among them
pytestmark = pytest.mark.parametrize("client_manager", BY_TABLES, indirect=True)


@pytest.fixture
def store(client_manager: AWSClientManager) -> Store:
    """Give the store of a backend."""
    return client_manager.store


@pytest.fixture
def agent(memory: object) -> str:
    """Give a partition that nobody else uses."""
    return str(getattr(memory, "agent_id", ""))


def item(agent: str, number: int, **more: str | int | bytes) -> Item:
    """Make an item whose sort key sorts by number."""
    return {"pk": agent, "sk": f"T#{number:05d}", **more}


def test_what_is_put_reads_back(store: Store, agent: str) -> None:
    """Text, whole numbers of any sign and bytes come back as they were."""
    written = item(agent, 1, text="é 🙂 \x00", negative=-(10**20), raw=b"\x00\xff")
    store.put(DECISIONS, written)
    assert store.get(DECISIONS, item(agent, 1)) == written


def test_put_replaces(store: Store, agent: str) -> None:
    """A second put stands."""
    store.put(DECISIONS, item(agent, 1, text="first"))
    store.put(DECISIONS, item(agent, 1, text="second"))
    assert store.get(DECISIONS, item(agent, 1)) == item(agent, 1, text="second")


def test_insert_keeps_what_stands(store: Store, agent: str) -> None:
    """A second insert writes nothing and returns the first."""
    assert store.insert(DECISIONS, item(agent, 1, text="first")) is None
    assert store.insert(DECISIONS, item(agent, 1, text="second")) == item(agent, 1, text="first")
    assert store.get(DECISIONS, item(agent, 1)) == item(agent, 1, text="first")


def test_nothing_is_there_at_first(store: Store, agent: str) -> None:
    """A missing item is None, an empty partition is empty."""
    assert store.get(DECISIONS, item(agent, 1)) is None
    assert list(store.query(DECISIONS, equals("pk", agent))) == []
    assert store.fetch(DECISIONS, []) == []


def test_expired_items_are_never_returned(store: Store, agent: str, clock: Clock) -> None:
    """Get, query, fetch and index queries hide an item from the second it expires."""
    expires = int(clock().timestamp()) + 60
    store.put(DECISIONS, item(agent, 1, expires_at=expires, type_key=f"{agent}#x"))
    index = DECISIONS.index("DecisionTypeIndex")

    def seen() -> list[int]:
        return [
            len(list(store.query(DECISIONS, equals("pk", agent)))),
            len(list(store.query(DECISIONS, equals("type_key", f"{agent}#x"), index=index))),
            len(store.fetch(DECISIONS, [item(agent, 1)])),
            int(store.get(DECISIONS, item(agent, 1)) is not None),
        ]

    assert seen() == [1, 1, 1, 1]
    clock.advance(seconds=61)
    assert seen() == [0, 0, 0, 0]


def test_queries_page_themselves(store: Store, agent: str) -> None:
    """Over 1 MB of items come back whole and in order, both ways, whatever the page size."""
    everything = [item(agent, number, raw=bytes(60_000)) for number in range(40)]
    store.put_all(DECISIONS, everything)
    numbers = [one["sk"] for one in everything]
    forward = store.query(DECISIONS, equals("pk", agent))
    backward = store.query(DECISIONS, equals("pk", agent), newest_first=True, page_size=7)
    assert [one["sk"] for one in forward] == numbers
    assert [one["sk"] for one in backward] == numbers[::-1]


def test_conditions_on_the_sort_key(store: Store, agent: str) -> None:
    """A range includes both ends; a prefix is a prefix."""
    store.put_all(DECISIONS, [item(agent, number) for number in range(10)])
    window = equals("pk", agent) & between("sk", "T#00003", "T#00005")
    prefix = equals("pk", agent) & begins_with("sk", "T#0000")
    assert [one["sk"] for one in store.query(DECISIONS, window)] == [
        "T#00003",
        "T#00004",
        "T#00005",
    ]
    assert len(list(store.query(DECISIONS, prefix))) == 10


def test_batches_are_cut_to_the_limits(store: Store, agent: str) -> None:
    """60 writes and 250 reads, half of them of nothing, arrive whole."""
    store.put_all(DECISIONS, [item(agent, number) for number in range(0, 250, 2)])
    found = store.fetch(DECISIONS, [item(agent, number) for number in range(250)])
    assert sorted(str(one["sk"]) for one in found) == [f"T#{n:05d}" for n in range(0, 250, 2)]


def test_indexes_carry_only_what_they_need(store: Store, agent: str) -> None:
    """An index returns its keys, the digest and the expiry, and no body."""
    store.put(
        DECISIONS,
        item(agent, 1, type_key=f"{agent}#x", digest="[0.5]", body="long", expires_at=10**11),
    )
    index = DECISIONS.index("DecisionTypeIndex")
    (found,) = store.query(DECISIONS, equals("type_key", f"{agent}#x"), index=index)
    assert set(found) == {"pk", "sk", "type_key", "digest", "expires_at"}


def test_a_missing_table_is_named(client_manager: AWSClientManager) -> None:
    """Without tables, the error says which and how to make them."""
    elsewhere = AWSClientManager(
        dynamodb=client_manager.dynamodb, settings=Settings(table_prefix="nowhere-")
    )
    with pytest.raises(TableMissingError, match=r"nowhere-agent_decisions.*create_all_tables"):
        elsewhere.store.get(DECISIONS, item("a", 1))


def test_tables_can_be_made_and_removed_twice(client_manager: AWSClientManager) -> None:
    """Creating and deleting are idempotent, and what was made can be used at once."""
    mine = AWSClientManager(
        dynamodb=client_manager.dynamodb, settings=Settings(table_prefix="twice-")
    )
    for _ in range(2):
        mine.create_all_tables()
    for table in TABLES:
        mine.store.put(table, item("a", 1))
    for _ in range(2):
        mine.delete_all_tables()
    with pytest.raises(TableMissingError):
        mine.store.put(DECISIONS, item("a", 1))


def test_replace_under_a_condition(store: Store, agent: str) -> None:
    """An item is replaced only where the condition holds; else what stands is told."""
    assert store.replace(DECISIONS, item(agent, 1, n=1), absent("pk")) is None
    assert store.replace(DECISIONS, item(agent, 1, n=2), equals("n", 1)) is None
    assert store.replace(DECISIONS, item(agent, 1, n=3), equals("n", 1)) == item(agent, 1, n=2)
    assert store.replace(DECISIONS, item(agent, 2), equals("n", 1)) == {}


def test_update_sets_and_leaves(store: Store, agent: str) -> None:
    """Attributes are set one by one, and the item is made if it is not there."""
    key = item(agent, 1)
    store.update(DECISIONS, key, {"a": 1, "text": "x"})
    store.update(DECISIONS, key, {"a": 2})
    assert store.get(DECISIONS, key) == key | {"a": 2, "text": "x"}


def test_revise_under_a_condition(store: Store, agent: str) -> None:
    """Attributes are set, counted and removed where it holds; else what stands is told."""
    key = item(agent, 1)
    update = Update(
        table=DECISIONS,
        key=key,
        condition=present("n") & at_most("n", 5) & less_than("n", 6) & more_than("n", 4),
        values={"text": "x"},
        counts={"n": 1, "down": -2},
        removes=("old", "never"),
    )
    assert store.revise(update) == (False, {})
    store.put(DECISIONS, key | {"n": 5, "down": 1, "old": b"x"})
    changed = key | {"n": 6, "down": -1, "text": "x"}
    assert store.revise(update) == (True, changed)
    assert store.revise(update) == (False, changed)
    assert store.get(DECISIONS, key) == changed
    assert store.transact([update]) is False
    again = Update(table=DECISIONS, key=key, condition=present("pk"), values={"n": 7})
    assert store.transact([again]) is True
    assert store.get(DECISIONS, key) == changed | {"n": 7}


def test_transaction_is_all_or_nothing(store: Store, agent: str) -> None:
    """Puts, deletions and checks take effect together, or none does."""
    store.put(DECISIONS, item(agent, 1, n=1))
    good = Put(table=DECISIONS, item=item(agent, 2))
    gone = Delete(table=DECISIONS, key=item(agent, 1))
    unmet = Check(table=DECISIONS, key=item(agent, 1), condition=equals("n", 2))
    assert store.transact([good, unmet]) is False
    assert store.fetch(DECISIONS, [item(agent, 2)]) == []
    met = Check(table=DECISIONS, key=item(agent, 3), condition=absent("pk"))
    assert store.transact([good, gone, met]) is True
    assert store.get(DECISIONS, item(agent, 2)) == item(agent, 2)
    assert store.get(DECISIONS, item(agent, 1)) is None


def test_delete_all(store: Store, agent: str) -> None:
    """Items are deleted by the batch; those that are not there do not matter."""
    store.put_all(DECISIONS, [item(agent, number) for number in range(30)])
    store.delete_all(DECISIONS, [item(agent, number) for number in range(5, 40)])
    left = list(store.query(DECISIONS, equals("pk", agent)))
    assert left == [item(agent, number) for number in range(5)]


def test_change_moves_sets_and_removes(store: Store, agent: str) -> None:
    """Values move as they were before, other attributes stay, and a refusal tells what stands."""
    store.put(DECISIONS, item(agent, 1, a=1, b=2, c=3, gone="x", stays="y"))
    key = item(agent, 1)
    update = Update(
        table=DECISIONS,
        key=key,
        values={"a": 9, "new": b"z"},
        moves={"c": "b", "b": "a"},
        removes=["gone", "never"],
        condition=equals("a", 1),
    )
    assert store.change(update) is None
    changed = item(agent, 1, a=9, b=1, c=2, new=b"z", stays="y")
    assert store.get(DECISIONS, key) == changed
    assert store.change(update) == changed
    assert store.get(DECISIONS, key) == changed


def test_change_of_nothing(store: Store, agent: str) -> None:
    """Where no item is, a condition on its attributes holds only if they may be absent."""
    key = item(agent, 2)
    update = Update(table=DECISIONS, key=key, values={"n": 5}, condition=equals("n", 4))
    assert store.change(update) == {}
    assert store.get(DECISIONS, key) is None
    rising = Update(
        table=DECISIONS, key=key, values={"n": 5}, condition=absent_or_less_than("n", 5)
    )
    assert store.change(rising) is None
    assert store.change(rising) == item(agent, 2, n=5)


def test_change_in_a_transaction(store: Store, agent: str) -> None:
    """It is done with the others, or not at all."""
    key = item(agent, 3)
    store.put(DECISIONS, item(agent, 3, n=1))
    other = Put(table=DECISIONS, item=item(agent, 4), condition=absent("pk"))
    change = Update(table=DECISIONS, key=key, values={"n": 2}, condition=equals("n", 1))
    assert store.transact([change, other])
    again = Update(table=DECISIONS, key=key, values={"n": 3}, condition=equals("n", 2))
    assert not store.transact([again, other])
    assert store.get(DECISIONS, key) == item(agent, 3, n=2)
