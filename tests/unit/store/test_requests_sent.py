"""What the store asks for, on a client that answers as it is told to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook.errors import BodyCorruptError, ThrottledError
from daybook.store import DECISIONS, Store
from daybook.store.attributes import from_wire
from daybook.store.batching import Backoff
from daybook.store.expressions import equals
from daybook.store.requests import Update

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Client:
    """Leaves half of every batch undone, and ends every page after as much as is asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.written: list[Any] = []

    def batch_get_item(self, **parameters: Any) -> dict[str, Any]:
        """Answer the first half."""
        self.asked.append(parameters)
        ((table, wanted),) = parameters["RequestItems"].items()
        keys = wanted["Keys"]
        half = (len(keys) + 1) // 2
        rest = {table: wanted | {"Keys": keys[half:]}} if keys[half:] else {}
        return {"Responses": {table: keys[:half]}, "UnprocessedKeys": rest}

    def batch_write_item(self, **parameters: Any) -> dict[str, Any]:
        """Write the first half."""
        self.asked.append(parameters)
        ((table, puts),) = parameters["RequestItems"].items()
        half = (len(puts) + 1) // 2
        self.written += puts[:half]
        return {"UnprocessedItems": {table: puts[half:]} if puts[half:] else {}}

    def query(self, **parameters: Any) -> dict[str, Any]:
        """Answer ten pages of nothing that lives."""
        self.asked.append(dict(parameters))
        more = {"LastEvaluatedKey": {"pk": {"S": "a"}}} if len(self.asked) < 10 else {}
        return {"Items": [{"pk": {"S": "a"}, "expires_at": {"N": "1"}}], **more}


@pytest.fixture
def client() -> Client:
    """Give the client."""
    return Client()


@pytest.fixture
def store(client: Client) -> Store:
    """Give a store on it that does not sleep."""
    backoff = Backoff(sleep=lambda _: None)
    return Store(dynamodb=client, s3=lambda: None, clock=lambda: NOW, backoff=backoff)  # type: ignore[arg-type, return-value]


def test_reads_left_undone_are_sent_again(store: Store, client: Client) -> None:
    """Every key is answered once, and every read is consistent."""
    keys = [{"pk": "a", "sk": str(n)} for n in range(130)]
    found = store.fetch(DECISIONS, keys)  # type: ignore[arg-type]
    assert sorted(str(item["sk"]) for item in found) == sorted(str(k["sk"]) for k in keys)
    for asked in client.asked:
        assert asked["RequestItems"]["agent_decisions"]["ConsistentRead"] is True


def test_writes_left_undone_are_sent_again(store: Store, client: Client) -> None:
    """Every item is written once."""
    store.put_all(DECISIONS, [{"pk": "a", "sk": str(n)} for n in range(60)])
    written = [put["PutRequest"]["Item"]["sk"]["S"] for put in client.written]
    assert sorted(written) == sorted(str(n) for n in range(60))


def test_pages_grow(store: Store, client: Client) -> None:
    """A small first page does not make many requests of a long search."""
    assert list(store.query(DECISIONS, equals("pk", "a"), page_size=2)) == []
    assert [asked["Limit"] for asked in client.asked][:6] == [2, 8, 32, 128, 512, 1000]
    client.asked.clear()
    list(store.query(DECISIONS, equals("pk", "a"), page_size=2**40))
    assert client.asked[0]["Limit"] == 1000


def test_an_item_expires_at_its_second(store: Store) -> None:
    """It lives until then, and not in that second."""
    second = int(NOW.timestamp())
    assert store.is_live({"expires_at": second + 1})
    assert not store.is_live({"expires_at": second})
    assert store.is_live({})
    kept = Store(dynamodb=None, s3=None, retention=timedelta(days=1))  # type: ignore[arg-type]
    assert kept.expiry(NOW) == {"expires_at": second + 86400}
    assert store.expiry(NOW) == {}


def test_types_that_no_item_has() -> None:
    """An attribute that Daybook never writes is damage, not bytes."""
    with pytest.raises(BodyCorruptError, match="type M"):
        from_wire({"a": {"M": {}}})


class Contended:
    """Refuses an update for the transactions of others, some times over."""

    def __init__(self, times: int) -> None:
        self.times = times

    def update_item(self, **_: Any) -> dict[str, Any]:
        """Refuse, or do it."""
        if self.times:
            self.times -= 1
            raise ThrottledError("a transaction is under way")
        return {}


def test_contention_with_a_transaction_is_waited_out() -> None:
    """An update is sent again, within bounds."""
    update = Update(table=DECISIONS, key={"pk": "a", "sk": "b"}, values={"n": 1})
    for times, ends in ((7, True), (8, False)):
        backoff = Backoff(sleep=lambda _: None)
        client: Any = Contended(times)
        store = Store(dynamodb=client, s3=lambda: None, backoff=backoff)  # type: ignore[arg-type, return-value]
        if ends:
            assert store.change(update) is None
        else:
            with pytest.raises(ThrottledError):
                store.change(update)
