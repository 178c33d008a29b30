"""What `labels show` prints for people: where an application stands, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cli.output import heading, say_plainly, table
from labels.clock import ZONE, in_words
from labels.record.schema import Outcome
from labels.views.case import Case, DecisionView, ReviewView
from labels.words.text import one_line

LONGEST = 100
"""Characters of one detail of a journal entry; the whole of it is in `labels show --json`."""

_DETAILS = {
    "reviewer": "", "coordinator": "", "to": "to ", "until": "until ", "former": "was ", "seat": "seat ",
    "claimed": "said to be ", "left": "tries left: ", "after_decision_due": "after the decision is due: ",
    "because": "because: ", "grounds": "grounds: ", "conflict": "conflict of interest: ", "score": "points: ",
    "round": "round ", "rolled_over": "rolled over: ", "other": "like ", "share": "", "sections": "in ",
    "coordinators": "of ", "approved": "approved: ", "struck": "struck: ", "projects": "projects: ",
    "teachers": "teachers: ", "proposed": "proposed: ", "labels": "labels: ", "award": "", "project": "",
    "candidate": "", "paper": "", "pupils": "pupils: ", "door": "by ",
}  # fmt: skip
"""The details that people read, in this order, and what goes before each; digests and keys are left to programs."""


def show_application(view: Case, run: str | None) -> None:
    """Prints the whole of it; `run` is what to say of the run in Prefect."""
    _facts(view, run)
    if view.awaiting:
        rows = [(a.step, a.what, a.who, a.by) for a in view.awaiting]
        table("\nAwaited", ["step", "what", "who", "by"], rows)
    if view.reviews:
        table(
            "\nReviews", ["seat", "reviewer", "given", "points", "void because"], map(_review, view.reviews)
        )
    for decision in view.decisions:
        _decision(decision)
    rows_ = [(d.kind, d.name, d.key[:24] + "…") for d in view.documents]
    table("\nDocuments", ["kind", "name", "key"], rows_)
    entries = [(j.at, j.who, j.what, j.step, told(j.details)) for j in view.journal]
    table("\nJournal", ["at", "who", "what", "step", "details"], entries)


def _facts(view: Case, run: str | None) -> None:
    outcome = f" ({view.outcome})" if view.outcome else ""
    facts = [
        ("stage", f"{view.stage}{outcome}, since {in_words(view.since)}"),
        ("revoked", _revoked(view)),
        ("teacher", _named(view.teacher_name, view.teacher)),
        ("project", _named(view.project_title, view.project)),
        ("school", _named(view.school_name, view.school)),
        ("organisation", _named(view.organisation_name, view.organisation)),
        ("submitted", view.submitted_at),
        ("round", _round(view)),
        ("decision due", view.decide_by),
        ("points", _points(view.decisions[-1]) if view.decisions else None),
        ("rules", view.rules),
        ("run", run),
    ]
    table(view.application, ["", ""], [(name, value) for name, value in facts if value])


def _revoked(view: Case) -> str | None:
    if view.revoked_at is None:
        return None
    told_why = (entry.details.get("because") for entry in reversed(view.journal) if "revoked" in entry.what)
    because = next((f", because: {one_line(str(why), LONGEST)}" for why in told_why if why), "")
    return f"the label was taken back on {in_words(view.revoked_at)}{because}"


def _named(name: str | None, identifier: str | None) -> str | None:
    return f"{name} ({identifier})" if name and identifier else identifier


def _round(view: Case) -> str | None:
    if view.round_opens is None or view.school_year is None:
        return view.round
    year = f"{view.school_year}/{view.school_year + 1}"
    return f"{view.round}, rolled over: opens {in_words(view.round_opens)}, counts for {year}"


def _points(decision: DecisionView) -> str | None:
    if decision.score is None or decision.maximum is None:
        return None
    return f"{round(decision.score, 2):g} of {decision.maximum} points (the label from {decision.pass_mark})"


def _review(review: ReviewView) -> tuple[object, ...]:
    points = "hidden until the decision" if review.total is None else review.total
    return review.seat, review.reviewer, review.given_at, points, review.void_because


def _decision(decision: DecisionView) -> None:
    on = in_words(decision.decided_at)
    if decision.outcome == Outcome.WITHDRAWN:
        what = "The appeal was withdrawn" if decision.instance > 1 else "Withdrawn by the applicant"
        heading(f"\n{what} on {on}")
        return
    appeal = " on the appeal" if decision.instance > 1 else ""
    points = f" with {points}" if (points := _points(decision)) else ""
    heading(f"\nDecision{appeal}: {decision.outcome}{points}, on {on}")
    for line in (*decision.reasons, *decision.routes):
        say_plainly(f"· {line}")


def told(details: Mapping[str, Any]) -> str:
    """The details of a journal entry that people read, on one line: to whom, until when, why."""
    return " · ".join(_each(details))


def _each(details: Mapping[str, Any]) -> Iterator[str]:
    for name, before in _DETAILS.items():
        value = details.get(name)
        if value is None or value is False or value == "" or value == [] or value == {}:
            continue
        yield before + one_line(_text(name, value), LONGEST)


def _text(name: str, value: Any) -> str:
    if name in ("until", "former", "after_decision_due") and isinstance(value, str):
        try:
            return in_words(datetime.fromisoformat(value)).removesuffix(f" ({ZONE})")
        except ValueError:
            return value
    if value is True:
        return "yes"
    if isinstance(value, (list, tuple, dict)):
        return ", ".join(map(str, value))
    return f"{round(value, 2):g}" if isinstance(value, float) else str(value)
