"""The commands that show where things stand, show and inbox, and how an application is printed for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from adapters.prefect.address import prefect_answers
from adapters.workspace import existing_workspace
from cli.output import emit, heading, out, say, say_plainly, table
from cli.printed import ShownItem, shown_case, shown_item
from cli.words import As, AsJson, SeenAs, plain
from labels.clock import ZONE, in_words
from labels.record.journal import Event
from labels.record.schema import Outcome
from labels.steps.kinds import Act
from labels.views.case import Case, DecisionView, ReviewView, case_for
from labels.views.chosen import ChoiceView
from labels.views.inbox import inbox as inbox_of
from labels.views.looker import OPERATOR, looker_at
from labels.views.numbers import application_named
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


def show(
    number: Annotated[
        str,
        typer.Argument(
            metavar="APPLICATION|NUMBER",
            help="Its number, or that of a step, label, class or certificate in it.",
            callback=plain,
        ),
    ],
    email: SeenAs = "",
    as_json: AsJson = False,
) -> None:
    """Where an application stands.

    What is awaited from whom by when, and all that happened.
    """
    here = existing_workspace()
    with here.record.reading() as session:
        application = application_named(session, number)
        looker = looker_at(session, application, email) if email else OPERATOR
        view = shown_case(case_for(session, application, looker), here.settings)
    if as_json:
        emit(view)
        return
    run = view.url if not view.url or prefect_answers() else f"{view.run} (Prefect's server does not answer)"
    show_application(view, run)


def inbox(email: As, as_json: AsJson = False) -> None:
    """The steps that await a person."""
    here = existing_workspace()
    with here.record.reading() as session:
        awaited = inbox_of(session, email)
    answers = any(item.run for item in awaited) and prefect_answers()
    items = [shown_item(item, here.settings, answers) for item in awaited]
    if as_json:
        emit(items)
    elif not items:
        say(f"Nothing awaits {email}.")
    else:
        table(
            "",
            ["step", "application", "what", "by"],
            [(i.step, i.application, i.what, i.by) for i in items],
        )
        _show_ways(items)


def _show_ways(items: Sequence[ShownItem]) -> None:
    """Where the forms are, and the command for what has none, or none that anybody can open now."""
    by_form = [item for item in items if item.url and item.act in _IN_FORMS]
    if by_form:
        out.print("\nWhere the form is (press Resume)", style="bold")
    for application, url in dict.fromkeys((item.application, item.url) for item in by_form):
        out.print(f"{application}  {url}", soft_wrap=True)
    left = [item for item in items if item not in by_form and (item.run or item.act not in _IN_FORMS)]
    if any(item.act in _IN_FORMS for item in left):
        say("There is no form to open now: Prefect's server does not answer. You can answer all the same:")
    elif left:
        say("There is no form for this; it goes with a command:")
    for act in dict.fromkeys(item.act for item in left):
        say(COMMANDS[act])


_IN_FORMS = (Act.ANSWER, Act.REASSIGN, Act.DECIDE)
COMMANDS: Mapping[Act, str] = {
    Act.ANSWER: "labels answer STEP FILE --as EMAIL --code CODE",
    Act.HAND_IN: "labels answer STEP FILE --as EMAIL --code CODE --evidence PATH …",
    Act.DECLARE: "labels declare STEP --as EMAIL --code CODE",
    Act.DECIDE: "labels decision STEP DECISION --reason REASON --as EMAIL --code CODE",
    Act.REASSIGN: "labels reassign STEP --to EMAIL --reason REASON --as EMAIL --code CODE",
}
"""The command by which each is done."""


def show_application(view: Case, run: str | None) -> None:
    """Prints the whole of it; `run` is what to say of the run in Prefect."""
    _facts(view, run)
    if view.awaiting:
        rows = [(a.step, a.what, a.who, a.by) for a in view.awaiting]
        table("\nAwaited", ["step", "what", "who", "by"], rows)
    if view.choices:
        columns = ["seat", "reviewer", "against", "reviews", "next, and what that would have cost"]
        table("\nWhy they were asked", columns, map(_choice, view.choices))
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
    if view.outcome is None:
        return f"since {in_words(view.revoked_at)} the label does not count until the new decision"
    told_why = (
        entry.details.get("because") for entry in reversed(view.journal) if entry.what == Event.REVOKED
    )
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


def _choice(choice: ChoiceView) -> tuple[object, ...]:
    against = ", ".join(f"{what} {cost:+d}" for what, cost in choice.costs.items()) or "nothing"
    following = None
    if choice.next is not None:
        busier = (choice.next_reviews or 0) - choice.reviews
        more = [f"{choice.extra:+d}" if choice.extra else "as good: drawn"]
        if choice.plan is None and busier > 0:
            more = [f"has {busier} more"]
        following = ", ".join([choice.next, *more])
    return choice.seat, choice.reviewer, against, choice.reviews, following


def _review(review: ReviewView) -> tuple[object, ...]:
    points = "hidden until the decision" if review.total is None else review.total
    return review.seat, review.reviewer, review.given_at, points, review.void_because


def _decision(decision: DecisionView) -> None:
    on = in_words(decision.decided_at)
    if decision.outcome == Outcome.WITHDRAWN:
        appealed = decision.instance > 1 and decision.reopened in (None, "appeal")
        what = "The appeal was withdrawn" if appealed else "Withdrawn by the applicant"
        heading(f"\n{what} on {on}")
        return
    appealed = decision.reopened in (None, "appeal")
    again = "" if decision.instance == 1 else " on the appeal" if appealed else " made again"
    points = f" with {points}" if (points := _points(decision)) else ""
    heading(f"\nDecision{again}: {decision.outcome}{points}, on {on}")
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
