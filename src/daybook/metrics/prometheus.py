"""Prometheus's text format, version 0.0.4, for a page that it scrapes.

By "Exposition formats" (https://prometheus.io/docs/instrumenting/exposition_formats).
"""

from collections.abc import Iterator, Sequence

from daybook.metrics.measures import Counter, Gauge, Histogram, Labels, Measure
from daybook.metrics.registry import Registry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(registry: Registry) -> str:
    """Return what a registry holds, by name; each line ends in a line feed."""
    return "".join(f"{line}\n" for measure in registry for line in _lines(measure))


def _lines(measure: Measure) -> Iterator[str]:
    meaning = measure.meaning.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {measure.name} {meaning}"
    yield f"# TYPE {measure.name} {measure.kind}"
    if isinstance(measure, Counter | Gauge):
        for labels, value in sorted(measure.values().items()):
            yield f"{measure.name}{_braced(measure.labels, labels)} {_number(value)}"
    elif isinstance(measure, Histogram):
        yield from _buckets(measure)


def _buckets(measure: Histogram) -> Iterator[str]:
    for labels, known in sorted(measure.distributions().items(), key=lambda found: found[0]):
        below = 0
        for bound, count in zip([*measure.bounds, None], known.counts, strict=True):
            below += count
            limit = "+Inf" if bound is None else _number(bound)
            braced = _braced([*measure.labels, "le"], (*labels, limit))
            yield f"{measure.name}_bucket{braced} {below}"
        braced = _braced(measure.labels, labels)
        yield f"{measure.name}_sum{braced} {_number(known.total)}"
        yield f"{measure.name}_count{braced} {below}"


def _braced(names: Sequence[str], values: Labels) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
