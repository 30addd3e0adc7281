"""A state, its receipt, and the ids of checkpoints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.models import AgentState
from daybook.models.identity import EPOCH
from daybook.models.state import (
    LARGEST_VERSION,
    StateReceipt,
    checked_checkpoint_id,
    checkpoint_id,
    version_and_number,
)

PLACES = st.tuples(st.integers(1, LARGEST_VERSION), st.integers(0, 999_999))
SUFFIX = "0123456789ab"


@given(PLACES)
def test_a_checkpoint_id_gives_its_parts_back(place: tuple[int, int]) -> None:
    """The version and the number, and it is an id that is accepted."""
    made = checkpoint_id(*place, SUFFIX)
    assert version_and_number(made) == place
    assert checked_checkpoint_id(made) == made


@given(PLACES, PLACES)
def test_checkpoint_ids_sort_as_they_were_taken(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    """By version, then by number: later ones are greater."""
    assert (checkpoint_id(*one, SUFFIX) < checkpoint_id(*two, SUFFIX)) is (one < two)


@pytest.mark.parametrize("text", ["", "1-1-0123456789ab", checkpoint_id(1, 1, SUFFIX) + "0"])
def test_what_is_no_checkpoint_id(text: str) -> None:
    """It is refused with a sentence, whoever reads it."""
    for read in (version_and_number, checked_checkpoint_id):
        with pytest.raises(InvalidInputError, match="is not a checkpoint's id"):
            read(text)


def test_a_receipt_and_the_data_make_the_state() -> None:
    """Nothing of the state is lost that its writer did not know."""
    state = AgentState(
        agent_id="a", version=2, data={"n": 1}, updated_at=EPOCH, restored_from="checkpoint"
    )
    assert StateReceipt.of(state).state("a", {"n": 1}) == state
