"""The language in which a paper is written."""

from __future__ import annotations

from labels.rules.model import RuleEdition
from labels.words.languages import ENGLISH, primary, translated


def paper_language(spoken: str, edition: RuleEdition) -> str:
    """The language of a paper for a person or organisation that speaks `spoken`.

    Where that has no catalogue, the first of the organisation's own languages that has one (`papers.languages`
    of its rules), else English. Source: assumption.
    """
    own = edition.papers.languages.value if edition.papers else ()
    for language in map(primary, (spoken, *own)):
        if language in translated():
            return language
    return ENGLISH
