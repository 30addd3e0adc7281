"""DynamoDB conditions as frozen values, composed with `&`.

>>> condition = equals("pk", "agent-1") & between("sk", "D#1", "D#2")
>>> render(condition)["text"]
'#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2'
"""

from dataclasses import dataclass, field
from typing import Any

from daybook.store.attributes import Value, value_to_wire


@dataclass
class Placeholders:
    """Hands out `#n0` for names and `:v0` for values, and remembers them for the request."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute; the same one each time it is asked."""
        for placeholder, known in self.names.items():
            if known == attribute:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, value: Value) -> str:
        """Return a new placeholder for a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value_to_wire(value)
        return placeholder


@dataclass(frozen=True)
class Condition:
    """A test of attributes: a template whose `{n}` is the name and `{0}`, `{1}` the values."""

    template: str
    attribute: str
    values: tuple[Value, ...] = ()
    also: "Condition | None" = None

    def __and__(self, other: "Condition") -> "Condition":
        also = self.also & other if self.also else other
        return Condition(self.template, self.attribute, self.values, also)

    def text(self, placeholders: Placeholders) -> str:
        """Write the condition down, taking its placeholders from the one allocator."""
        name = placeholders.name(self.attribute)
        values = [placeholders.value(value) for value in self.values]
        own = self.template.format(*values, n=name)
        return f"{own} AND {self.also.text(placeholders)}" if self.also else own


def equals(attribute: str, value: Value) -> Condition:
    """Hold when the attribute has this value."""
    return Condition("{n} = {0}", attribute, (value,))


def between(attribute: str, first: Value, last: Value) -> Condition:
    """Hold when the attribute lies between the two, both included."""
    return Condition("{n} BETWEEN {0} AND {1}", attribute, (first, last))


def at_least(attribute: str, least: Value) -> Condition:
    """Hold when the attribute is this or more."""
    return Condition("{n} >= {0}", attribute, (least,))


def at_most(attribute: str, most: Value) -> Condition:
    """Hold when the attribute is this or less."""
    return Condition("{n} <= {0}", attribute, (most,))


def more_than(attribute: str, least: Value) -> Condition:
    """Hold when the attribute is more than this."""
    return Condition("{n} > {0}", attribute, (least,))


def less_than(attribute: str, most: Value) -> Condition:
    """Hold when the attribute is less than this."""
    return Condition("{n} < {0}", attribute, (most,))


def begins_with(attribute: str, prefix: str) -> Condition:
    """Hold when the attribute's text starts so."""
    return Condition("begins_with({n}, {0})", attribute, (prefix,))


def absent(attribute: str) -> Condition:
    """Hold when the item has no such attribute; of a key: when there is no such item."""
    return Condition("attribute_not_exists({n})", attribute)


def present(attribute: str) -> Condition:
    """Hold when the item has such an attribute; of a key: when there is such an item."""
    return Condition("attribute_exists({n})", attribute)


def absent_or_less_than(attribute: str, most: Value) -> Condition:
    """Hold when the item has no such attribute, or has less than this there."""
    return Condition("(attribute_not_exists({n}) OR {n} < {0})", attribute, (most,))


def absent_or_at_most(attribute: str, most: Value) -> Condition:
    """Hold when the item has no such attribute, or has this or less there."""
    return Condition("(attribute_not_exists({n}) OR {n} <= {0})", attribute, (most,))


def render(condition: Condition) -> dict[str, Any]:
    """Return the condition's text, and the names and values that it uses."""
    placeholders = Placeholders()
    text = condition.text(placeholders)
    return {"text": text, "names": placeholders.names, "values": placeholders.values}
