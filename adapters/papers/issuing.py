"""From the facts of a paper to its file in the document store, on the way to the record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from adapters.papers.signing import signer_of
from adapters.workspace import Workspace
from labels.papers.facts import CertificateFacts
from labels.papers.issued import PDF, DuePaper, MadePaper, enter


def issue(here: Workspace, due: Sequence[DuePaper]) -> list[str]:
    """Papers that are due rendered, stored and in the record, one after the other; the names of their files.

    Raises:
        InvalidInput: something that one states can't be printed, or it can't be signed and must be.
        OutOfReach: the document store does not answer.
    """
    for paper in due:
        made = make(here, paper)
        with here.record.writing() as session:
            enter(here.turn(session), paper, made)
    return [paper.name for paper in due]


def make(here: Workspace, due: DuePaper) -> MadePaper:
    """The paper rendered and stored; the record does not know it yet.

    Raises:
        InvalidInput: something that it states can't be printed, each letter is named; or it can't be signed and must be.
        OutOfReach: the document store does not answer.
    """
    signer_of(here.settings, must=due.must_be_signed)  # before the work of rendering, if it can't be signed
    # WeasyPrint takes half a second to import, and most executions end in a suspension before it.
    from adapters.papers.certificates import render_certificate
    from adapters.papers.credentials import render_credential
    from adapters.papers.letters import render_letter

    branding = here.settings.branding
    if isinstance(due.facts, CertificateFacts):
        content = render_certificate(due.facts, render_credential(due.facts, branding), branding)
    else:
        content = render_letter(due.facts, branding)
    return store(here, content, must_be_signed=due.must_be_signed)


def store(here: Workspace, content: bytes, *, must_be_signed: bool) -> MadePaper:
    """A rendered paper, signed where a key is configured, in the document store.

    A signature is another each time. So a run that was interrupted before the record knew of the paper leaves
    a file that nobody claims; what the record knows is never replaced.

    Raises:
        InvalidInput: signatures are required and there is no key, or it can't be used; nothing is stored.
        OutOfReach: the time-stamp service or the document store does not answer.
    """
    signer = signer_of(here.settings, must=must_be_signed)
    if signer:
        content = signer.sign(content, here.now())
    return MadePaper(
        key=here.documents.put(content, PDF),
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        signer=signer.fingerprint if signer else None,
    )
