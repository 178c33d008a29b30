"""The European Quality Label: what is proposed, who qualifies, the rankings, and how far a year is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.prefect.markdown.asked import dates
from labels.clock import in_words
from labels.reviews.scoring import in_points
from labels.views.briefs.european import (
    AwardBrief,
    NominationBrief,
    ProjectOfYear,
    ProposedPlace,
    SaidBefore,
    ScreeningsBrief,
)
from labels.views.screening import CycleProgress, OrganisationProgress, RankedPlace, Ranking
from labels.words.countries import country_name
from labels.words.text import markdown_plain

LISTED = 300
"""Entries of a list in a form."""


def proposal(brief: NominationBrief) -> list[str]:
    """What an organisation may put forward."""
    by = dates(brief.asked)
    lines = list(map(_proposed, brief.places))
    if more := brief.number - len(brief.places):
        lines.append(f"- … and {more} more: the run's artifact has the whole ranking.")
    return [
        f"By its ranking, {markdown_plain(brief.organisation)} may put forward {brief.number} for the "
        f"European Quality Label {brief.year}. Approve each, or strike it with a reason"
        + (f", by **{by}**." if by else "."),
        "\n".join(lines),
    ]


def _proposed(place: ProposedPlace) -> str:
    return (
        f"- **{markdown_plain(place.candidate)}** · {in_points(place.score)} points · "
        f"{markdown_plain(place.title)}. {markdown_plain(place.why)}"
        + (" *Moved up in the place of one that was struck.*" if place.moved_up else "")
    )


def award(brief: AwardBrief) -> list[str]:
    """What the Central Support Service awards or strikes."""
    parts = [
        _said_before(brief.said_before) if brief.said_before else "",
        f"{len(brief.qualifying)} projects qualify for the European Quality Label {brief.year}. Approve each, or "
        "strike it with a reason.",
        _cut(list(map(_project, brief.qualifying))),
    ]
    if brief.own_decisions:
        parts += [
            "**Decided by somebody with a conflict of interest, since nobody else was asked:**",
            _cut(
                [f"- {markdown_plain(o.candidate)}, by {markdown_plain(o.who)}" for o in brief.own_decisions]
            ),
        ]
    if brief.failing:
        parts += [
            f"**Put forward, but without what a project needs ({len(brief.failing)}):**",
            _cut(list(map(_project, brief.failing))),
        ]
    return parts


def _project(one: ProjectOfYear) -> str:
    return f"- **{markdown_plain(one.project)}** · {markdown_plain(one.title)}. {markdown_plain(one.why)}"


def _said_before(said: SaidBefore) -> str:
    counts = f"**{markdown_plain(said.who)} approved {said.approved} and struck {len(said.struck)}.**"
    return "\n".join(
        [counts, *(f"- {markdown_plain(name)}: {markdown_plain(why)}" for name, why in said.struck.items())]
    )


def _cut(lines: Sequence[str]) -> str:
    more = len(lines) - LISTED
    end = [f"- … and {more} more: the export “projects” has all."] if more > 0 else []
    return "\n".join([*lines[:LISTED], *end])


def screenings(brief: ScreeningsBrief) -> str:
    """Who still screens, before anything is asked of the Central Support Service."""
    lines = [
        f"- {markdown_plain(one.organisation)}" + (f", by {in_words(one.due_at)}" if one.due_at else "")
        for one in brief.screenings
    ]
    return "\n\n".join(
        [
            f"{len(lines)} organisations still screen what they put forward. Nothing is asked here until all have; "
            "this run goes on by itself.",
            "\n".join(lines),
        ]
    )


def ranking(shown: Ranking) -> str:
    """An organisation's whole ranking with its reasons."""
    # A list, since Prefect's pages cut off the end of a wide table, which would be the reasons.
    lines = [f"# {markdown_plain(shown.organisation)}: ranking {shown.year}", "", *map(_ranked, shown.places)]
    if more := shown.number - len(shown.places):
        lines.append(f"- … and {more} more: the export “rankings” has all.")
    return "\n".join(lines)


def _ranked(place: RankedPlace) -> str:
    said = place.screened.value if place.screened else ("proposed" if place.proposed else "")
    if place.reason:
        said += f" ({place.reason})"
    return (
        f"- **{markdown_plain(place.candidate)}** · {in_points(place.score)} points · {markdown_plain(place.title)}"
        + (f" · **{markdown_plain(said)}**" if said else "")
        + f". {markdown_plain(place.why)}"
    )


def progress(shown: CycleProgress, run_page: Callable[[str], str]) -> str:
    """A year by country; `run_page` is the address of a run."""
    lines = [
        f"# European Quality Label {shown.year}",
        "",
        "| Country | Organisation | Labels | Proposed | Screened | Nominated | Awarded | Stands at |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for one in shown.organisations:
        name = markdown_plain(one.organisation)
        linked = f"{name} ([run]({run_page(one.run)}))" if one.run else name
        lines.append(
            f"| {markdown_plain(country_name(one.country))} | {linked} | {one.labels} | {one.proposed} "
            f"| {one.screened} | {one.nominated} | {one.awarded} | {_stands_at(one)} |"
        )
    if shown.journal:
        lines += ["", f"The journal stands at `{shown.journal}`."]
    return "\n".join(lines)


def _stands_at(one: OrganisationProgress) -> str:
    """In a word: Prefect's pages cut off what makes a table too wide."""
    if one.nomination is None:
        return "nothing to screen"
    return one.outcome.value if one.outcome else "screening"
