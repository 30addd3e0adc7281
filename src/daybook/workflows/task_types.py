"""The type of a task, told from its request by weighted words: no model, the same each time.

A request's score for a type is the sum of the weights of its words (Naive Bayes with weights set
by hand in place of learned logarithms). What it starts with asks for more than what follows: words
among the first six count half as much again. The type with the highest score is taken if it has
enough and leads; otherwise it is general.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from daybook.errors import InvalidInputError
from daybook.models.workflows import TaskType
from daybook.workflows.task_words import WORDS

Classifier = Callable[[str], TaskType]
"""What tells a request's type; any such function can take the place of `infer_task_type`."""

LONGEST = 20_000
"""Characters of a request that are looked at: what it asks for comes first."""

LEAST = 1.5
"""A score below this tells nothing."""

LEAD = 0.25
"""A lead smaller than this is a tie."""

_FIRST = 6
_FIRST_WEIGHS = 1.5
_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = ("ation", "ment", "ing", "ie", "er", "or", "ed", "e")
_SHORTEST_STEM = 4
_PLURAL = 3


def infer_task_type(request: str) -> TaskType:
    """Return the type of task that a request asks for.

    English words; empty requests, other languages, and ties are general. Of a huge request the
    first 20,000 characters count. Raises InvalidInputError for what is no text.
    """
    scores = score(request)
    ranked = sorted(scores.items(), key=lambda each: -each[1])
    (best, most), (_, second) = ranked[:2]
    return best if most >= LEAST and most - second >= LEAD else TaskType.GENERAL


def score(request: str) -> Mapping[TaskType, float]:
    """Return the score of each type but general. Raises InvalidInputError for what is no text."""
    if not isinstance(request, str):
        raise InvalidInputError(f"a request is text, not {type(request).__name__}")
    stems = [_stem(word) for word in _WORD.findall(request[:LONGEST].lower())]
    scores = dict.fromkeys(WORDS, 0.0)
    seen: set[tuple[str, ...]] = set()
    for place in range(len(stems)):
        for length in range(1, _longest_phrase() + 1):
            phrase = tuple(stems[place : place + length])
            if len(phrase) < length or phrase in seen or phrase not in _weights():
                continue
            seen.add(phrase)
            weighs = _FIRST_WEIGHS if place < _FIRST else 1.0
            for kind, weight in _weights()[phrase].items():
                scores[kind] += weight * weighs
    return scores


def _stem(word: str) -> str:
    """Return a word without its ending: not a word of any language, but the same for its forms."""
    if word.endswith("s") and len(word) > _PLURAL:
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


@cache
def _weights() -> Mapping[tuple[str, ...], Mapping[TaskType, float]]:
    found: dict[tuple[str, ...], dict[TaskType, float]] = {}
    for kind, words in WORDS.items():
        for phrase, weight in words.items():
            stems = tuple(_stem(word) for word in _WORD.findall(phrase))
            known = found.setdefault(stems, {})
            known[kind] = max(weight, known.get(kind, 0.0))
    return found


@cache
def _longest_phrase() -> int:
    return max(map(len, _weights()))
