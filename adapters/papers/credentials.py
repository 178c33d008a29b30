"""The credential of a certificate in the words of its language."""

from __future__ import annotations

from pathlib import Path

from adapters.papers.environment import texts
from labels.papers.branding import brand_of
from labels.papers.credential import Wording, credential_of
from labels.papers.facts import CertificateFacts


def render_credential(facts: CertificateFacts, branding: Path | None = None) -> bytes | None:
    """The credential to attach to a certificate, the same bytes for the same facts; None where it has no code.

    `branding` is the folder of organisations' own words.
    """
    if facts.code is None:
        return None
    words = texts("certificates", facts.label.value, facts.language, brand_of(branding, facts.issuer))
    say = words.words
    said = {"language": words.language, "criteria_set": words.named("criteria set", facts.criteria_set)}
    project = f"“{facts.project}”" if facts.project else ""
    sentence = " ".join(filter(None, (say["before_project"], project, say["after_project"])))
    criteria = say["after_project"]
    return credential_of(facts.model_copy(update=said), Wording(say["title"], sentence, criteria)).canonical()
