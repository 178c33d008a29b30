"""The commands of the School Label: its round, and what a school says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from adapters.workspace import existing_workspace
from cli.answering import answered, stored_evidence
from cli.output import emit, emit_each, say, say_plainly, table
from cli.words import As, AsJson, Code, OneApplication, OneStep, day_given, plain, read_json
from labels.clock import brussels_day, in_words
from labels.errors import Fault, InvalidInput
from labels.record.schema import Award, School
from labels.rules.loading import load_rules
from labels.school_label import drafting, rounds
from labels.school_label.preselection import SchoolCheck, check_schools, cut_offs_on
from labels.school_label.worksheet import worksheet
from labels.steps import proof
from labels.steps.answers import Declaration, Decline, read_answer
from labels.steps.step import seen
from labels.turn import Door
from usecases import answering
from usecases.performing import perform


def school_check(
    on: Annotated[str, typer.Option(help="The day of the check, YYYY-MM-DD; by default today.")] = "",
    school: Annotated[str, typer.Option(help="One school only.")] = "",
    year: Annotated[
        int | None, typer.Option("--round", metavar="YEAR", help="What the round of that year found.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which schools meet the School Label's conditions, and why.

    For every school, or for one: why each condition is met or not, as the registry is now, or as a
    round found it.
    """
    here = existing_workspace()
    if year is not None and on:
        raise InvalidInput("school-check", [Fault("--on", "a round has a day of its own.", "Leave one out.")])
    with here.record.reading() as session:
        if year is not None:
            _show_round(session, year, school, here.settings.rules, as_json)
            return
        day = day_given("school-check", "--on", on, "2026-09-01") or brussels_day(here.now())
        try:
            dates = cut_offs_on(session, day, lambda whose: load_rules(whose, day, here.settings.rules))
        except ValueError:
            fault = Fault("--on", f"{day} is no day that a check could count its years back from.")
            raise InvalidInput("school-check", [fault]) from None
        checked = check_schools(session, dates, school or None)
        if as_json:
            emit_each(checked)
        elif school:
            [one] = checked
            _explain(one, f"on {day}")
            if one.holds:
                say_plainly(f"  {_holder(session, one.holds)}")
        else:
            _tabulate(checked, f"on {day}", "labels school-check --school ID")


def _show_round(session: Session, year: int, school: str, rules: Path | None, as_json: bool) -> None:
    found = rounds.results(session, year, school or None)
    if as_json:
        emit_each(one.check for one in found)
        return
    its_round = rounds.round_of(session, year)
    when = f"in the round of {year}, which looked at {its_round.on}"
    if not school:
        _tabulate((one.check for one in found), when, f"labels school-check --round {year} --school ID")
        return
    [one] = found
    _explain(one.check, when)
    if not one.check.eligible:
        return
    if one.application:
        came = (
            f"Its teachers were invited; its application is {one.application}: labels show {one.application}"
        )
    elif one.check.holds:
        came = _holder(session, one.check.holds)
    elif one.instead:
        came = f"It is not invited again while its application {one.instead} is open."
    else:
        organisation = session.get_one(School, school).organisation
        own = load_rules(organisation, brussels_day(its_round.begun_at), rules).school
        due = in_words(rounds.due_at(session, its_round, organisation, own))
        came = f"Its invitation is still to come; self-assessments are awaited by {due}."
    say_plainly(f"  {came}")


def _holder(session: Session, award: str) -> str:
    label = session.get_one(Award, award)
    until = f", valid until {label.valid_until}" if label.valid_until else ""
    return f"It holds a School Label already (awarded on {label.awarded_on}{until}), so it is not invited."


def _explain(one: SchoolCheck, when: str) -> None:
    say_plainly(f"{one.school} is {'eligible' if one.eligible else 'not eligible'} {when}:")
    for condition in one.conditions.values():
        say_plainly(f"  {'✓' if condition.met else '✗'} {condition.why}")


def _tabulate(checked: Iterable[SchoolCheck], when: str, why: str) -> None:
    rows = []
    for one in checked:
        answers = [one.eligible, *(condition.met for condition in one.conditions.values()), bool(one.holds)]
        rows.append((one.school, *("yes" if yes else "no" for yes in answers)))
    table(
        "",
        ["school", "eligible", "registered", "active teachers", "national label", "holds a label"],
        rows,
    )
    eligible = sum(row[1] == "yes" for row in rows)
    say(f"{eligible} of {len(rows)} schools are eligible {when}. Why: {why}")


def self_assessment(application: OneApplication, as_json: AsJson = False) -> None:
    """What a school is asked, and what is missing still.

    With --json, a file to fill in and hand in; what is typed already stands in it.
    """
    here = existing_workspace()
    with here.record.writing() as session:
        sheet = worksheet(here.turn(session), application)
    if as_json:
        goes_on_from = set() if sheet.given.draft else {"draft"}
        emit(sheet.given.model_dump(mode="json", exclude=goes_on_from))
        return
    say_plainly(
        f"{sheet.school}: {sheet.questions.name}" + (f", by {in_words(sheet.due)}" if sheet.due else "")
    )
    for name, rows in sheet.filled_in.items():
        say_plainly(f"\n{name} ({len(rows)})")
        for row in rows:
            say_plainly(f"  {row}")
    for pillar in sheet.questions.pillars:
        say_plainly(f"\n{pillar.name} ({pillar.id})")
        for one in sheet.questions.questions:
            if one.pillar == pillar.id:
                say_plainly(f"  {one.id}: {one.text}")
        if sheet.questions.plan:
            say_plainly(f"  plan: {sheet.questions.plan}")
    levels = " · ".join(f"{n} {what}" for n, what in sorted(sheet.questions.levels.items()))
    say_plainly(f"\nLevels: {levels}\n\nRequirements")
    for requirement in sheet.questions.requirements:
        say_plainly(f"  {requirement.id}: {requirement.text}")
    say_plainly(f"\nMissing still ({len(sheet.missing)})" if sheet.missing else "\nNothing is missing.")
    for fault in sheet.missing:
        say_plainly(f"  {fault}")
    say(f"A file to fill in: labels self-assessment {application} --json > self-assessment.json")


def declare(
    step: OneStep,
    email: As,
    code: Code,
    send_back: Annotated[
        str, typer.Option(metavar="REASON", help="Send it back instead, with what is wrong.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Confirm a self-assessment as principal, or send it back."""
    given = Decline(decline=send_back) if send_back else Declaration(declare=True)
    answered(step, email, code, given, [], as_json)


def draft(
    step: OneStep,
    file: Annotated[Path, typer.Argument(help="A self-assessment, as incomplete as it is.")],
    email: As,
    code: Code,
    evidence: Annotated[
        list[Path] | None, typer.Option(help="A file that goes with the self-assessment; several times.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A file that does not go with it any more; several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Save a draft of a self-assessment for your colleagues.

    What colleagues saved meanwhile is put together with it field by field. Where they changed the same field, the
    difference is shown and nothing is overwritten.
    """
    given = read_answer(read_json(file), file.name)
    by, here = proof.Code(code, email), existing_workspace()
    act = answering.draft(step, given, stored_evidence(here, step, evidence or []), without or [])
    done = perform(here, act, by=by, door=Door.COMMAND_LINE)
    if as_json:
        emit({"step": step, "draft": int(done.accepted.made)})
    else:
        say(done.accepted.remark, "green")


def hands_in(
    step: OneStep,
    whom: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="The colleague's address; where several read it, the number of the person or of their step.",
            callback=plain,
        ),
    ],
    email: As,
    code: Code,
    as_json: AsJson = False,
) -> None:
    """Say which of your school's teachers hands in for all."""
    by = proof.Code(code, email)
    act = answering.choose_who_hands_in(step, whom)
    done = perform(existing_workspace(), act, by=by, door=Door.COMMAND_LINE)
    if as_json:
        emit({"step": step, "hands_in": whom})
    else:
        say(done.accepted.remark, "green")


def drafts(
    application: OneApplication,
    number: Annotated[
        int | None, typer.Option("--show", metavar="NUMBER", help="One draft, as JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The drafts of a school's self-assessment: who, when."""
    here = existing_workspace()
    with here.record.reading() as session:
        its = seen(session, application)
        if number is not None:
            emit(drafting.drafted(session, its, number).body | {"draft": number})
            return
        rows = [(one.number, one.author, one.saved_at) for one in drafting.drafts(session, its)]
    if as_json:
        emit([{"draft": one, "author": author, "saved_at": at} for one, author, at in rows])
    elif rows:
        table("", ["draft", "author", "saved"], [(one, author, in_words(at)) for one, author, at in rows])
    else:
        say_plainly("There is no draft yet.")
