"""What a teacher does before an application is in: save what they typed, add evidence, look what is missing, hand in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.fonts import missing_characters
from adapters.workspace import Workspace
from labels.applications import drafting
from labels.applications.conditions import Arrival, unmet
from labels.applications.documents import StoredDocument
from labels.applications.eligibility import FailedCondition
from labels.applications.file import NationalApplication, canonical
from labels.applications.printed import with_unprintable
from labels.applications.submitting import applications_of, submit
from labels.applications.typed import ApplicationTyped, Blank, as_content, read_typed, typed_from
from labels.applications.uploads.inspecting import Upload, inspect_all
from labels.applications.uploads.limits import UploadLimits
from labels.clock import brussels_day
from labels.errors import InvalidInput, LabelsError, NotAllowed, NotFound, OutOfReach
from labels.record.rows import read
from labels.record.schema import Application, Member, Organisation, Project, School, Teacher
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.turn import Turn
from labels.words.sentences import say
from usecases.acts import Act


def save_draft(teacher: str, project: str, typed: ApplicationTyped, version: int) -> Act:
    """Keeps what was typed; accepted, it has the draft's version as `made`."""
    return lambda turn, proof: drafting.save(turn, proof, teacher, project, typed, version)


def remove_evidence(teacher: str, project: str, evidence: int) -> Act:
    """Takes a file out of a draft."""
    return lambda turn, proof: drafting.remove_evidence(turn, proof, teacher, project, evidence)


def add_evidence(teacher: str, project: str, documents: list[StoredDocument], edition: RuleEdition) -> Act:
    """Adds files that are in the store to a draft."""
    return lambda turn, proof: drafting.add_evidence(turn, proof, teacher, project, documents, edition)


def store_uploads(
    here: Workspace, files: Iterable[tuple[str, bytes]], edition: RuleEdition
) -> tuple[list[StoredDocument], list[LabelsError]]:
    """The files in the document store, each looked through by itself; and why others were not taken.

    They are taken one by one, so that no more than one of them need be in memory.

    Raises:
        OutOfReach: the store does not answer.
    """
    bounds = UploadLimits.within(edition.national.limits)
    stored: list[StoredDocument] = []
    refused: list[LabelsError] = []
    for file in files:
        try:
            [upload] = inspect_all([file], bounds)
        except InvalidInput as error:
            refused.append(error)
        else:
            stored.append(_put(here, upload))
    return stored, refused


def _put(here: Workspace, upload: Upload) -> StoredDocument:
    key = here.documents.put(upload.content, upload.media_type)
    return StoredDocument("evidence", upload.name, key, upload.media_type, upload.size)


@dataclass(frozen=True)
class Applying:
    """What a teacher would apply with, for a project of theirs, under the rules of a moment."""

    teacher: str
    teacher_name: str
    language: str
    project: str
    title: str
    started_on: date
    ended_on: date | None
    country: str
    organisation: str
    organisation_name: str
    edition: RuleEdition


def applying(here: Workspace, session: Session, teacher: str, project: str, at: datetime) -> Applying:
    """The project, the teacher and the rules that apply at a moment.

    Raises:
        NotFound: the teacher is no member of the project, or neither is there.
    """
    found = read(session, _APPLYING, {"teacher": teacher, "project": project}).first()
    if found is None:
        raise _not_yours()
    return _applying(here, found, at)


def _applying(here: Workspace, found: Any, at: datetime) -> Applying:
    return Applying(
        found.teacher,
        found.teacher_name,
        found.language,
        found.project,
        found.title,
        found.started_on,
        found.ended_on,
        found.country,
        found.organisation,
        found.organisation_name,
        load_rules(found.organisation, brussels_day(at), here.settings.rules),
    )


_APPLYING = (
    sa.select(
        Teacher.id.label("teacher"),
        Teacher.name.label("teacher_name"),
        Teacher.language,
        Project.id.label("project"),
        Project.title,
        Project.started_on,
        Project.ended_on,
        School.country,
        School.organisation,
        Organisation.name.label("organisation_name"),
    )
    .select_from(Member)
    .join(Teacher, Teacher.id == Member.teacher)
    .join(Project, Project.id == Member.project)
    .join(School, School.id == Teacher.school)
    .join(Organisation, Organisation.id == School.organisation)
    .where(Member.project == sa.bindparam("project"), Member.teacher == sa.bindparam("teacher"))
)


@dataclass(frozen=True)
class Checked:
    """What handing in now would lead to."""

    application: NationalApplication | None
    """None where a field can't be read."""
    blanks: tuple[Blank, ...]
    unmet: tuple[FailedCondition, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stands in its way."""
        return self.application is not None and not self.unmet


def checked(
    session: Session,
    of: Applying,
    typed: ApplicationTyped,
    at: datetime,
    others: Sequence[sa.Row[Any]] | None = None,
) -> Checked:
    """Everything that is missing or wrong, at once: in the form, and of the conditions themselves.

    `others` are the teacher's applications so far, where the caller has asked for them.
    """
    application, blanks = read_typed(typed, of.teacher, of.project, of.language, of.edition)
    content = application.model_dump(mode="json") if application else as_content(typed, of.edition)
    arrival = Arrival(of.teacher, of.project, of.country, content, at)
    return Checked(application, tuple(blanks), tuple(unmet(session, arrival, of.edition, others)))


def check_file(
    here: Workspace, application: NationalApplication, at: datetime
) -> tuple[RuleEdition, list[FailedCondition]]:
    """The conditions that an application file would not meet if it were handed in now (`labels submit --check`).

    Raises:
        NotFound: the teacher is no member of the project, or neither is in the registry.
    """
    with here.record.reading() as session:
        row = session.get(Teacher, application.teacher)
        if row is None or session.get(Project, application.project) is None:
            raise NotFound(f"There is no teacher {application.teacher}, or no project {application.project}.")
        school = session.get_one(School, row.school)
        edition = load_rules(school.organisation, brussels_day(at), here.settings.rules)
        arrival = Arrival(
            row.id, application.project, school.country, application.model_dump(mode="json"), at
        )
        return edition, unmet(session, arrival, edition)


class NotReady(NotAllowed):
    """Something stands in the way of handing in; it is on the page that checks the answers."""


def _not_yours() -> NotFound:
    return NotFound("There is no such project of yours.")


def hand_in(here: Workspace, teachers: Sequence[str], project: str, arrived: datetime) -> Act:
    """The draft becomes an application, as of the instant at which *hand in* arrived; the draft goes with that.

    The draft is looked through and its application file stored before the act begins, which keeps everybody else from
    writing: that is not the time to wait for a disk or another machine. The act looks again at what that rests on.

    Args:
        here: the record and the store.
        teachers: those of one person, of whom the first that is a member of the project applies.
        project: the project's number.
        arrived: when *hand in* did.

    Raises:
        NotReady: something is missing; so does the act.
        NotFound: none of the teachers is a member of the project; so does the act.
        OutOfReach: the store or the record does not answer; nothing was done.
    """
    with here.record.reading() as session:
        before = _ready(session, *_first_of(here, session, teachers, project, arrived), arrived)
    file = _stored(here, before)

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        for teacher in teachers:
            found = drafting.own(turn.session, proof, teacher, project)
            if not isinstance(found, Refusal):
                return of_teacher(turn, teacher, found)
        raise _not_yours()

    def of_teacher(turn: Turn, teacher: str, found: sa.Row[Any]) -> Accepted | Refusal:
        turn = dataclasses.replace(turn.acting(found.address, found.person), now=arrived)
        draft = drafting.draft_of(turn.session, teacher, project)
        of = _applying(here, found, arrived)
        others = applications_of(turn.session, teacher)
        ready, its_file = before, file
        if (
            of,
            draft.typed,
            others,
        ) != before.rests_on:  # another window, or a change of the registry, was faster
            try:
                ready = _ready(turn.session, of, draft.typed, others, arrived)
            except NotReady as error:
                return Refusal(error.args[0], error)
            its_file = _stored(here, ready)
        evidence = [one.document for one in draft.evidence]
        done = submit(turn, ready.application, [its_file, *evidence], of.edition, again=True, others=others)
        done = with_unprintable(turn.session, done, missing_characters, found)
        drafting.drop(turn, teacher, project)
        return Accepted(done.application, done.remark, made=done.application, concerned=())

    return act


@dataclass(frozen=True)
class _Ready:
    """A draft in whose way nothing stands, as an application."""

    of: Applying
    typed: ApplicationTyped
    others: Sequence[sa.Row[Any]]
    """The teacher's applications so far."""
    application: NationalApplication

    @property
    def rests_on(self) -> tuple[Applying, ApplicationTyped, Sequence[sa.Row[Any]]]:
        """What must be as it was for that to hold."""
        return self.of, self.typed, self.others


def _first_of(
    here: Workspace, session: Session, teachers: Sequence[str], project: str, at: datetime
) -> tuple[Applying, ApplicationTyped, Sequence[sa.Row[Any]]]:
    """What the first of the teachers who is a member of the project would hand in.

    Raises:
        NotFound: none of them is.
    """
    for teacher in teachers:
        try:
            of = applying(here, session, teacher, project, at)
        except NotFound:
            continue
        return of, drafting.typed_of(session, teacher, project), applications_of(session, teacher)
    raise _not_yours()


def _ready(
    session: Session, of: Applying, typed: ApplicationTyped, others: Sequence[sa.Row[Any]], at: datetime
) -> _Ready:
    """A draft that can be handed in.

    Raises:
        NotReady: it can't; the page that checks the answers says why.
    """
    result = checked(session, of, typed, at, others)
    if result.application is None or result.unmet:
        raise NotReady(say("Something is missing still."))
    return _Ready(of, typed, others, result.application)


def _stored(here: Workspace, ready: _Ready) -> StoredDocument:
    """The application file of a draft, in the store."""
    content = canonical(ready.application.model_dump(mode="json"))
    key = here.documents.put(content, "application/json")
    return StoredDocument("application", "application.json", key, "application/json", len(content))


def started(here: Workspace, application: str) -> OutOfReach | None:
    """Starts the run of an application that is in, which makes its receipt and mails it; why it could not, if so.

    Recovery makes up for it: the application counts.
    """
    from adapters.prefect.client import (
        prefect_client,
    )  # it takes a second to load, and other acts do not need it
    from adapters.prefect.runs import start

    try:
        with prefect_client() as client:
            start(here, client, application)
    except OutOfReach as error:
        return error
    return None


def begin_again(application: str) -> Act:
    """A new draft with the text and the files of an application that ended, unless a draft is there."""

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        row = turn.session.get(Application, application)
        if row is None or row.teacher is None or row.project is None:
            raise NotFound("There is nothing here.")
        found = drafting.own(turn.session, proof, row.teacher, row.project)
        if isinstance(found, Refusal):
            return found
        if drafting.draft_of(turn.session, row.teacher, row.project).version == 0:
            drafting.save(turn, proof, row.teacher, row.project, typed_from(row.content), 0)
            drafting.copy_evidence(turn, row)
        return Accepted(row.id, "", made=row.project, concerned=())

    return act
