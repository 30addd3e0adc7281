"""Patterns are found, refreshed, turned and retired; noise yields none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from daybook.memory.learning import Knowledge, LearningSettings, Lesson, PatternChange, evolve
from daybook.models import DecisionType, MemoryPattern, PatternType
from daybook.models.identity import uuid_at

START = datetime(2026, 1, 1, tzinfo=UTC)
KIND = DecisionType.STRATEGY_SELECTION
Rate = Callable[[str, dict[str, Any]], float]


def lessons(rate: Rate, n: int = 4000, day: int = 0, seed: int = 1) -> list[Lesson]:
    """Return random choices in random contexts, 400 a day, that succeed at `rate`."""
    rng = Random(seed)  # noqa: S311
    listed = []
    for number in range(n):
        moment = START + timedelta(days=day + number / 400)
        context = {
            "trend": rng.choice(["up", "down", "flat"]),
            "volume": rng.random(),
            "hour": rng.randrange(24),
        }
        choice = rng.choice(["buy", "sell"])
        success = rng.random() < rate(choice, context)
        listed.append(
            Lesson(uuid_at(moment, number), moment, (choice,), {"market": context}, success)
        )
    return listed


def run(
    knowledge: Knowledge, patterns: list[MemoryPattern], day: int = 10, **more: Any
) -> list[PatternChange]:
    """Evolve at the end of a day."""
    now = START + timedelta(days=day)
    return evolve(knowledge, patterns, agent_id="a-1", decision_type=KIND, now=now, **more)


def known(*parts: list[Lesson]) -> Knowledge:
    """Return what these parts teach."""
    knowledge = Knowledge()
    for part in parts:
        knowledge.learn(part)
    return knowledge


def in_uptrend(choice: str, context: dict[str, Any]) -> float:
    """Buying does better in an uptrend."""
    return 0.75 if choice == "buy" and context["trend"] == "up" else 0.5


def in_downtrend(choice: str, context: dict[str, Any]) -> float:
    """Buying does worse in an uptrend."""
    return 0.25 if choice == "buy" and context["trend"] == "up" else 0.5


def with_volume(choice: str, context: dict[str, Any]) -> float:
    """Selling does worse in a downtrend of high volume."""
    return (
        0.2 if choice == "sell" and context["trend"] == "down" and context["volume"] > 0.6 else 0.6
    )


def even(_: str, __: dict[str, Any]) -> float:
    """Nothing matters."""
    return 0.5


def test_noise_yields_nothing() -> None:
    """Ten seeds of pure noise, looked at twice each."""
    for seed in range(10):
        history = lessons(even, seed=seed)
        knowledge = known(history[:2000])
        assert run(knowledge, []) == []
        knowledge.learn(history[2000:])
        assert run(knowledge, []) == []


def test_a_condition_is_found_with_its_facts() -> None:
    """Choice, condition, rates, evidence and a confidence below the rate."""
    history = lessons(in_uptrend)
    (change,) = run(known(history), [])
    found = change.after
    assert (change.kind, change.before) == ("created", None)
    assert (found.choice, found.pattern_type) == ("buy", PatternType.SUCCESS)
    assert [(c.feature, c.op, c.value) for c in found.conditions] == [("market.trend", "eq", "up")]
    inside = [
        x.success
        for x in history
        if x.choices == ("buy",) and x.context["market"]["trend"] == "up"
    ]
    assert found.sample_size == len(inside)
    assert abs(found.success_rate - sum(inside) / len(inside)) < 0.01
    assert 0.6 < found.confidence < found.success_rate
    by_id = {f"{x.uuid}@a-1": x for x in history}
    assert len(found.evidence) == 20
    assert all(by_id[each].success for each in found.evidence)
    assert len(found.pattern_id) <= 256


def test_a_pair_is_found_with_its_cut() -> None:
    """One category and one numeric cut, as a FAILURE pattern."""
    (change,) = run(known(lessons(with_volume, n=8000)), [], day=20)
    trend, volume = change.after.conditions
    assert (trend.feature, trend.op, trend.value) == ("market.trend", "eq", "down")
    assert (volume.feature, volume.op) == ("market.volume", "ge")
    assert isinstance(volume.value, float)
    assert abs(volume.value - 0.6) < 0.1
    assert change.after.pattern_type == PatternType.FAILURE


def test_the_same_evidence_changes_nothing_and_more_refreshes() -> None:
    """Evolving twice is evolving once; new outcomes refresh the pattern in place."""
    knowledge = known(lessons(in_uptrend))
    (created,) = run(knowledge, [])
    assert run(knowledge, [created.after], day=11) == []
    knowledge.learn(lessons(in_uptrend, n=1000, day=10, seed=2))
    (refreshed,) = run(knowledge, [created.after], day=13)
    assert refreshed.kind == "refreshed"
    assert refreshed.after.version == 1
    assert refreshed.after.created_at == created.after.created_at
    assert refreshed.after.sample_size > created.after.sample_size


def test_evidence_that_turns_makes_a_new_version() -> None:
    """The type flips, evidence from before the turn no longer counts."""
    knowledge = known(lessons(in_uptrend), lessons(in_downtrend, n=2000, day=10, seed=2))
    (created,) = run(known(lessons(in_uptrend)), [])
    (turned,) = run(knowledge, [created.after], day=15)
    assert turned.kind == "turned"
    assert (turned.before, turned.after.version) == (created.after, 2)
    assert turned.after.pattern_type == PatternType.FAILURE
    assert turned.after.pattern_id == created.after.pattern_id
    since = turned.after.evidence_since
    assert since is not None
    assert abs(since - START - timedelta(days=10)) < timedelta(days=1.5)


def test_evidence_that_fades_retires_a_learned_pattern_only() -> None:
    """When nothing stands out any more, what was learned goes; what a person made stays."""
    (created,) = run(known(lessons(in_uptrend)), [])
    by_hand = created.after.model_copy(update={"pattern_id": "by-hand"})
    knowledge = known(lessons(in_uptrend), lessons(even, n=6000, day=10, seed=2))
    (retired,) = run(knowledge, [created.after], day=25)
    assert retired.kind == "retired"
    assert retired.after.retired_at == START + timedelta(days=25)
    assert all(change.kind != "retired" for change in run(knowledge, [by_hand], day=25))


def test_a_pattern_by_hand_is_refreshed_not_doubled() -> None:
    """It keeps its id, metadata and shares; one that cannot be counted is left alone."""
    knowledge = known(lessons(in_uptrend))
    (created,) = run(knowledge, [])
    mine = {"pattern_id": "mine", "sample_size": 0, "user_metadata": {"why": "a hunch"}}
    hunch = created.after.model_copy(update=mine)
    foreign = hunch.model_copy(
        update={
            "pattern_id": "foreign",
            "conditions": [hunch.conditions[0].model_copy(update={"feature": "moon"})],
        }
    )
    (change,) = run(knowledge, [hunch, foreign])
    assert (change.kind, change.after.pattern_id) == ("refreshed", "mine")
    assert change.after.user_metadata == {"why": "a hunch"}
    assert change.after.sample_size == created.after.sample_size


def test_a_banned_pattern_is_not_created() -> None:
    """What a person retired stays retired."""
    knowledge = known(lessons(in_uptrend))
    (created,) = run(knowledge, [])
    assert run(known(lessons(in_uptrend)), [], banned={created.after.pattern_id}) == []


def test_a_retired_pattern_found_again_goes_on_with_its_history() -> None:
    """Its next version, with what it was before."""
    knowledge = known(lessons(in_uptrend))
    (created,) = run(knowledge, [])
    gone = created.after.model_copy(update={"retired_at": START + timedelta(days=10)})
    assert run(knowledge, [gone], day=11) == []  # nothing new to look at
    (again,) = run(known(lessons(in_uptrend)), [gone], day=12)
    assert (again.kind, again.before, again.after.version) == ("created", gone, 2)
    assert again.after.retired_at is None


def test_few_lessons_are_enough_when_they_are_clear() -> None:
    """Before the warm-up ends, features are settled provisionally and nothing is changed."""

    def clear(choice: str, context: dict[str, Any]) -> float:
        return 0.95 if choice == "buy" and context["trend"] == "up" else 0.2

    knowledge = known(lessons(clear, n=400))
    before = knowledge.dump()
    assert "market.trend" in {c.feature for x in run(knowledge, []) for c in x.after.conditions}
    assert knowledge.dump() == before


def test_old_evidence_decays() -> None:
    """With a short half-life the same outcomes give less confidence."""
    history = lessons(in_uptrend, n=6000)
    (slow,) = run(known(history), [], day=15)
    quick = run(known(history), [], day=15, settings=LearningSettings(half_life=timedelta(days=5)))
    assert quick[0].after.confidence < slow.after.confidence
