"""The two doors: an agent's verbs reach the tables directly, or through the deployed API."""

from daybook.doors.api import Api
from daybook.doors.handle import Handle
from daybook.doors.verbs import VERBS, Verb, verb

__all__ = ["VERBS", "Api", "Handle", "Verb", "verb"]
