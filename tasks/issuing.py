"""From the facts of a paper to its file in the document store, on the way to the record."""

from __future__ import annotations

import hashlib

from labels.issued import PDF, MadePaper
from labels.papers import CertificateFacts, LetterFacts
from tasks.workspace import Workspace


def make(here: Workspace, facts: CertificateFacts | LetterFacts) -> MadePaper:
    """The paper rendered and stored; the record does not know it yet.

    Raises:
        InvalidInput: something that it states can't be printed; each letter is named.
        OutOfReach: the document store does not answer.
    """
    # WeasyPrint takes half a second to import, and most executions end in a suspension before it.
    from tasks.rendering.certificates import render_certificate
    from tasks.rendering.credentials import render_credential
    from tasks.rendering.letters import render_letter

    if isinstance(facts, CertificateFacts):
        return store(here, render_certificate(facts, render_credential(facts)))
    return store(here, render_letter(facts))


def store(here: Workspace, content: bytes) -> MadePaper:
    """A rendered paper in the document store."""
    return MadePaper(
        key=here.documents.put(content, PDF),
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        signer=None,
    )
