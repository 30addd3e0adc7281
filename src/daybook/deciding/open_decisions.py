"""`OpenDecision`: what is said about a decision and its outcome until they are logged."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from daybook.deciding.drafting import Context, decision_draft, plain
from daybook.deciding.faults import described
from daybook.deciding.parts import Part, Seen, checked_context, unchanging
from daybook.errors import DecisionLoggedError, InvalidInputError
from daybook.models import DecisionType
from daybook.models.drafts import DecisionDraft, OutcomeDraft

_SETTABLE = (
    *("options", "scores", "selected", "confidence", "rationale", "propensity"),
    *("patterns_applied", "session_id", "tags", "agent_version"),
)
_PARTS = ("decision_type", "parent_decision_id", *_SETTABLE)
_NOT_SURE = 0.0


class OpenDecision:
    """A decision that is not logged yet.

    The attributes can be set until the decision is logged, and are checked at once: a faulty or
    an unknown one raises InvalidInputError and changes nothing. Afterwards DecisionLoggedError.
    Lists are tuples here, and replaced rather than appended to; `context` is a mapping that takes
    more.
    `parts` come from `checked_parts`.
    """

    options = Part[tuple[str, ...], Sequence[str]]()
    scores = Part[Mapping[str, float], Mapping[str, float] | None]()
    selected = Part[tuple[str, ...], Sequence[str] | str]()
    confidence = Part[float | None, float]()
    rationale = Part[str | None, str | None]()
    propensity = Part[float | None, float | None]()
    patterns_applied = Part[tuple[str, ...], Sequence[str] | str]()
    session_id = Part[str | None, str | None]()
    tags = Part[tuple[str, ...], Sequence[str] | str]()
    agent_version = Part[str | None, str | None]()

    def __init__(self, parts: Mapping[str, Any], context: Context) -> None:
        self._said = dict(parts)
        self._saying = threading.RLock()
        self._context = self._seen(context)
        self._judged: dict[str, Any] = {}
        self._fault: str | None = None
        self._id: str | None = None
        self._draft: DecisionDraft | None = None
        self._outcome_draft: OutcomeDraft | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if name not in {*_SETTABLE, "context"} and not name.startswith("_"):
            raise InvalidInputError(
                f"{name} of a decision cannot be set. What can: {', '.join(_SETTABLE)}, context; "
                "what came of it is said with d.outcome(…)",
                [(name, "cannot be set")],
            )
        super().__setattr__(name, value)

    @property
    def decision_id(self) -> str:
        """The decision's id, from the moment at which the block began."""
        if self._id is None:
            raise InvalidInputError(
                "a decision has its id once its block has begun: "
                "`with log.deciding(…) as d:`, then d.decision_id"
            )
        return self._id

    @property
    def decision_type(self) -> DecisionType:
        """What kind of choice this is."""
        kind: DecisionType = self._said["decision_type"]
        return kind

    @property
    def parent_decision_id(self) -> str | None:
        """The decision that led to this one: known once the block has begun."""
        parent: str | None = self._said["parent_decision_id"]
        return parent

    @property
    def context(self) -> Seen:
        """What the agent sees: set entries of it, or the whole."""
        return self._context

    @context.setter
    def context(self, context: Context) -> None:
        seen = self._seen(context)
        with self._saying:
            self._still_open()
            self._context = seen

    def select(
        self,
        selected: Sequence[str] | str,
        *,
        scores: Mapping[str, float] | None = None,
        confidence: float | None = None,
        rationale: str | None = None,
    ) -> None:
        """Say what is chosen, and how the choice came about; what is left out stays as it was.

        Raises InvalidInputError, also when it is not among the options, and
        DecisionLoggedError.
        """
        given = {"scores": scores, "confidence": confidence, "rationale": rationale}
        self.say(selected=selected, **{k: v for k, v in given.items() if v is not None})

    def outcome(
        self,
        success: bool,
        quality_score: float | None = None,
        *,
        error: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what came of the decision; the last word counts, and is written at the end.

        Without it a block that ends has succeeded. An exception that leaves the block makes it
        a failure whatever was said; the quality and the details are kept.
        """
        judged = {
            "success": success,
            "quality_score": quality_score,
            "error": error,
            "details": plain(details),
        }
        draft = self._outcome(judged)
        with self._saying:
            if self._outcome_draft is not None:
                raise self._too_late("the outcome of the decision")
            self._judged = {name: getattr(draft, name) for name in judged}

    def said(self, name: str) -> Any:
        """Return a part of the decision as it stands."""
        return unchanging(self._said[name])

    def say(self, **parts: Any) -> None:
        """Change parts of the decision, all or none of them."""
        with self._saying:
            self._still_open()
            self._said = checked_parts(self._said | parts)

    @property
    def _is_decided(self) -> bool:
        return bool(self._said["selected"]) and self._said["confidence"] is not None

    def _failed(self, fault: BaseException) -> None:
        """Take note of the exception that ended it."""
        self._fault = described(fault)

    def _final_draft(self) -> DecisionDraft:
        """Make up the draft, once: a second try at writing has to say the same."""
        with self._saying:
            if self._draft is None:
                sure = self._said["confidence"]
                if sure is None and self._fault is None:
                    raise InvalidInputError(
                        f"the decision {self.decision_id} has no confidence: give it to "
                        "deciding(…), or set d.confidence before the block ends",
                        [("confidence", "is missing")],
                    )
                # without a confidence an exception came before the agent was sure of anything
                last = {
                    "confidence": _NOT_SURE if sure is None else sure,
                    "context": self._context,
                    "decision_id": self.decision_id,
                }
                self._draft = decision_draft(self._said | last)
            return self._draft

    def _reopen(self) -> None:
        """Let the decision change again, after it was refused and nothing was written."""
        with self._saying:
            self._draft = None

    def _final_outcome(self, latency_ms: float) -> OutcomeDraft:
        """Make up the outcome, once; unless something else was said it is a success."""
        with self._saying:
            if self._outcome_draft is None:
                judged = self._judged or {"success": True}
                if self._fault is not None:
                    error = judged.get("error") or self._fault
                    judged = {**judged, "success": False, "error": error}
                self._outcome_draft = self._outcome({**judged, "latency_ms": latency_ms})
            return self._outcome_draft

    def _outcome(self, facts: Mapping[str, Any]) -> OutcomeDraft:
        return OutcomeDraft.checked(
            decision_id=self.decision_id, decision_type=self.decision_type, **facts
        )

    def _seen(self, context: Context) -> Seen:
        return Seen(checked_context(plain(context)), self._saying, self._still_open)

    def _still_open(self) -> None:
        if self._draft is not None:
            raise self._too_late("the decision")

    def _too_late(self, what: str) -> DecisionLoggedError:
        return DecisionLoggedError(
            f"{what} {self.decision_id} has been logged and stands; nothing was changed. A "
            "decision is logged when its block ends, or before the first decision inside it once "
            "it has its choice: say what led to it before going on, and what came of it with "
            "d.outcome(…)"
        )


def checked_parts(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a decision as a draft takes them; the confidence may be missing.

    Raises InvalidInputError that names every faulty one.
    """
    sure = said["confidence"]
    draft = decision_draft({**said, "confidence": _NOT_SURE if sure is None else sure})
    parts = {name: getattr(draft, name) for name in _PARTS}
    return parts | {"confidence": None if sure is None else draft.confidence}
