"""What applicants do: hand in an application (documents first, then the record), withdraw it, appeal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.workspace import Workspace
from labels.answering import rights
from labels.applications.documents import StoredDocument
from labels.applications.file import canonical, read_application
from labels.applications.submitting import Submitted, applicants_organisation, submit
from labels.applications.uploads.inspecting import inspect_all
from labels.applications.uploads.limits import UploadLimits
from labels.clock import brussels_day
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.turn import Turn
from usecases.acts import Act

_MIB = 1024 * 1024


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
    application = read_application(raw, subject)
    now = here.now()
    with here.record.reading() as session:
        organisation = applicants_organisation(session, application, subject)
    edition = load_rules(organisation, brussels_day(now), here.settings.rules)
    documents = store_evidence(here, evidence, edition)
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
        return submit(Turn(session, now, here.key), application, documents, edition, again=again)


def store_evidence(here: Workspace, evidence: Sequence[Path], edition: RuleEdition) -> list[StoredDocument]:
    """The files in the document store, looked through by their content.

    Raises:
        InvalidInput: a file is too large, of no kind that is taken, or can't be read; none was stored.
        OutOfReach: the store does not answer.
    """
    limits = edition.national.limits
    uploads = inspect_all(
        evidence,
        UploadLimits(file_bytes=limits.upload_mib.value * _MIB, total_bytes=limits.uploads_mib.value * _MIB),
    )
    return [
        StoredDocument(
            kind="evidence",
            name=upload.name,
            key=here.documents.put(upload.content, upload.media_type),
            media_type=upload.media_type,
            size=upload.size,
        )
        for upload in uploads
    ]


def withdraw(application: str) -> Act:
    """Takes an application back, at any time before the decision."""
    return lambda turn, proof: rights.withdraw(turn, application, proof)


def appeal(application: str, grounds: str) -> Act:
    """Appeals against a refusal, where the rules have it; other people judge the application anew."""
    return lambda turn, proof: rights.appeal(turn, application, proof, grounds)
