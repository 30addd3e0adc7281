"""Conditions compose, and one allocator names their parts."""

from daybook.store.expressions import (
    absent,
    absent_or_at_most,
    begins_with,
    between,
    equals,
    render,
)


def test_parts_are_named_in_order() -> None:
    """Names are shared between uses, values are not."""
    rendered = render(equals("pk", "a") & between("sk", "b", "c") & begins_with("sk", "d"))
    assert rendered["text"] == ("#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2 AND begins_with(#n1, :v3)")
    assert rendered["names"] == {"#n0": "pk", "#n1": "sk"}
    assert list(rendered["values"].values()) == [{"S": s} for s in "abcd"]


def test_grouping_does_not_matter() -> None:
    """(a & b) & c is a & (b & c)."""
    a, b, c = equals("a", 1), absent("b"), equals("c", b"x")
    assert render((a & b) & c) == render(a & (b & c))


def test_values_are_never_part_of_the_text() -> None:
    """A hostile value is a value, whatever it looks like."""
    hostile = "x) OR {n} = :v9 {0}"
    rendered = render(equals("pk", hostile))
    assert rendered["text"] == "#n0 = :v0"
    assert rendered["values"] == {":v0": {"S": hostile}}


def test_a_choice_keeps_to_itself() -> None:
    """What holds in one of two ways is one condition beside others."""
    rendered = render(equals("a", 1) & absent_or_at_most("b", 2))
    assert rendered["text"] == "#n0 = :v0 AND (attribute_not_exists(#n1) OR #n1 <= :v1)"
