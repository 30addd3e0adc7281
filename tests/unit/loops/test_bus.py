"""The bus: what was sent was received, was dropped or waits, and each is counted."""

import logging
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import Exchange, InvalidInputError, UnknownTargetError
from daybook.loops.bus import Bus
from daybook.models.loops import Messages


def bus_of(*names: str, capacity: int = 10) -> Bus:
    """Make a bus with these inboxes."""
    bus = Bus()
    for name in names:
        bus.join(name, capacity)
    return bus


def adds_up(messages: Messages) -> bool:
    """Whether everything that was sent is accounted for."""
    return messages.sent == messages.received + messages.dropped + messages.waiting


def payloads(bus: Bus, name: str) -> list[Any]:
    """Receive, and return what was told."""
    return [message.payload for message in bus.receive(name)]


def test_a_message_reaches_its_target_once() -> None:
    """With its sender, in order, and only whom it is for."""
    bus = bus_of("scout", "risk", "other")
    assert bus.post("scout", "risk", {"n": 1})
    assert bus.post(None, "risk", [2])
    first, second = bus.receive("risk")
    assert (first.sender, first.payload) == ("scout", {"n": 1})
    assert (second.sender, second.payload) == (None, [2])
    assert bus.receive("risk") == ()
    assert bus.receive("other") == ()


def test_to_all_is_to_all_but_the_sender() -> None:
    """It is counted once for each; from outside it is for everybody."""
    bus = bus_of("scout", "risk", "other")
    assert bus.post_to_all("scout", "hello") == 2
    assert bus.post_to_all(None, "stop") == 3
    assert payloads(bus, "scout") == ["stop"]
    assert payloads(bus, "risk") == ["hello", "stop"]
    total, by_name = bus.counts()
    assert (total.sent, by_name["scout"].sent, by_name["risk"].received) == (5, 2, 2)
    assert bus_of("alone").post_to_all("alone", "hello") == 0


def test_a_full_inbox_drops_its_oldest(caplog: pytest.LogCaptureFixture) -> None:
    """The newest stay, the sender is told, drops are counted, and logged once till it is read."""
    bus = bus_of("scout", "risk", capacity=3)
    with caplog.at_level(logging.WARNING, "daybook"):
        assert [bus.post("scout", "risk", n) for n in range(5)] == [True] * 3 + [False] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "the inbox of the loop risk is full: its oldest messages are dropped"
    ]
    total, by_name = bus.counts()
    assert by_name["risk"] == Messages(sent=0, received=0, dropped=2, waiting=3)
    assert adds_up(total)
    assert payloads(bus, "risk") == [2, 3, 4]
    caplog.clear()
    for n in range(4):
        bus.post("scout", "risk", n)
    assert len(caplog.records) == 1


def test_an_inbox_is_bounded_in_bytes_too() -> None:
    """A few large messages do not fill the memory: 64 of 256 KB are 16 MB."""
    bus = bus_of("scout", "risk", capacity=1_000)
    large = "x" * 262_142
    assert [bus.post("scout", "risk", large) for _ in range(66)] == [True] * 64 + [False] * 2
    assert bus.counts()[1]["risk"] == Messages(sent=0, received=0, dropped=2, waiting=64)
    assert payloads(bus, "risk") == [large] * 64
    assert bus.post("scout", "risk", large)


def test_what_waits_for_who_leaves_is_dropped() -> None:
    """And counted; an inbox of that name is another one, and empty."""
    bus = bus_of("scout", "risk")
    bus.post("scout", "risk", 1)
    bus.post("risk", "scout", 2)
    bus.leave("risk")
    total, by_name = bus.counts()
    assert total == Messages(sent=2, received=0, dropped=1, waiting=1)
    assert set(by_name) == {"scout"}
    assert bus.graph().exchanges == []
    bus.join("risk", 10)
    assert bus.receive("risk") == ()


def test_who_has_left_can_still_be_heard() -> None:
    """A thread that a step left behind may post: it is counted, and is in no graph."""
    bus = bus_of("scout", "risk")
    bus.leave("scout")
    assert bus.post("scout", "risk", 1)
    assert payloads(bus, "risk") == [1]
    assert (bus.counts()[0].sent, bus.graph().exchanges) == (1, [])


def test_posting_to_nobody_is_refused() -> None:
    """Nothing is counted then."""
    bus = bus_of("scout")
    unknown: tuple[Any, ...] = ("nobody", "", None, ["scout"], "x" * 10_000)
    for target in unknown:
        with pytest.raises(UnknownTargetError, match="no loop here has the name"):
            bus.post("scout", target, 1)
    assert bus.counts()[0].sent == 0


@pytest.mark.parametrize(
    ("payload", "match"),
    [
        (object(), "the message is not JSON: a object is not JSON"),
        ({"a": [float("inf")]}, "a.0: inf is not JSON"),
        ("x" * 262_143, "262,145 bytes of JSON, and the limit is 262,144"),
    ],
    ids=["an object", "an infinity", "too large"],
)
def test_payloads_that_cannot_be_sent(payload: object, match: str) -> None:
    """Each is refused, to one as to all, and nothing is counted."""
    bus = bus_of("scout", "risk")
    with pytest.raises(InvalidInputError, match=match):
        bus.post("scout", "risk", payload)
    with pytest.raises(InvalidInputError, match=match):
        bus.post_to_all("scout", payload)
    assert bus.counts()[0].sent == 0


def test_loops_share_no_objects() -> None:
    """What the sender, or one receiver, changes later nobody else sees."""
    bus = bus_of("scout", "risk", "other")
    told = {"levels": [1]}
    bus.post_to_all("scout", told)
    told["levels"].append(2)
    (mine,) = bus.receive("risk")
    mine.payload["levels"].append(3)
    assert payloads(bus, "other") == [{"levels": [1]}]


def test_the_graph_is_of_what_loops_told_each_other() -> None:
    """What was acted on is noted; a loop's own messages and those from outside are left out."""
    bus = bus_of("scout", "risk", "silent")
    for n in range(3):
        bus.post("scout", "risk", n)
    bus.post("risk", "risk", "to myself")
    bus.post(None, "risk", "from outside")
    bus.note_acted_on("risk", bus.receive("risk"))
    bus.post("scout", "risk", "not received yet")
    graph = bus.graph()
    assert graph.exchanges == [Exchange(sender="scout", target="risk", sent=4, acted_on=3)]
    assert graph.agents == ["risk", "scout", "silent"]


ACTIONS = st.one_of(
    st.tuples(st.just("post"), st.sampled_from("abc"), st.sampled_from("abc")),
    st.tuples(st.just("all"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("receive"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("leave"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("join"), st.sampled_from("abc"), st.none()),
)


@given(st.lists(ACTIONS, max_size=60))
def test_whatever_happens_it_adds_up(actions: list[tuple[str, str, str | None]]) -> None:
    """Sent is received, dropped and waiting after every action, also of loops that have left."""
    bus, there = Bus(), set[str]()
    for verb, name, target in actions:
        if verb == "join" and name not in there:
            bus.join(name, capacity=2)
            there.add(name)
        elif verb == "leave" and name in there:
            bus.leave(name)
            there.remove(name)
        elif verb == "receive" and name in there:
            bus.receive(name)
        elif verb == "all":
            bus.post_to_all(name, 1)
        elif target in there:
            bus.post(name, target, 1)
        assert adds_up(bus.counts()[0])


def test_it_adds_up_while_threads_are_at_it() -> None:
    """Every snapshot that is taken meanwhile adds up, and nothing goes missing at the end."""
    bus = bus_of(*"abcd", capacity=5)
    stop = threading.Event()

    def post(name: str) -> None:
        for n in range(500):
            bus.post(name, "abcd"[n % 4], n)

    def receive() -> None:
        while not stop.is_set():
            for name in "abcd":
                bus.receive(name)

    posting = [threading.Thread(target=post, args=(name,)) for name in "abcd"]
    receiving = threading.Thread(target=receive)
    for thread in (*posting, receiving):
        thread.start()
    while any(thread.is_alive() for thread in posting):
        assert adds_up(bus.counts()[0])
    stop.set()
    receiving.join()
    total, _ = bus.counts()
    assert total.sent == 2_000
    assert adds_up(total)
