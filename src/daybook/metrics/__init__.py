"""Measures of a running program, and their two forms: CloudWatch's and Prometheus's."""

from daybook.metrics.emf import EmfWriter, emf_lines
from daybook.metrics.measures import Counter, Gauge, Histogram
from daybook.metrics.prometheus import CONTENT_TYPE, prometheus_text
from daybook.metrics.registry import Registry

__all__ = [
    "CONTENT_TYPE",
    "Counter",
    "EmfWriter",
    "Gauge",
    "Histogram",
    "Registry",
    "emf_lines",
    "prometheus_text",
]
