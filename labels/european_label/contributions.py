"""Words and a picture for the gallery of a year: given by a teacher of an awarded project, looked at, struck, taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.documents import StoredDocument
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.identifiers import european_award_id
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About
from labels.mail.outbox import Envelope
from labels.people.named import recipient
from labels.people.persons import person
from labels.people.staff import central_organisation
from labels.record.documents import delete_unnamed
from labels.record.journal import Event, note
from labels.record.schema import Award, Cycle, CycleLabel, GalleryContribution, Project, School, Teacher
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof, SignedIn
from labels.turn import Turn
from labels.words.sentences import say
from labels.words.text import cut, has_words, one_line, word_count

MOST_WORDS = 100
"""Words of a contribution. Source: assumption, what stands beside a picture in one look."""
LONGEST = 2_000
"""Characters of them."""
LONGEST_LINE = 200
"""Characters of what a picture shows, and of whose it is."""


class Part(StrEnum):
    """What of a contribution can be struck by itself."""

    WORDS = "words"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives, as they typed it."""

    words: str = ""
    picture: StoredDocument | None = None
    """A new one, in the document store; none where the one that is there stays, or there is none."""
    keeps_picture: bool = True
    """Whether the picture that is there stays where there is no new one."""
    shows: str = ""
    credit: str = ""
    agreed: bool = False
    """Whether they said that it may be published, whose it is, and that no pupil can be recognised."""


@dataclass(frozen=True, slots=True)
class MayGive:
    """An award of somebody's, for whose project they may give something for the gallery."""

    award: str
    year: int
    project: str
    title: str
    teacher: str
    contribution: GalleryContribution | None
    """What was given for the project already."""
    given_by: str = ""
    """The school of the colleague who gave it, where it was somebody else."""

    @property
    def is_others(self) -> bool:
        """Whether a colleague of the project has given something: they alone may change it."""
        return self.contribution is not None and self.contribution.teacher != self.teacher


def may_give(session: Session, teachers: Collection[str], award_id: str) -> MayGive:
    """The award of one of these teachers, with what was given for its project.

    Raises:
        NotFound: it is somebody else's, of another kind, or was taken back.
    """
    row = session.execute(
        sa.select(Award.teacher, Award.project, Project.title, CycleLabel.year)
        .join(CycleLabel, CycleLabel.european == Award.id)
        .join(Project, Project.id == Award.project)
        .where(
            Award.id == award_id,
            Award.teacher.in_(teachers),
            Award.label == LabelKind.EUROPEAN,
            Award.revoked_at.is_(None),
        )
        .order_by(CycleLabel.year)
    ).first()
    if row is None:
        raise NotFound("There is nothing here.")
    there = contribution_of(session, row.year, row.project)
    others = there is not None and there.teacher != row.teacher
    school = sa.select(School.name).join(Teacher, Teacher.school == School.id)
    given_by = session.scalar(school.where(Teacher.id == there.teacher)) if there and others else ""
    return MayGive(award_id, row.year, row.project, row.title, row.teacher, there, given_by or "")


def contribution_of(session: Session, year: int, project: str) -> GalleryContribution | None:
    """What was given for a project in a year."""
    return session.scalar(sa.select(GalleryContribution).filter_by(year=year, project=project))


def give(turn: Turn, proof: Proof, award: str, given: Given) -> Accepted | Refusal:
    """Keeps what a teacher gives in the place of what they gave before; it is published once it was looked at."""
    if isinstance(mine := _own(turn.session, proof, award), Refusal):
        return mine
    if mine.is_others:
        return _refused(
            NotAllowed(
                say("A colleague of your project gave something while you wrote: only they can change it.")
            )
        )
    row = mine.contribution
    has_picture = given.picture is not None or (
        given.keeps_picture and row is not None and row.key is not None
    )
    if faults := list(_faults(given, has_picture)):
        return _refused(InvalidInput("gallery", faults))
    if row is None:
        row = GalleryContribution(year=mine.year, project=mine.project, teacher=mine.teacher, words="")
        turn.session.add(row)
    former = row.key
    if given.words.strip():
        row.words_struck = None
    if given.picture is not None:
        one = given.picture
        row.key, row.name, row.media_type, row.size = one.key, one.name, one.media_type, one.size
        row.picture_struck = None
    elif not has_picture:
        _take_picture(row)
    row.words = cut(given.words.strip(), LONGEST)
    row.shows = one_line(given.shows, LONGEST_LINE) if has_picture else None
    row.credit = one_line(given.credit, LONGEST_LINE) if has_picture else None
    row.given_at, row.released_at = turn.now, None
    _changed(turn, mine.year, [former] if former and former != row.key else [])
    _noted(turn, mine, Event.GAVE_FOR_THE_GALLERY)
    return Accepted("", "It is kept; it is published once it was looked at.", concerned=())


def take_back(turn: Turn, proof: Proof, award: str) -> Accepted | Refusal:
    """Takes what a teacher gave out of the gallery and out of the record."""
    if isinstance(mine := _own(turn.session, proof, award), Refusal):
        return mine
    if mine.contribution is None or mine.is_others:
        return _refused(NotAllowed(say("There is nothing of yours to take back.")))
    key = mine.contribution.key
    turn.session.delete(mine.contribution)
    _changed(turn, mine.year, [key] if key else [])
    _noted(turn, mine, Event.TOOK_OUT_OF_THE_GALLERY)
    return Accepted("", "It is taken back.", concerned=())


def strike(turn: Turn, year: int, project: str, part: Part, reason: str) -> None:
    """Takes the words or the picture out, with the reason, which whoever gave it is told; they may give other ones.

    Raises:
        NotFound: there is nothing to strike any more.
    """
    row = contribution_of(turn.session, year, project)
    there = row is not None and (row.words if part is Part.WORDS else row.key)
    if row is None or not there:
        raise NotFound("There is nothing here.")
    former = row.key if part is Part.PICTURE else None
    if part is Part.WORDS:
        row.words, row.words_struck = "", reason
    else:
        _take_picture(row)
        row.picture_struck = reason
    row.struck_by = turn.by
    _changed(turn, row.year, [former] if former else [])
    note(
        turn,
        None,
        turn.by,
        Event.STRUCK_FROM_THE_GALLERY,
        year=row.year,
        project=row.project,
        part=part.value,
    )
    _tell(turn, row, part, reason)


def waiting(session: Session, year: int) -> list[GalleryContribution]:
    """What was given for a year and is in no gallery yet, locked: it stays as it is until the transaction ends."""
    rows = sa.select(GalleryContribution).where(
        GalleryContribution.year == year, GalleryContribution.released_at.is_(None)
    )
    return list(
        session.scalars(
            rows.order_by(GalleryContribution.id).with_for_update().execution_options(populate_existing=True)
        )
    )


def release(turn: Turn, year: int, looked_at: Iterable[GalleryContribution]) -> None:
    """Lets something that was given for a year into its gallery, as it is now; the rest waits."""
    for row in looked_at:
        row.released_at = turn.now
    make_again(turn, year)


def forget(turn: Turn, teachers: Collection[str]) -> list[str]:
    """Deletes what some teachers gave, for an erasure; the keys of its pictures. The galleries are to be made again."""
    rows = turn.session.scalars(
        sa.select(GalleryContribution).where(GalleryContribution.teacher.in_(teachers))
    ).all()
    for row in rows:
        turn.session.delete(row)
        make_again(turn, row.year)
    return [row.key or "" for row in rows]


def _own(session: Session, proof: Proof, award: str) -> MayGive | Refusal:
    """The award of whoever proves to hold it; to whom it is not theirs, it is not there."""
    if not isinstance(proof, SignedIn):
        return _refused(NotFound("There is nothing here."))
    teachers = session.scalars(sa.select(Teacher.id).where(Teacher.person == proof.person)).all()
    try:
        mine = may_give(session, teachers, award)
    except NotFound as error:
        return _refused(error)
    # Of two colleagues at once the second waits here; SQLite has one writer anyway.
    session.get_one(Project, mine.project, with_for_update=True)
    session.expire_all()
    return may_give(session, teachers, award)


def _refused(error: NotAllowed | NotFound | InvalidInput) -> Refusal:
    return Refusal(str(error), error)


def _faults(given: Given, has_picture: bool) -> Iterable[Fault]:
    if not has_words(given.words) and not has_picture:
        yield Fault("words", say("Give some words, a picture, or both."))
    if (count := word_count(given.words)) > MOST_WORDS:
        yield Fault(
            "words", say("There are {count} words; at most {most} are shown.", count=count, most=MOST_WORDS)
        )
    if has_picture and not has_words(given.shows):
        yield Fault("shows", say("Say what the picture shows, for whoever does not see it."))
    if has_picture and not has_words(given.credit):
        yield Fault("credit", say("Say whose picture it is."))
    if not given.agreed:
        yield Fault("agreed", say("Read the statement, and tick it: nothing is published without it."))


def _take_picture(row: GalleryContribution) -> None:
    row.key = row.name = row.media_type = row.size = row.shows = row.credit = None


def _changed(turn: Turn, year: int, former: Collection[str]) -> None:
    """Has the gallery made again, and deletes pictures that nothing names any more."""
    make_again(turn, year)
    delete_unnamed(turn, former)


def make_again(turn: Turn, year: int) -> None:
    """Has the gallery of a year made again.

    The row is locked: somebody who publishes meanwhile is done before this, or sees what this changed.
    """
    cycle = turn.session.get_one(Cycle, year, with_for_update=True, populate_existing=True)
    cycle.published = None


def _noted(turn: Turn, mine: MayGive, what: Event) -> None:
    teacher = turn.session.get_one(Teacher, mine.teacher)
    who = person(turn.session, teacher.person).address
    note(turn, None, who, what, year=mine.year, project=mine.project)


def _tell(turn: Turn, row: GalleryContribution, part: Part, reason: str) -> None:
    teacher = turn.session.get_one(Teacher, row.teacher)
    about = About(
        application=european_award_id(row.year, row.teacher, row.project),
        label=LabelKind.EUROPEAN,
        project_title=turn.session.get_one(Project, row.project).title,
        holder=teacher.name,
        organisation_name=central_organisation(turn.session).name,
    )
    message = messages.StruckFromGallery(
        about=about, year=row.year, picture=part is Part.PICTURE, reason=reason
    )
    when = turn.now.isoformat(timespec="seconds")
    outbox.queue(turn, message, Envelope(recipient(turn.session, teacher.person), (part.value, when)))
