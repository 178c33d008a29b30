"""What a case reads like: other cases, section by section, with the passages; only those that somebody may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.likeness import Alike, Likeness, Relation, likenesses
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.record.journal import Event
from labels.record.rows import read
from labels.record.schema import Application, Journal, Project, School, Teacher
from labels.rules.kept import rules_of
from labels.views.looker import Audience, looker_at


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text."""

    text: str
    shared: bool
    """Whether it stands in the other text, too."""


@dataclass(frozen=True, slots=True)
class AlikeShown:
    """Two sections beside each other."""

    criterion: str
    """The name of the criterion that it is on."""
    other_criterion: str
    """Of the other application's section; another one where the text was moved."""
    percent: int
    """Of the shorter text's words, how many stand in the other."""
    longest: int
    """Words of the longest passage."""
    here: tuple[Part, ...]
    there: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LikenessShown:
    """Another case that one reads like."""

    application: str
    relation: Relation
    percent: int
    teacher: str
    school: str
    country: str
    project: str
    """Its title."""
    submitted_at: datetime
    outcome: str | None
    sections: tuple[AlikeShown, ...]


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What a case reads like, as far as somebody may see it."""

    shown: tuple[LikenessShown, ...]
    """The most alike first."""
    elsewhere: bool = False
    """Whether it also reads like a partner's that is with another organisation: that is told, and its text is not shown."""


AUDIENCES = (Audience.COORDINATOR, Audience.CSS)
"""Who sees what a case reads like: never an applicant, and no reviewer, who judges it by itself."""


def likeness_for(session: Session, application_id: str, who: str) -> Likenesses:
    """The cases that one reads like, as far as the person of that id may see them.

    Raises:
        NotFound: there is no such case, or it is not theirs to see: which of both, nobody learns.
    """
    if not _sees(session, application_id, who):
        raise NotFound(f"There is no application {application_id}.")
    application = session.get_one(Application, application_id)
    if application.label is not LabelKind.NATIONAL:
        return Likenesses(())
    found = likenesses(session, application)
    theirs = [one for one in found if _sees(session, one.application, who)]
    elsewhere = any(
        one.relation is Relation.PARTNER and one.organisation != application.organisation
        for one in found
        if one not in theirs
    )
    return Likenesses(tuple(_shown(session, application, one) for one in theirs), elsewhere)


def _sees(session: Session, application: str, who: str) -> bool:
    try:
        return looker_at(session, application, who).audience in AUDIENCES
    except NotFound:
        return False


def _shown(session: Session, application: Application, found: Likeness) -> LikenessShown:
    row = session.execute(_ABOUT, {"application": found.application}).one()
    names = {one.id: one.name for one in rules_of(session, application).criteria_set.criteria}
    other = rules_of(session, row.Application).criteria_set.criteria
    others = {one.id: one.name for one in other}
    return LikenessShown(
        application=found.application,
        relation=found.relation,
        percent=round(found.share * 100),
        teacher=row.teacher or "",
        school=row.school or "",
        country=row.Application.country,
        project=row.project or "",
        submitted_at=row.Application.submitted_at,
        outcome=row.Application.outcome.value if row.Application.outcome else None,
        sections=tuple(
            _section(
                one, names.get(one.section, one.section), others.get(one.other_section, one.other_section)
            )
            for one in found.sections
        ),
    )


def _section(found: Alike, criterion: str, other_criterion: str) -> AlikeShown:
    passages = found.shared.passages
    return AlikeShown(
        criterion=criterion,
        other_criterion=other_criterion,
        percent=round(found.shared.share * 100),
        longest=found.shared.longest,
        here=tuple(_parts(found.text, (one.here for one in passages))),
        there=tuple(_parts(found.other_text, (one.there for one in passages))),
    )


def _parts(text: str, passages: Iterable[tuple[int, int]]) -> Iterator[Part]:
    """A text in pieces; passages that overlap, since one stands there twice, are one."""
    end = 0
    for start, stop in sorted(passages):
        if start > end:
            yield Part(text[end:start], False)
        if stop > end:
            yield Part(text[max(start, end) : stop], True)
            end = stop
    if end < len(text):
        yield Part(text[end:], False)


@dataclass(frozen=True, slots=True)
class LikenessInShort:
    """That a case reads like another one, without saying which."""

    relation: Relation
    criteria: tuple[str, ...]
    """The names of the criteria whose sections are alike."""


def likeness_in_short(session: Session, application: Application) -> tuple[LikenessInShort, ...]:
    """What was found when the application came in, for a brief that is read by whoever answers."""
    names = {one.id: one.name for one in rules_of(session, application).criteria_set.criteria}
    entries = read(session, _NOTED, {"application": application.id}).scalars()
    return tuple(
        LikenessInShort(
            Relation(details.get("relation", Relation.PARTNER)),
            tuple(names.get(one, one) for one in details.get("sections", ())),
        )
        for details in entries
    )


_NOTED = (
    sa.select(Journal.details)
    .where(Journal.application == sa.bindparam("application"), Journal.what == Event.READS_LIKE_ANOTHER)
    .order_by(Journal.id)
)
_ABOUT = (
    sa.select(
        Application,
        Teacher.name.label("teacher"),
        School.name.label("school"),
        Project.title.label("project"),
    )
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .outerjoin(School, School.id == Application.school)
    .outerjoin(Project, Project.id == Application.project)
    .where(Application.id == sa.bindparam("application"))
)
