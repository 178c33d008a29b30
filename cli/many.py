"""What coordinators do about many applications at once, many: a plan first, and then all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from sqlalchemy.orm import Session

from adapters.workspace import existing_workspace
from cli.acting import act
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, SeenAs, WithoutCode, plain
from labels.answering.many import What, Wish
from labels.clock import read_deadline
from labels.errors import Fault, InvalidInput, NotFound
from labels.kinds import LabelKind
from labels.people.persons import named
from labels.record.schema import Stage, StepKind
from labels.views.applications import Filters, Order, Part, Urgent, scope_at
from labels.views.many import PlanRow, PlanShown
from usecases import many as usecases

Action = Literal["assign", "reassign", "remind", "deadline", "decision", "confirm"]


def many(
    action: Annotated[
        Action, typer.Argument(help="assign, reassign, remind, deadline, decision or confirm.")
    ],
    subjects: Annotated[
        list[str] | None,
        typer.Argument(metavar="[APPLICATION …]", help="The applications; for confirm, the plan (PLN-…)."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Their numbers in a CSV, XLSX or ODS file: application or step; also to and until.",
        ),
    ] = None,
    urgent: Annotated[Urgent | None, typer.Option(help="All that are urgent so.")] = None,
    label: Annotated[LabelKind | None, typer.Option(help="All of one label.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="All at one stage.")] = None,
    organisation: Annotated[
        str, typer.Option(metavar="ID", help="All of one organisation.", callback=plain)
    ] = "",
    year: Annotated[int | None, typer.Option(help="All of the school year that began in it.")] = None,
    about: Annotated[
        str, typer.Option(metavar="ID", help="All of one teacher, school or project.", callback=plain)
    ] = "",
    whose: Annotated[
        str,
        typer.Option("--from", metavar="EMAIL", help="Only what this person has now.", callback=plain),
    ] = "",
    to: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="Who reviews; left out, whoever has least to do and may.", callback=plain
        ),
    ] = "",
    kind: Annotated[
        StepKind | None, typer.Option(help="Of what somebody is reminded, or what is due.")
    ] = None,
    until: Annotated[
        str,
        typer.Option(
            help="YYYY-MM-DD (to the end of the day) or YYYY-MM-DDTHH:MM, in Brussels.", callback=plain
        ),
    ] = "",
    reason: Annotated[
        str,
        typer.Option(help="Why; it is told to whom it concerns, and kept in the journal.", callback=plain),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and keep none.")] = False,
    email: SeenAs = "",
    code: WithoutCode = "",
    as_json: AsJson = False,
) -> None:
    """Assign, reassign, remind, or move deadlines or decision dates of many applications at once.

    Of those that are named, of a file, or of all open ones that the options leave: shows what will happen to each, and
    keeps it as a plan. confirm PLN-… with --as and --code (labels code ORGANISATION) carries it out: all of it or nothing.
    """
    if not email:
        raise InvalidInput("many", [Fault("--as", "is needed: who you are.")])
    if action == "confirm":
        _confirm(subjects or [], email, code, as_json=as_json)
        return
    here = existing_workspace()
    with here.record.reading() as session:
        organisations = sorted(scope_at(session, email).named or ())
        who = _person(session, email)
        holder = _person(session, whose) if whose else ""
    wish = Wish(What(action), reason, to, holder, kind, _moment(until))
    labels = (label,) if label else ()
    filters = Filters(Part.OPEN, urgent, labels, stage, None, organisation, year, about, holder, Order.OLDEST)
    which = usecases.Selection(filters, tuple(subjects or ()), file, str(file or ""))
    if dry_run:
        _show(usecases.look(here, who, organisations, wish, which), as_json=as_json)
        say("Nothing was changed.")
        return
    identifier = usecases.plan(here, who, organisations, wish, which)
    shown = usecases.plan_of(here, identifier, who)
    _show(shown, as_json=as_json)
    if shown.number:
        say(f"Nothing was changed yet. To do it: labels many confirm {identifier} --as {email} --code CODE")


def _person(session: Session, typed: str) -> str:
    somebody = named(session, typed)
    if somebody is None:
        raise NotFound(f"Nobody in the registry has the address {typed}.")
    return somebody.id


def _moment(typed: str) -> datetime | None:
    try:
        return read_deadline(typed) if typed else None
    except ValueError as error:
        raise InvalidInput("many", [Fault("--until", f"{error}.")]) from None


def _confirm(subjects: Sequence[str], email: str, code: str, *, as_json: bool) -> None:
    if len(subjects) != 1:
        raise InvalidInput("many", [Fault("PLAN", "is needed: one plan, PLN-….")])
    if not code:
        raise InvalidInput(
            "many", [Fault("--code", "is needed: labels code ORGANISATION --as EMAIL mails it.")]
        )
    act(usecases.confirm(subjects[0]), email, code, as_json)


def _show(shown: PlanShown, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "plan": shown.id or None,
                "rows": [_as_dict(one) for one in (*shown.rows, *shown.not_done)],
                "loads": [
                    {"name": one.name, "before": one.before, "after": one.after} for one in shown.loads
                ],
            }
        )
        return
    if shown.rows:
        table(
            "What will happen",
            ["application", "", "step", "who has it", "then", "due", "then due", "note"],
            [
                (one.application, one.title, one.step, one.whose, one.to, one.due, one.until, one.warning)
                for one in shown.rows
            ],
        )
    if shown.not_done:
        table(
            "\nWhat can't be done",
            ["application", "", "who has it", "why"],
            [(one.application, one.title, one.whose, one.why_not) for one in shown.not_done],
        )
    if shown.loads:
        table(
            "\nOpen reviews",
            ["name", "before", "after"],
            [(one.name, one.before, one.after) for one in shown.loads],
        )
    say_plainly(f"{shown.number} of {shown.number + len(shown.not_done)} can be done.")


def _as_dict(row: PlanRow) -> dict[str, object]:
    return {
        "application": row.application,
        "title": row.title,
        "step": row.step or None,
        "from": row.whose or None,
        "to": row.to or None,
        "due": row.due,
        "until": row.until,
        "why_not": row.why_not,
        "warning": row.warning,
    }
