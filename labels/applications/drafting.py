"""Drafts of applications: saved while a teacher types, with their evidence, until they are handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.documents import StoredDocument
from labels.applications.evidence import apart, evidence_of
from labels.applications.submitting import held
from labels.applications.typed import ApplicationTyped
from labels.applications.uploads.limits import MIB
from labels.errors import NotAllowed, NotFound
from labels.record.documents import delete_unnamed
from labels.record.rows import read, write
from labels.record.schema import (
    Application,
    ApplicationDraft,
    DraftEvidence,
    Member,
    Teacher,
)
from labels.rules.model import RuleEdition
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof, SignedIn
from labels.turn import Turn
from labels.words.sentences import say


class StaleDraft(NotAllowed):
    """What is saved goes on from an earlier draft than the present one."""


class TooMuch(NotAllowed):
    """The files of a draft would be larger than the rules allow, together."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft as it stands."""

    typed: ApplicationTyped
    version: int
    """How often it was saved; 0 where nothing was yet."""
    saved_at: datetime | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of a draft that is in the document store."""

    id: int
    document: StoredDocument
    stored_at: datetime


def draft_of(session: Session, teacher: str, project: str) -> Drafted:
    """What a teacher has typed for a project so far."""
    whose = {"teacher": teacher, "project": project}
    row = read(session, _DRAFT, whose).first()
    evidence = tuple(
        Evidence(
            one.id, StoredDocument("evidence", one.name, one.key, one.media_type, one.size), one.stored_at
        )
        for one in read(session, _EVIDENCE, whose)
    )
    if row is None:
        return Drafted(ApplicationTyped(), 0, None, evidence)
    return Drafted(ApplicationTyped.model_validate(row.body), row.version, row.saved_at, evidence)


def typed_of(session: Session, teacher: str, project: str) -> ApplicationTyped:
    """The same without its files."""
    body = read(session, _DRAFT, {"teacher": teacher, "project": project}).scalar()
    return ApplicationTyped() if body is None else ApplicationTyped.model_validate(body)


_THIS_DRAFT = (
    ApplicationDraft.teacher == sa.bindparam("teacher"),
    ApplicationDraft.project == sa.bindparam("project"),
)
_DRAFT = sa.select(ApplicationDraft.body, ApplicationDraft.version, ApplicationDraft.saved_at).where(
    *_THIS_DRAFT
)
_GOES_ON = sa.update(ApplicationDraft).where(
    ApplicationDraft.teacher == sa.bindparam("its_teacher"),
    ApplicationDraft.project == sa.bindparam("its_project"),
)
_EVIDENCE = (
    sa.select(
        DraftEvidence.id,
        DraftEvidence.name,
        DraftEvidence.key,
        DraftEvidence.media_type,
        DraftEvidence.size,
        DraftEvidence.stored_at,
    )
    .where(DraftEvidence.teacher == sa.bindparam("teacher"), DraftEvidence.project == sa.bindparam("project"))
    .order_by(DraftEvidence.id)
)


def save(
    turn: Turn, proof: Proof, teacher: str, project: str, typed: ApplicationTyped, version: int
) -> Accepted | Refusal:
    """Keeps what was typed. `version` is that of the draft which it goes on from.

    What was typed in another window meanwhile is not overwritten unseen: the first such save is refused.
    """
    if refusal := not_theirs(turn.session, proof, teacher, project):
        return refusal
    now = read(turn.session, _DRAFT, {"teacher": teacher, "project": project}).first()
    if (now.version if now else 0) != version:
        stale = StaleDraft(say("This form was changed in another window meanwhile."))
        return Refusal(str(stale), stale)
    if now and ApplicationTyped.model_validate(now.body) == typed:
        return Accepted("", "", made=str(now.version), concerned=())
    new = {"version": version + 1, "saved_at": turn.now, "body": typed.model_dump(mode="json")}
    if now:
        goes_on = {"its_teacher": teacher, "its_project": project} | new
        turn.session.connection().execute(_GOES_ON, goes_on)
    else:
        write(turn.session, ApplicationDraft, {"teacher": teacher, "project": project} | new)
    return Accepted("", "", made=str(version + 1), concerned=())


def not_theirs(session: Session, proof: Proof, teacher: str, project: str) -> Refusal | None:
    """Why somebody may not write for a teacher and a project, if so. To whom it is not theirs, it is not there.

    Of two who write for them at once the second waits here, until the end of the first's transaction.
    """
    whose = read(session, _WHOSE, {"teacher": teacher, "project": project}).scalar()
    return None if isinstance(proof, SignedIn) and proof.person == whose else _absent()


def _absent() -> Refusal:
    why = "There is no such project of yours."
    return Refusal(why, NotFound(why))


def own(session: Session, proof: Proof, teacher: str, project: str) -> sa.Row[Any] | Refusal:
    """A teacher and a project as `held` has them, or why somebody may not write for them; the second waits here, too."""
    found = held(session, teacher, project)
    if found is None or not found.is_member or not isinstance(proof, SignedIn):
        return _absent()
    return found if proof.person == found.person else _absent()


_THEIR_PROJECT = (Member.project == sa.bindparam("project"), Member.teacher == sa.bindparam("teacher"))
_WHOSE = (
    sa.select(Teacher.person)
    .join(Member, Member.teacher == Teacher.id)
    .where(*_THEIR_PROJECT)
    .with_for_update(of=Teacher)
)


def add_evidence(
    turn: Turn,
    proof: Proof,
    teacher: str,
    project: str,
    documents: list[StoredDocument],
    edition: RuleEdition,
) -> Accepted | Refusal:
    """Adds files that are in the store to a draft; one that is there already stays one."""
    if refusal := not_theirs(turn.session, proof, teacher, project):
        return refusal
    there = draft_of(turn.session, teacher, project).evidence
    keys = {one.document.key for one in there}
    new = [one for one in {one.key: one for one in reversed(documents)}.values() if one.key not in keys]
    most = edition.national.limits.uploads_mib.value
    if sum(one.document.size for one in there) + sum(one.size for one in new) > most * MIB:
        much = TooMuch(say("All files together may have {most} MB. Take one out first.", most=most))
        return Refusal(str(much), much)
    names = {one.document.name.casefold() for one in there}
    for one in new:
        name = apart(one.name, names)
        names.add(name.casefold())
        turn.session.add(
            DraftEvidence(
                teacher=teacher,
                project=project,
                name=name,
                key=one.key,
                media_type=one.media_type,
                size=one.size,
                stored_at=turn.now,
            )
        )
    return Accepted("", "", made=str(len(new)), concerned=())


def remove_evidence(
    turn: Turn, proof: Proof, teacher: str, project: str, evidence: int
) -> Accepted | Refusal:
    """Takes a file out of a draft, and out of the store where nothing else names it."""
    if refusal := not_theirs(turn.session, proof, teacher, project):
        return refusal
    its = sa.delete(DraftEvidence).where(
        DraftEvidence.id == evidence, DraftEvidence.teacher == teacher, DraftEvidence.project == project
    )
    delete_unnamed(turn, turn.session.scalars(its.returning(DraftEvidence.key)).all())
    return Accepted("", "", concerned=())


def drop(turn: Turn, teacher: str, project: str) -> None:
    """Forgets a draft, in the transaction in which it became an application."""
    turn.session.flush()
    for one in _DROPPED:
        turn.session.connection().execute(one, {"teacher": teacher, "project": project})


_DROPPED = tuple(
    sa.delete(kind).where(kind.teacher == sa.bindparam("teacher"), kind.project == sa.bindparam("project"))
    for kind in (DraftEvidence, ApplicationDraft)
)


def copy_evidence(turn: Turn, application: Application) -> None:
    """Puts the files of an application into the draft that goes on from it."""
    for one in evidence_of(turn.session, application.id):
        turn.session.add(
            DraftEvidence(
                teacher=application.teacher,
                project=application.project,
                name=one.name,
                key=one.key,
                media_type=one.media_type,
                size=one.size,
                stored_at=turn.now,
            )
        )
