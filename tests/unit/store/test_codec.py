"""Bodies: JSON, compressed only where that costs fewer write units, readable for ever."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import BodyCorruptError, BodyTooLargeError
from daybook.store import codec
from daybook.store.attributes import write_units
from daybook.store.codec import Codec
from tests.unit.models.test_json_values import json_values, text

CODEC = Codec(version=1)


@given(st.dictionaries(text, json_values), st.integers(min_value=0, max_value=3000))
def test_documents_read_back(document: dict[str, Any], beside: int) -> None:
    """Whatever the form chosen, the document is the same, float by float."""
    body = CODEC.encode(document, beside=beside)
    assert repr(CODEC.decode(body, 1)) == repr(document)


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=0, max_value=1500))
def test_the_cheaper_form_is_chosen(repeats: int, beside: int) -> None:
    """Never more units than plain JSON would cost."""
    document = {"prices": [100.25 + i for i in range(repeats)]}
    plain = len(json.dumps(document, separators=(",", ":")))
    body = CODEC.encode(document, beside=beside)
    assert write_units(beside + len(body)) <= write_units(beside + plain)


def test_small_bodies_stay_readable() -> None:
    """What fits into one unit is text that a person can read in the console."""
    assert CODEC.encode({"a": "é"}, beside=100) == '{"a":"é"}'


def test_old_versions_are_brought_up() -> None:
    """Each upcaster takes a body one version further."""
    now = Codec(version=3, upcasters={1: lambda d: d | {"b": 2}, 2: lambda d: d | {"c": 3}})
    old = Codec(version=1).encode({"a": 1}, beside=0)
    assert now.decode(old, 1) == {"a": 1, "b": 2, "c": 3}
    assert now.decode(old, 3) == {"a": 1}


def test_newer_versions_say_upgrade() -> None:
    """A body from the future is not misread."""
    with pytest.raises(BodyCorruptError, match="upgrade"):
        CODEC.decode("{}", 2)


@pytest.mark.parametrize("body", ["{", b"", b"junk", b"(\xb5/\xfd\xff\xff", "[" * 10**6])
def test_damage_is_reported(body: str | bytes) -> None:
    """A body that does not decode is an error of its own."""
    with pytest.raises(BodyCorruptError, match="does not decode"):
        CODEC.decode(body, 1)


def test_cut_bodies_are_reported() -> None:
    """A compressed body with its end missing does not pass for a shorter one."""
    body = CODEC.encode({"a": "long " * 1000}, beside=0)
    assert isinstance(body, bytes)
    with pytest.raises(BodyCorruptError):
        CODEC.decode(body[:-5], 1)


def test_bodies_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the error gives both figures and advice, and a bomb is not inflated."""
    bomb = CODEC.encode({"a": "0" * 5000}, beside=0)
    monkeypatch.setattr(codec, "LARGEST_BODY", 1000)
    with pytest.raises(BodyTooLargeError, match="1,000: keep what is large elsewhere"):
        CODEC.encode({"a": uuid4().hex * 40}, beside=0)
    with pytest.raises(BodyCorruptError, match="claims"):
        CODEC.decode(bomb, 1)


def test_a_kind_of_body_has_a_limit_of_its_own() -> None:
    """What claims to become more is not inflated."""
    bomb = CODEC.encode({"a": "0" * 5000}, beside=0)
    with pytest.raises(BodyCorruptError, match="claims 5,0"):
        Codec(version=1, largest=1000).decode(bomb, 1)
