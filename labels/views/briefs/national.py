"""What reviewers, applicants and coordinators are shown of an application for the National Quality Label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from labels.record.schema import Application, Step
from labels.rules.kept import rules_of
from labels.views.about import about, documents, exchanges
from labels.views.briefs.common import ReviewBrief, asked_for, criteria_shown
from labels.views.likeness import LikenessInShort, likeness_in_short


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalBrief(ReviewBrief):
    """A teacher's application, criterion by criterion."""

    description: str
    """The project in short, in the applicant's words."""
    likeness: tuple[LikenessInShort, ...]
    """That it reads like another application; which, is the coordinators' to see."""


def national_brief(session: Session, application: Application, awaited: Sequence[Step]) -> NationalBrief:
    """What somebody needs to know before answering."""
    edition = rules_of(session, application)
    return NationalBrief(
        asked=asked_for(awaited),
        about=about(session, application),
        description=application.content["description"],
        likeness=likeness_in_short(session, application),
        exchanges=exchanges(session, application),
        documents=documents(session, application, "application", "evidence", to_answer=True),
        criteria=criteria_shown(edition, application.content["sections"], {}),
        points=edition.criteria_set.points,
    )
