"""Prometheus's text format 0.0.4: by its specification, read back by a parser of its grammar."""

import re

from hypothesis import given
from hypothesis import strategies as st

from daybook import Registry, prometheus_text

SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>[-+.eE0-9]+|[+-]Inf|NaN)"
)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')
ESCAPED = re.compile(r"\\(.)")


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read samples back as the grammar of the specification says; anything else fails."""
    found = {}
    assert text == "" or text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*", line)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        said = match["labels"] or ""
        pairs = LABEL.findall(said)
        assert "".join(f'{name}="{value}",' for name, value in pairs).rstrip(",") == said
        labels = tuple(
            (name, ESCAPED.sub(lambda m: {"n": "\n"}.get(m[1], m[1]), value))
            for name, value in pairs
        )
        assert (match["name"], labels) not in found
        found[match["name"], labels] = float(match["value"])
    return found


def test_each_kind() -> None:
    """As the specification's own examples are written."""
    registry = Registry()
    registry.counter("http_requests_total", "The total number.", ["method"]).add(
        1027, method="post"
    )
    registry.gauge("something", "C:\\DIR\nfound").set(-1.5)
    took = registry.histogram("took_ms", "A histogram.", ["le_"], bounds=[0.05, 1])
    for value in (0.01, 0.5, 2):
        took.observe(value, le_="x")
    assert prometheus_text(registry).splitlines() == [
        "# HELP http_requests_total The total number.",
        "# TYPE http_requests_total counter",
        'http_requests_total{method="post"} 1027',
        "# HELP something C:\\\\DIR\\nfound",
        "# TYPE something gauge",
        "something -1.5",
        "# HELP took_ms A histogram.",
        "# TYPE took_ms histogram",
        'took_ms_bucket{le_="x",le="0.05"} 1',
        'took_ms_bucket{le_="x",le="1"} 2',
        'took_ms_bucket{le_="x",le="+Inf"} 3',
        'took_ms_sum{le_="x"} 2.51',
        'took_ms_count{le_="x"} 3',
    ]
    assert len(parsed(prometheus_text(registry))) == 7
    assert prometheus_text(Registry()) == ""


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_number_reads_back(value: str, number: float) -> None:
    """Quotes, backslashes, line ends, any script; floats to the last bit."""
    registry = Registry()
    registry.gauge("a", "A", ["x"]).set(number, x=value)
    assert parsed(prometheus_text(registry)) == {("a", (("x", value),)): number}
