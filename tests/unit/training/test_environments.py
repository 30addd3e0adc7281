"""A small run of `bench.training`: standard environments are learned, and sooner with replay."""

from dataclasses import replace

import pytest

from bench.training import BY_LOSS, CLIFF, TAXI, UNIFORM, WITHOUT, learn, sign_test


@pytest.mark.parametrize("seed", range(3))
def test_the_cliff_is_learned_sooner_with_replay(seed: int) -> None:
    """The shortest way along the cliff, -13, in fewer steps of the environment."""
    without = learn(CLIFF, WITHOUT, seed).steps
    assert without is not None
    for arm in (UNIFORM, BY_LOSS):
        steps = learn(CLIFF, arm, seed).steps
        assert steps is not None
        assert steps < without


@pytest.mark.campaign
def test_the_taxi_is_learned_sooner_with_replay() -> None:
    """7.5 on average over 30 episodes, in fewer steps of the environment."""
    task = replace(TAXI, episodes=30, check_every=2000)
    without, replayed = (learn(task, arm, 0).steps for arm in (WITHOUT, UNIFORM))
    assert without is not None
    assert replayed is not None
    assert replayed < without


@pytest.mark.parametrize(
    ("wins", "losses", "chance"), [(10, 0, 2 / 1024), (8, 2, 112 / 1024), (5, 5, 1.0)], ids=str
)
def test_the_sign_test(wins: int, losses: int, chance: float) -> None:
    """As the binomial says, two-sided."""
    assert sign_test(wins, losses) == sign_test(losses, wins) == pytest.approx(chance)
