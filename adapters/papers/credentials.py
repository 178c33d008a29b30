"""The credential of a certificate in the words of its language."""

from __future__ import annotations

from pathlib import Path

from adapters.languages.wording import filled
from adapters.papers.environment import texts
from labels.papers.branding import brand_of
from labels.papers.credential import Credential, StatusEntry, Wording, credential_of
from labels.papers.facts import CertificateFacts


def render_credential(facts: CertificateFacts, branding: Path | None = None) -> bytes | None:
    """The credential to attach to a certificate, the same bytes for the same facts; None where it has no code.

    `branding` is the folder of organisations' own words.
    """
    return worded_credential(facts, branding).canonical() if facts.code else None


def worded_credential(
    facts: CertificateFacts, branding: Path | None = None, listed: StatusEntry | None = None
) -> Credential:
    """The credential of a certificate that has a code; `listed` says where its status is in a published list."""
    brand = brand_of(branding, facts.issuer)
    words = texts("certificates", facts.label.value, facts.language, brand)
    say, criteria = words.words, texts("credentials", facts.label.value, words.language, brand).words
    criteria_set = words.named("criteria set", facts.criteria_set)
    project = f"“{facts.project}”" if facts.project else ""
    sentence = " ".join(filter(None, (say["before_project"], project, say["after_project"])))
    earned = [criteria["earned"]]
    if criteria_set:
        earned.append(filled(criteria["judged"], criteria_set=criteria_set))
    said = facts.model_copy(update={"language": words.language, "criteria_set": criteria_set})
    return credential_of(said, Wording(say["title"], sentence, " ".join(earned)), listed)
