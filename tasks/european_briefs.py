"""What people see of the European Quality Label in Prefect: rankings, projects that qualify, how far a year is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.clock import in_words
from labels.european_label.awarding import approved_in
from labels.european_label.screening import (
    approved_of_their_own,
    ranking_of,
    undecided_places,
    with_titles,
)
from labels.record.schema import (
    Application,
    Awarded,
    Cycle,
    CycleOrganisation,
    CyclePlace,
    CycleProject,
    Organisation,
    Project,
    Screened,
    Step,
    StepKind,
    StepState,
)
from labels.registry.countries import country_name
from labels.reviews.scoring import in_points
from labels.steps.step import steps_of
from labels.views.brief import Brief
from labels.words.text import markdown_plain
from tasks.briefs import warnings

LISTED = 300
"""Entries of a list in a form; the artifact of the run has all."""
LARGEST = 5_000
"""Entries of a ranking in an artifact."""


def nomination_brief(
    session: Session, here: Workspace, application: Application, awaited: Sequence[Step]
) -> Brief:
    """What a coordinator needs to know before screening."""
    undecided = undecided_places(session, application)
    year = application.content["year"]
    organisation = session.get_one(Organisation, application.organisation)
    by = {in_words(step.due_at) for step in awaited if step.due_at}
    lines = [
        f"- **{markdown_plain(place.candidate)}** · {in_points(place.score)} points · "
        f"{markdown_plain(title)}. {markdown_plain(place.why)}"
        + (" *Moved up in the place of one that was struck.*" if place.moved_up else "")
        for place, title in with_titles(session, undecided[:LISTED])
    ]
    if len(undecided) > LISTED:
        lines.append(f"- … and {len(undecided) - LISTED} more: the run's artifact has the whole ranking.")
    opening = [
        *warnings(awaited),
        f"By its ranking, {markdown_plain(organisation.name)} may put forward {len(undecided)} for the "
        f"European Quality Label {year}. Approve each, or strike it with a reason"
        + (f", by **{' and '.join(sorted(by))}**." if by else "."),
        "\n".join(lines),
    ]
    return Brief(f"European Quality Label {year}", "\n\n".join(opening), {}, {})


def ranking(session: Session, application: Application) -> str:
    """An organisation's whole ranking with its reasons, as Markdown."""
    session.flush()
    year = application.content["year"]
    rows = ranking_of(session, year, application.organisation)
    # A list, since Prefect's pages cut off the end of a wide table, which would be the reasons.
    lines = [f"# {markdown_plain(application.organisation)}: ranking {year}", ""]
    for row, title in with_titles(session, rows[:LARGEST]):
        said = row.screened.value if row.screened else ("proposed" if row.proposed or row.moved_up else "")
        if row.reason:
            said += f" ({row.reason})"
        lines.append(
            f"- **{markdown_plain(row.candidate)}** · {in_points(row.score)} points · {markdown_plain(title)}"
            + (f" · **{markdown_plain(said)}**" if said else "")
            + f". {markdown_plain(row.why)}"
        )
    if len(rows) > LARGEST:
        lines.append(f"- … and {len(rows) - LARGEST} more: `labels cycle {year} --json` has all.")
    return "\n".join(lines)


def award_brief(
    session: Session, here: Workspace, application: Application, awaited: Sequence[Step]
) -> Brief:
    """What the Central Support Service needs to know before it awards; or who still screens."""
    year = application.content["year"]
    cycle = session.get_one(Cycle, year)
    if cycle.merged_at is None:
        return Brief(f"European Quality Label {year}", _awaited_organisations(session, year), {}, {})
    rows = session.execute(
        sa.select(CycleProject, Project.title)
        .join(Project, Project.id == CycleProject.project)
        .where(CycleProject.year == year, sa.or_(CycleProject.qualifies, CycleProject.proposed_by != ""))
        .order_by(CycleProject.project)
    ).all()
    qualify = [_project(row, title) for row, title in rows if row.qualifies]
    fail = [_project(row, title) for row, title in rows if not row.qualifies]
    opening = [
        *warnings(awaited),
        *_said_before(session, application),
        f"{len(qualify)} projects qualify for the European Quality Label {year}. Approve each, or strike it "
        "with a reason.",
        "\n".join(_cut(qualify)),
    ]
    if own := approved_of_their_own(session, year):
        opening += [
            "**Approved by a coordinator of the same school or project:**",
            "\n".join(_cut([f"- {markdown_plain(name)}, by {markdown_plain(who)}" for who, name in own])),
        ]
    if fail:
        opening += [
            f"**Put forward, but without what a project needs ({len(fail)}):**",
            "\n".join(_cut(fail)),
        ]
    return Brief(f"European Quality Label {year}", "\n\n".join(filter(None, opening)), {}, {})


def _project(row: CycleProject, title: str) -> str:
    return f"- **{markdown_plain(row.project)}** · {markdown_plain(title)}. {markdown_plain(row.why)}"


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= LISTED:
        return lines
    return [*lines[:LISTED], f"- … and {len(lines) - LISTED} more: `labels cycle YEAR --json` has all."]


def _said_before(session: Session, application: Application) -> list[str]:
    """With four eyes: what the last person said, which the next confirms or not."""
    answered = [
        step for step in steps_of(session, application, StepKind.AWARDING) if step.state is StepState.ANSWERED
    ]
    if not answered:
        return []
    last = max(answered, key=lambda step: (step.closed_at or step.opened_at, step.number))
    struck = (last.answer or {}).get("strike", {})
    said = f"**{markdown_plain(last.assignee)} approved {len(approved_in(last))} and struck {len(struck)}.**"
    return [
        "\n".join(
            [said, *(f"- {markdown_plain(name)}: {markdown_plain(why)}" for name, why in struck.items())]
        )
    ]


def _awaited_organisations(session: Session, year: int) -> str:
    rows = session.execute(
        sa.select(Organisation.name, Application.decide_by)
        .join(CycleOrganisation, CycleOrganisation.organisation == Organisation.id)
        .join(Application, Application.id == CycleOrganisation.nomination)
        .where(CycleOrganisation.year == year, Application.outcome.is_(None))
        .order_by(Organisation.id)
    ).all()
    lines = [
        f"- {markdown_plain(row.name)}" + (f", by {in_words(row.decide_by)}" if row.decide_by else "")
        for row in rows
    ]
    return "\n\n".join(
        [
            f"{len(rows)} organisations still screen what they put forward. Nothing is asked here until all have; "
            "this run goes on by itself.",
            "\n".join(lines),
        ]
    )


def progress(session: Session, here: Workspace, year: int) -> tuple[float, str]:
    """How much of the screening is done, in percent, and the year by country as Markdown."""
    counts = _counts(session, year)
    parts = session.execute(
        sa.select(CycleOrganisation, Organisation.country, Application)
        .join(Organisation, Organisation.id == CycleOrganisation.organisation)
        .outerjoin(Application, Application.id == CycleOrganisation.nomination)
        .where(CycleOrganisation.year == year)
        .order_by(Organisation.country, CycleOrganisation.organisation)
    ).all()
    lines = [
        f"# European Quality Label {year}",
        "",
        "| Country | Organisation | Labels | Proposed | Screened | Nominated | Awarded | Stands at |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    asked = done = 0
    for part, country, nomination in parts:
        screened, nominated, awarded = counts.get(part.organisation, (0, 0, 0))
        if nomination is not None:
            asked += 1
            done += nomination.outcome is not None
        lines.append(
            f"| {markdown_plain(country_name(country))} | {_linked(here, part.organisation, nomination)} "
            f"| {part.labels} | {part.proposed} | {screened} | {nominated} | {awarded} "
            f"| {_stands_at(nomination)} |"
        )
    return (100 * done / asked if asked else 100.0), "\n".join(lines)


def _linked(here: Workspace, organisation: str, nomination: Application | None) -> str:
    if nomination is None or nomination.run is None:
        return markdown_plain(organisation)
    return f"{markdown_plain(organisation)} ([run]({here.settings.site_url}/runs/flow-run/{nomination.run}))"


def _stands_at(nomination: Application | None) -> str:
    """In a word: Prefect's pages cut off what makes a table too wide."""
    if nomination is None:
        return "nothing to screen"
    return nomination.outcome.value if nomination.outcome else "screening"


def _counts(session: Session, year: int) -> dict[str, tuple[int, int, int]]:
    """Screened, nominated and awarded places by organisation."""

    def number(condition: Any) -> Any:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    rows = session.execute(
        sa.select(
            CyclePlace.organisation,
            number(CyclePlace.screened.is_not(None)),
            number(CyclePlace.screened == Screened.APPROVED),
            number(
                sa.and_(CyclePlace.screened == Screened.APPROVED, CycleProject.awarded == Awarded.AWARDED)
            ),
        )
        .outerjoin(
            CycleProject,
            sa.and_(CycleProject.year == CyclePlace.year, CycleProject.project == CyclePlace.project),
        )
        .where(CyclePlace.year == year)
        .group_by(CyclePlace.organisation)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}
