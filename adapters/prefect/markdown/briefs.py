"""Briefs: what whoever answers reads above the form, and as an artifact of the run."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.prefect.markdown.asked import by_reviewers, by_school, warnings
from adapters.prefect.markdown.common import about_it, documents, exchange, joined, linked, listed
from adapters.prefect.markdown.european import award, proposal, screenings
from adapters.prefect.markdown.links import Links
from labels.applications.likeness import Relation
from labels.clock import brussels_day
from labels.views.briefs.common import Brief, CriterionShown, ReviewBrief, SelfAnswerShown
from labels.views.briefs.european import AwardBrief, NominationBrief, ScreeningsBrief
from labels.views.briefs.national import NationalBrief
from labels.views.briefs.school import FilledIn, FilledPart, HandedIn, RowShown, SchoolBrief
from labels.views.likeness import LikenessInShort
from labels.words.text import markdown_paragraphs, markdown_plain

LISTED = 40
"""Rows of each part of what was filled in that are shown; a large school has hundreds."""

_PARTS = {
    "members": "Members",
    "projects": "Projects",
    "professional_development": "Professional development",
    "events": "Events",
}


def title(brief: Brief) -> str:
    """What the case is called, as plain text."""
    match brief:
        case NationalBrief():
            return brief.about.title
        case SchoolBrief():
            return f"{brief.about.title} · School Label {brief.round}"
        case NominationBrief() | AwardBrief() | ScreeningsBrief():
            return f"European Quality Label {brief.year}"
    raise TypeError(type(brief).__name__)


def opening(brief: Brief, links: Links) -> str:
    """Who applies, what is asked by when, what was asked before, and the documents."""
    match brief:
        case NationalBrief():
            parts = _of_teacher(brief, links)
        case SchoolBrief():
            parts = _of_school(brief, links)
        case NominationBrief():
            parts = proposal(brief)
        case AwardBrief():
            parts = award(brief)
        case ScreeningsBrief():
            return screenings(brief)
        case _:
            raise TypeError(type(brief).__name__)
    return joined([*warnings(brief.asked), *parts])


def whole(brief: Brief, links: Links) -> str:
    """All of it as one page."""
    criteria = brief.criteria if isinstance(brief, ReviewBrief) else ()
    said = [f"### {markdown_plain(one.name)}\n\n{text}" for one in criteria if (text := said_on(one))]
    return "\n\n".join([f"# {markdown_plain(title(brief))}", opening(brief, links), *said])


def said_on(criterion: CriterionShown) -> str:
    """What the applicant says on one criterion; empty where that is nothing."""
    return joined([markdown_paragraphs(criterion.text), *map(_self_answer, criterion.answers)])


def _self_answer(one: SelfAnswerShown) -> str:
    return (
        f"**{markdown_plain(one.question)}** {markdown_plain(one.means)} "
        f"({one.level} of {one.highest})\n\n{markdown_paragraphs(one.text)}"
    )


def _of_teacher(brief: NationalBrief, links: Links) -> list[str]:
    return [
        by_reviewers(brief.asked),
        about_it(brief.about),
        f"### In short\n\n{markdown_paragraphs(brief.description)}",
        _reads_like(brief.likeness),
        *map(exchange, brief.exchanges),
        documents(brief.documents, links),
    ]


_LIKE = {
    Relation.PARTNER: "that of a partner in the same project",
    Relation.SAME_APPLICANT: "one of the same applicant for another project",
    Relation.OTHER: "one for another project",
}


def _reads_like(likeness: Sequence[LikenessInShort]) -> str:
    """That sections read like those of other applications, in short; empty where none does."""
    lines = [
        f"{', '.join(map(markdown_plain, one.criteria))}: like {_LIKE[one.relation]}" for one in likeness
    ]
    if not lines:
        return ""
    return f"### Likeness\n\n{listed(lines)}\n\nA notice and no verdict. Coordinators see the passages at the desk."


def _of_school(brief: SchoolBrief, links: Links) -> list[str]:
    parts = [
        by_school(brief.asked) or by_reviewers(brief.asked),
        about_it(brief.about),
        *map(exchange, brief.exchanges),
        documents(brief.documents, links),
    ]
    if brief.received and brief.handed_in:
        parts.append(_requirements(brief.handed_in))
        parts.append(_plan(brief.handed_in))
    if brief.received and brief.filled_in:
        parts.append(_filled_in(brief.filled_in))
    return parts


def _requirements(handed_in: HandedIn) -> str:
    lines = []
    for one in handed_in.requirements:
        how = f"the school says: “{one.said}”" if one.said else "shown by the registry or a document"
        lines.append(f"**{one.id}** {markdown_plain(one.text)} {markdown_plain(how)}")
    return joined([f"### Requirements\n\n{listed(lines)}", linked(handed_in.links)])


def _plan(handed_in: HandedIn) -> str:
    if not handed_in.plan:
        return ""
    lines = [f"**{markdown_plain(one.pillar)}** {markdown_plain(one.said)}" for one in handed_in.plan]
    return f"### Plan\n\n{markdown_plain(handed_in.asked_to_plan)}\n\n{listed(lines)}"


def _filled_in(filled: FilledIn) -> str:
    known = f"### What the registry knows\n\nAs it was on {brussels_day(filled.at)}, from {filled.since} on."
    return joined([known, *map(_part, filled.parts)])


def _part(part: FilledPart) -> str:
    rows = [_row(one) for one in part.rows[:LISTED]]
    if (more := len(part.rows) - LISTED) > 0:
        rows.append(f"… and {more} more")
    said = f" · disputed: {markdown_plain(part.disputed)}" if part.disputed is not None else ""
    return f"**{_PARTS[part.field]}** ({len(part.rows)}){said}\n\n{listed(rows)}"


def _row(one: RowShown) -> str:
    said = f" · disputed: {one.disputed}" if one.disputed is not None else ""
    return markdown_plain(one.row.in_a_line() + said)
