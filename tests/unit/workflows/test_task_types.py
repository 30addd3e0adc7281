"""Types of tasks told from requests: how often rightly, and what of hostile or foreign ones."""

from collections import Counter

import pytest

from daybook import InvalidInputError, TaskType, infer_task_type
from tests.unit.workflows.labelled import read_labelled

LABELLED = read_labelled()
HELD_OUT_LEAST = 0.75
TUNING_LEAST = 0.9


def accuracy(rows: list[tuple[str, TaskType]]) -> float:
    """Return the share of requests whose type is told as the person did."""
    return sum(infer_task_type(request) == kind for request, kind in rows) / len(rows)


def test_requests_it_was_not_tuned_by(capsys: pytest.CaptureFixture[str]) -> None:
    """Of ninety held out, nine types in equal parts, most are told; the confusion is printed."""
    assert len(LABELLED.held_out) == 90
    assert set(Counter(kind for _, kind in LABELLED.held_out).values()) == {10}
    confusion = Counter((str(kind), str(infer_task_type(r))) for r, kind in LABELLED.held_out)
    reached = accuracy(LABELLED.held_out)
    with capsys.disabled():
        print(f"\nheld out: {reached:.1%} of {len(LABELLED.held_out)}")  # noqa: T201
        for (meant, told), count in sorted(confusion.items()):
            if meant != told:
                print(f"  {meant} taken for {told}: {count}")  # noqa: T201
    assert reached >= HELD_OUT_LEAST


def test_requests_it_was_tuned_by() -> None:
    """Of the 180 others nearly all are."""
    assert len(LABELLED.tuning) == 180
    assert accuracy(LABELLED.tuning) >= TUNING_LEAST


def test_chance_does_far_worse() -> None:
    """The control: types that are moved on by one are told for one in nine at most."""
    types = list(TaskType)
    moved = [(r, types[(types.index(kind) + 1) % 9]) for r, kind in LABELLED.held_out]
    assert accuracy(moved) < 2 / 9


@pytest.mark.parametrize(
    "request_",
    [
        "",
        "   \n",
        "?!…",
        "修复登录错误",
        "🙂🙂",
        "lorem ipsum dolor sit amet",
    ],
    ids=["empty", "blank", "signs", "chinese", "emoji", "latin"],
)
def test_what_tells_nothing_is_general(request_: str) -> None:
    """Nothing, signs, other languages."""
    assert infer_task_type(request_) is TaskType.GENERAL


def test_a_tie_is_general() -> None:
    """Two types that are asked for alike: nobody can tell which was meant."""
    assert infer_task_type("deploy") is TaskType.DEPLOYMENT
    assert infer_task_type("debug") is TaskType.DEBUGGING
    assert infer_task_type("deploy debug") is TaskType.GENERAL


def test_a_huge_request_is_told_by_how_it_starts() -> None:
    """Megabytes are not looked through; and a word that is repeated counts once."""
    assert infer_task_type("Debug this: " + "deploy " * 1_000_000) is TaskType.GENERAL
    assert infer_task_type("Debug this traceback: " + "x" * 5_000_000) is TaskType.DEBUGGING


def test_every_form_of_a_word_counts() -> None:
    """Deploys, deployed, deployment; in any case."""
    for word in ("deploy", "Deploys", "DEPLOYED", "deploying", "deployment", "deployments"):
        assert infer_task_type(f"{word} of it") is TaskType.DEPLOYMENT


@pytest.mark.parametrize("bad", [None, 3, b"debug"])
def test_what_is_no_text_is_refused(bad: object) -> None:
    """A request is text."""
    with pytest.raises(InvalidInputError, match="a request is text"):
        infer_task_type(bad)  # type: ignore[arg-type]
