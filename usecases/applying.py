"""What applicants do: hand in an application (documents first, then the record), withdraw it, appeal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from adapters.fonts import missing_characters
from adapters.workspace import Workspace
from labels.answering import rights
from labels.applications.conditions import NOTHING, Arrival, unmet
from labels.applications.documents import StoredDocument
from labels.applications.file import NationalApplication, canonical, read_application
from labels.applications.printed import with_unprintable
from labels.applications.submitting import Submitted, applicants_organisation, submit
from labels.applications.uploads.inspecting import Upload, inspect_all
from labels.applications.uploads.limits import DEFAULT_LIMITS, UploadLimits
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput
from labels.record.schema import Project, School, Teacher
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.turn import Turn
from labels.words.text import clean
from usecases.acts import Act, needs_words


def submit_file(
    here: Workspace, raw: Any, subject: str, evidence: Sequence[Path], *, again: bool = False
) -> Submitted:
    """Registers an application; the caller starts its run. `again` as `labels.applications.submitting.submit` has it.

    Documents are stored before the record learns of them: where the store fails half-way, a file
    may lie there that nobody claims, but no application claims a file that is not there.

    Raises:
        InvalidInput: the application or a file of its evidence is wrong; nothing was changed.
        NotAllowed: another application of this teacher for this project is open.
        OutOfReach: the store or the record does not answer; nothing was changed.
    """
    now = here.now()
    application, edition, uploads = checked(here, raw, subject, evidence, now)
    documents = [_stored(here, upload) for upload in uploads]
    content = canonical(application.model_dump(mode="json"))
    documents.insert(
        0,
        StoredDocument(
            kind="application",
            name="application.json",
            key=here.documents.put(content, "application/json"),
            media_type="application/json",
            size=len(content),
        ),
    )
    with here.record.writing() as session:
        done = submit(Turn(session, now, here.key), application, documents, edition, again=again)
        return with_unprintable(session, done, missing_characters)


def checked(
    here: Workspace, raw: Any, subject: str, evidence: Sequence[Path], at: datetime
) -> tuple[NationalApplication, RuleEdition, list[Upload]]:
    """What is handed in, read and looked through, with the rules that it goes by.

    Raises:
        InvalidInput: something is wrong; all of it is named at once, whatever layer finds it: what can't be read,
            what the registry does not have, what is wrong with a file of evidence, and then also the conditions that
            would not be met.
    """
    application: NationalApplication | None = None
    faults: list[Fault] = []
    try:
        application = read_application(raw, subject)
    except InvalidInput as error:
        faults += error.faults
    given = raw if isinstance(raw, dict) else {}
    with here.record.reading() as session:
        organisation, unknown = applicants_organisation(session, given.get("teacher"), given.get("project"))
        edition = load_rules(organisation, brussels_day(at), here.settings.rules) if organisation else None
        faults += unknown
        uploads: list[Upload] = []
        try:
            uploads = inspect_all(evidence, _limits(edition))
        except InvalidInput as error:
            faults += error.faults
        if faults and edition and not unknown:
            faults += _conditions(session, given, application, faults, edition, at)
    if faults or application is None or edition is None:
        raise InvalidInput(subject, faults)
    return application, edition, uploads


def _conditions(
    session: Session,
    given: Mapping[str, Any],
    application: NationalApplication | None,
    faults: Sequence[Fault],
    edition: RuleEdition,
    at: datetime,
) -> list[Fault]:
    """The conditions that are not met by as much of a file as could be read; what has a fault is told of once."""
    teacher = session.get(Teacher, clean(str(given.get("teacher"))))
    project = clean(str(given.get("project")))
    if teacher is None or session.get(Project, project) is None:
        return []
    wrong = {fault.where for fault in faults}
    whole = application.model_dump(mode="json") if application else {}
    read = {name: _without(wrong, name, (whole or given).get(name, empty)) for name, empty in NOTHING.items()}
    country = session.get_one(School, teacher.school).country
    content = {name: NOTHING[name] if value is None else value for name, value in read.items()}
    arrival = Arrival(teacher.id, project, country, content, at)
    told = {where.replace("preconditions", "precondition", 1) for where in wrong}
    return [
        Fault(one.code, one.problem, one.remedy)
        for one in unmet(session, arrival, edition)
        if one.code not in told and one.code.partition(".")[0] not in told
    ]


def _without(wrong: AbstractSet[str], name: str, value: Any) -> Any:
    """A field of a file without what is wrong in it, so that the rest can be looked at; None where all of it is."""
    if name in wrong:
        return None
    if isinstance(value, dict):
        return {part: one for part, one in value.items() if f"{name}.{part}" not in wrong}
    return value


def faults_of(evidence: Sequence[Path]) -> list[Fault]:
    """What is wrong with files of evidence, where the application itself can't be read."""
    try:
        inspect_all(evidence, DEFAULT_LIMITS)
    except InvalidInput as error:
        return list(error.faults)
    return []


def _limits(edition: RuleEdition | None) -> UploadLimits:
    return UploadLimits.within(edition.national.limits) if edition else DEFAULT_LIMITS


def store_evidence(here: Workspace, evidence: Sequence[Path], edition: RuleEdition) -> list[StoredDocument]:
    """The files in the document store, looked through by their content.

    Raises:
        InvalidInput: a file is too large, of no kind that is taken, or can't be read; none was stored.
        OutOfReach: the store does not answer.
    """
    return [_stored(here, upload) for upload in inspect_all(evidence, _limits(edition))]


def _stored(here: Workspace, upload: Upload) -> StoredDocument:
    return StoredDocument(
        kind="evidence",
        name=upload.name,
        key=here.documents.put(upload.content, upload.media_type),
        media_type=upload.media_type,
        size=upload.size,
    )


def withdraw(application: str) -> Act:
    """Takes an application back, at any time before the decision."""
    return lambda turn, proof: rights.withdraw(turn, application, proof)


def appeal(application: str, grounds: str) -> Act:
    """Appeals against a refusal, where the rules have it; other people judge the application anew."""

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        needs_words(grounds)
        return rights.appeal(turn, application, proof, grounds)

    return act
