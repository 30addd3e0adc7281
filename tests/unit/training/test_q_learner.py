"""The learner: its rule, its choices, and what it does with a buffer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from daybook import (
    EmptyReplayError,
    InvalidInputError,
    OutcomeTag,
    QLearner,
    ReplayBuffer,
    ReplayConfig,
    Transition,
    UnreachableError,
)
from daybook.models.trajectories import Trajectory
from daybook.training import episode, q_learner, transitions
from tests.clocks import Clock


def corridor(length: int) -> list[Transition]:
    """Walk along states from 0, each step free but the last, which gives 1."""
    return [
        Transition(at, "go", float(at == length - 1), at + 1, terminated=at == length - 1)
        for at in range(length)
    ]


def stored(*episodes: list[Transition], **config: Any) -> ReplayBuffer:
    """Return a buffer that holds these episodes, as e0, e1 and so on."""
    buffer = ReplayBuffer(config=ReplayConfig(**{"seed": 3} | config))
    for number, steps in enumerate(episodes):
        made = episode(steps, agent_id="a", task="t", trajectory_id=f"e{number}")
        buffer.store_trajectory(made)
    return buffer


def test_the_rule() -> None:
    """Q(s,a) += rate * (r + discount * max Q(s') - Q(s,a)), worked out by hand."""
    learner = QLearner(["a", "b"], learning_rate=0.5, discount=0.8, initial_value=2.0)
    assert learner.learn(Transition("s", "a", 1.0, "t")) == pytest.approx(0.6)  # 1 + 1.6 - 2
    assert learner.values("s") == pytest.approx([2.3, 2.0])
    assert learner.learn(Transition("t", "b", -3.0, "s")) == pytest.approx(-3.16)
    assert learner.value("t", "b") == pytest.approx(2 - 1.58)
    assert (learner.value("t"), learner.value("nowhere")) == (2.0, 2.0)
    assert (len(learner), learner.steps_learned) == (2, 2)
    assert list(learner.policy()) == [("s", "a"), ("t", "a")]


def test_only_termination_ends_what_can_be_had() -> None:
    """Beyond a terminated step nothing is worth anything; a truncated one goes on."""
    ends = {}
    for end in ("terminated", "truncated"):
        learner = QLearner([0], learning_rate=1.0, discount=0.5, initial_value=8.0)
        learner.learn(Transition("s", 0, 1.0, "t", **{end: True}))
        ends[end] = learner.value("s")
    assert ends == {"terminated": 1.0, "truncated": 5.0}


def test_backwards_a_reward_reaches_all_steps_at_once() -> None:
    """One replay of a corridor teaches all of it; the control, forwards, only its end."""
    learner = QLearner(["go"], learning_rate=1.0, discount=0.5, buffer=stored(corridor(5)))
    done = learner.replay(1)
    assert [learner.value(at) for at in range(5)] == [0.0625, 0.125, 0.25, 0.5, 1.0]
    assert (done.trajectories, done.steps) == (1, 5)
    assert done.mean_error == pytest.approx(1.9375 / 5)
    forwards = QLearner(["go"], learning_rate=1.0, discount=0.5)
    for step in corridor(5):
        forwards.learn(step)
    assert [forwards.value(at) for at in range(5)] == [0, 0, 0, 0, 1.0]


def test_errors_come_in_the_trajectorys_order() -> None:
    """The first error is the first step's, though it was learned last."""
    learner = QLearner(["go"], learning_rate=1.0, discount=0.5)
    trajectory = episode(corridor(3), agent_id="a", task="t")
    assert learner.learn_from(trajectory) == [0.25, 0.5, 1.0]
    assert learner.learn_from(trajectory) == [0.0, 0.0, 0.0]
    half = QLearner(["go"], learning_rate=0.8, discount=0.5)
    half.learn_from(trajectory, weight=0.5)
    assert half.value(2) == pytest.approx(0.4)


def test_importance_weights_scale_the_rate() -> None:
    """What is drawn more often than its share moves values less each time."""
    surprising, dull = (
        [Transition(name, "go", 1.0, terminated=True)] for name in ("surprising", "dull")
    )
    buffer = stored(surprising, dull, strategy="prioritized_loss", alpha=1.0, beta=1.0)
    indexes = [buffer.get_entry(f"e{number}").index for number in range(2)]
    buffer.update_priorities(indexes, [3.0, 1.0])
    learner = QLearner(["go"], learning_rate=1e-9, buffer=buffer)
    drawn = learner.replay(1000)
    assert drawn.steps == 1000
    # three times as often at a third of the weight: both have moved alike
    assert learner.value("surprising") == pytest.approx(learner.value("dull"), rel=0.2)
    uniform = QLearner(["go"], learning_rate=1e-9, buffer=stored(surprising, dull, beta=1.0))
    uniform.replay(1000)
    assert uniform.value("dull") > 1.5 * learner.value("dull")


def test_the_buffer_hears_what_surprised() -> None:
    """Each trajectory's loss is its mean absolute error, before it was learned from."""
    bad = [Transition("x", "go", -6.0, "y"), Transition("y", "go", 2.0, terminated=True)]
    buffer = stored(bad, strategy="prioritized_loss")
    learner = QLearner(["go"], learning_rate=0.5, discount=1.0, buffer=buffer)
    learner.replay(1)
    entry = buffer.get_entry("e0")
    assert entry.loss == pytest.approx(3.5)  # |2| and |-6 + 1|
    assert entry.replay_count == 1
    learner.replay(2)
    assert buffer.get_entry("e0").replay_count == 3


def test_choices_explore_as_often_as_told() -> None:
    """With epsilon, any action alike; without, one of the best, and ties are broken by chance."""
    learner = QLearner(range(4), epsilon=0.4, learning_rate=1.0, seed=5)
    learner.learn(Transition("s", 2, 1.0, terminated=True))
    chosen = [learner.choose("s") for _ in range(4000)]
    assert chosen.count(2) / 4000 == pytest.approx(0.7, abs=0.03)
    assert chosen.count(0) / 4000 == pytest.approx(0.1, abs=0.02)
    learner.epsilon = 0.0
    assert {learner.choose("s") for _ in range(100)} == {2}
    unmet = [learner.choose("new") for _ in range(2000)]
    assert all(abs(unmet.count(action) / 2000 - 0.25) < 0.05 for action in range(4))
    assert learner.best_action("new") == 0
    assert learner.value("s", 2) == 1.0


def test_same_seed_chooses_the_same() -> None:
    """A learner with a seed can be repeated, and another seed is another learner."""

    def choices(seed: int) -> list[Any]:
        learner = QLearner(range(100), epsilon=1.0, seed=seed)
        return [learner.choose(0) for _ in range(20)]

    assert choices(1) == choices(1) != choices(2)


def test_values_approach_the_optimum() -> None:
    """On a random problem the values become those of value iteration."""
    rng = np.random.default_rng(1)
    follows, rewards = rng.integers(8, size=(8, 3)), rng.normal(size=(8, 3))
    optimum = np.zeros(8)
    for _ in range(2000):
        optimum = (rewards + 0.9 * optimum[follows]).max(axis=1)
    learner = QLearner(range(3), learning_rate=0.5, discount=0.9)
    for at, action in rng.integers([8, 3], size=(40_000, 2)).tolist():
        learner.learn(Transition(at, action, rewards[at, action], follows[at, action]))
    np.testing.assert_allclose([learner.value(at) for at in range(8)], optimum, rtol=1e-6)


def test_episodes_are_stored_as_they_end(clock: Clock) -> None:
    """Each is a trajectory, under the learner's names, with its time and outcome."""
    buffer = ReplayBuffer(clock=clock)
    ids = iter(["one", "two", "three"])
    learner = QLearner(
        ["go"], buffer=buffer, agent_id="walker", task="walk", clock=clock, new_id=ids.__next__
    )
    for step in corridor(3):
        learner.learn(step)
        clock.advance(seconds=2)
    first = buffer.get_trajectory("one")
    assert (first.agent_id, first.task_description) == ("walker", "walk")
    assert (first.final_outcome, first.duration_seconds) == (OutcomeTag.SUCCESS, 4.0)
    assert list(transitions(first)) == corridor(3)
    learner.learn(Transition(0, "go", 0.0, 1, truncated=True), "failure")
    assert buffer.get_trajectory("two").final_outcome == OutcomeTag.FAILURE
    assert learner.end_episode() is None
    learner.learn(corridor(3)[0])
    assert learner.end_episode() == "three"
    assert buffer.get_trajectory("three").final_outcome == OutcomeTag.PARTIAL


def test_endless_episodes_are_stored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """An episode without end does not grow in memory; its pieces are whole together."""
    monkeypatch.setattr(q_learner, "LONGEST_EPISODE", 10)
    buffer = ReplayBuffer()
    learner = QLearner(["go"], buffer=buffer)
    for step in corridor(25):
        learner.learn(step)
    found = sorted(buffer.iterate_trajectories(), key=lambda each: each.initial_state["state"])
    assert [len(each.steps) for each in found] == [10, 10, 5]
    assert list(transitions(found)) == corridor(25)


def test_an_episode_that_could_not_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned stays learned, and the episode is stored once when that is possible."""
    buffer = ReplayBuffer()
    store = buffer.store_trajectory

    def lost(trajectory: Trajectory) -> str:
        store(trajectory)
        raise UnreachableError("no answer")

    learner = QLearner(["go"], learning_rate=1.0, buffer=buffer)
    monkeypatch.setattr(buffer, "store_trajectory", lost)
    with pytest.raises(UnreachableError):
        learner.learn(corridor(1)[0])
    assert learner.value(0) == 1.0
    monkeypatch.undo()
    for step in corridor(2):
        learner.learn(step)
    lengths = [len(each.steps) for each in buffer.iterate_trajectories()]
    assert sorted(lengths) == [1, 2]


def test_replay_from_nothing() -> None:
    """Without a buffer, or with an empty one, there is nothing to replay."""
    with pytest.raises(InvalidInputError, match="no buffer to replay from"):
        QLearner([0]).replay(1)
    with pytest.raises(EmptyReplayError):
        QLearner([0], buffer=ReplayBuffer()).replay(1)
    with pytest.raises(InvalidInputError, match=r"the action 'go' is unknown: .* has 0, 1"):
        QLearner([0, 1], buffer=stored(corridor(1))).replay(1)


def test_values_that_run_off_are_refused() -> None:
    """Infinity never gets into the table: the error says so, and the value stands."""
    learner = QLearner([0], learning_rate=1.0, discount=1.0)
    learner.learn(Transition("s", 0, 1.5e308, terminated=True))
    with pytest.raises(InvalidInputError, match="runs off to infinity"):
        learner.learn(Transition("s", 0, 1.5e308, "s"))
    assert learner.value("s") == 1.5e308


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: QLearner([]), "no actions"),
        (lambda: QLearner("left"), "give a list"),
        (lambda: QLearner(3), "give a list"),  # type: ignore[arg-type]
        (lambda: QLearner([1, 1.0]), "name one twice"),
        (lambda: QLearner([object()]), "is no JSON value"),
        (lambda: QLearner([0], learning_rate=0), "learning_rate is 0: use a number over 0 to 1"),
        (lambda: QLearner([0], learning_rate=1.1), "over 0 to 1"),
        (lambda: QLearner([0], discount=-0.1), "discount is -0.1: use a number from 0 to 1"),
        (lambda: QLearner([0], epsilon=float("nan")), "epsilon is nan"),
        (lambda: QLearner([0], epsilon=True), "epsilon is True"),
        (lambda: QLearner([0], initial_value=float("inf")), "use a finite number"),
        (lambda: QLearner([0], agent_id="no spaces"), "agent"),
        (lambda: QLearner([0], buffer=[]), "is no ReplayBuffer"),  # type: ignore[arg-type]
        (lambda: QLearner([0]).learn((0, 0, 1.0)), "is no Transition"),  # type: ignore[arg-type]
        (lambda: QLearner([0]).learn_from([]), "is no Trajectory"),  # type: ignore[arg-type]
        (lambda: QLearner([0], epsilon=0).choose({1: 2}), "the state .* is no JSON value"),
        (lambda: QLearner([0]).value(0, 9), "the action 9 is unknown"),
    ],
    ids=[
        *("none", "text", "number", "twice", "no json", "rate 0", "rate over", "discount", "nan"),
        *("bool", "infinite", "agent", "buffer", "transition", "trajectory", "state", "action"),
    ],
)
def test_bad_input_is_refused(make: Callable[[], object], words: str) -> None:
    """Each mistake is told in words that say what to do."""
    with pytest.raises(InvalidInputError, match=words):
        make()
