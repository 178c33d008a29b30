"""What happened to the applications of some organisations, in the order of the journal: for a platform beside us.

Of the journal it has what a coordinator of the organisation sees, without who did it and without what anybody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.record.journal import Event
from labels.record.schema import Application, Journal


class Change(StrEnum):
    """What happened, as programs are told: these words stay, whatever the journal says to people."""

    SUBMITTED = "application.submitted"
    CONDITIONS_MET = "application.conditions_met"
    AWARDED = "application.awarded"
    REFUSED = "application.refused"
    INELIGIBLE = "application.ineligible"
    WITHDRAWN = "application.withdrawn"
    EXPIRED = "application.expired"
    NOMINATED = "application.nominated"
    APPEALED = "application.appealed"
    REOPENED = "application.reopened"
    CLOSED = "application.closed"
    LABEL_REVOKED = "label.revoked"
    PAPER_ISSUED = "paper.issued"
    PAPER_REISSUED = "paper.reissued"
    DEADLINE_MOVED = "deadline.moved"
    REVIEW_ASKED = "review.asked"
    REVIEW_GIVEN = "review.given"
    REVIEWER_MISSING = "reviewer.missing"
    DECISION_ASKED = "decision.asked"
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_EXPIRED = "question.expired"
    QUESTION_TAKEN_BACK = "question.taken_back"
    SCHOOL_INVITED = "school.invited"
    SELF_ASSESSMENT_HANDED_IN = "self_assessment.handed_in"
    SELF_ASSESSMENT_DECLARED = "self_assessment.declared"
    SELF_ASSESSMENT_NOT_DECLARED = "self_assessment.not_declared"
    PROPOSED = "nomination.proposed"
    SCREENED = "nomination.screened"
    EUROPEAN_LABEL = "nomination.european_label"


TOLD: Mapping[Event, Change] = {
    Event.SUBMITTED: Change.SUBMITTED,
    Event.MET_ALL_CONDITIONS: Change.CONDITIONS_MET,
    Event.AWARDED: Change.AWARDED,
    Event.REFUSED: Change.REFUSED,
    Event.INELIGIBLE: Change.INELIGIBLE,
    Event.WITHDRAWN: Change.WITHDRAWN,
    Event.EXPIRED: Change.EXPIRED,
    Event.NOMINATED: Change.NOMINATED,
    Event.APPEALED: Change.APPEALED,
    Event.REOPENED: Change.REOPENED,
    Event.CLOSED: Change.CLOSED,
    Event.REVOKED: Change.LABEL_REVOKED,
    Event.ISSUED: Change.PAPER_ISSUED,
    Event.REISSUED: Change.PAPER_REISSUED,
    Event.MOVED_A_DEADLINE: Change.DEADLINE_MOVED,
    Event.MOVED_A_DECISION_DATE: Change.DEADLINE_MOVED,
    Event.ASSIGNED_A_REVIEWER: Change.REVIEW_ASKED,
    Event.REVIEWED: Change.REVIEW_GIVEN,
    Event.ASKED_FOR_A_REVIEWER: Change.REVIEWER_MISSING,
    Event.ASKED_TO_DECIDE: Change.DECISION_ASKED,
    Event.ASKED_THE_APPLICANT: Change.QUESTION_ASKED,
    Event.ANSWERED_THE_QUESTION: Change.QUESTION_ANSWERED,
    Event.QUESTION_NOT_ANSWERED: Change.QUESTION_EXPIRED,
    Event.TOOK_BACK_A_QUESTION: Change.QUESTION_TAKEN_BACK,
    Event.INVITED: Change.SCHOOL_INVITED,
    Event.INVITED_AGAIN: Change.SCHOOL_INVITED,
    Event.HANDED_IN: Change.SELF_ASSESSMENT_HANDED_IN,
    Event.DECLARED: Change.SELF_ASSESSMENT_DECLARED,
    Event.NOT_DECLARED: Change.SELF_ASSESSMENT_NOT_DECLARED,
    Event.PROPOSED: Change.PROPOSED,
    Event.SCREENED: Change.SCREENED,
    Event.WON_THE_EUROPEAN_LABEL: Change.EUROPEAN_LABEL,
}
"""What of the journal is told; all else (codes, mail, conflicts of interest, people, staff) is nobody's beside us."""


@dataclass(frozen=True, slots=True)
class Told:
    """One change."""

    number: int
    """The entry's; not to be given out (`labels/platform/keys.py`)."""
    at: datetime
    what: Change
    application: str
    organisation: str
    label: LabelKind


def changes(
    session: Session, organisations: frozenset[str] | None, after: int, until: int, limit: int
) -> list[Told]:
    """The first changes after an entry of the journal and up to another, of some organisations; None for those of all."""
    query = _CHANGES
    if organisations is not None:
        query = query.where(Application.organisation.in_(organisations))
    found = session.execute(query, {"after": after, "until": until, "limit": limit})
    return [
        Told(row.id, row.at, TOLD[Event(row.what)], row.application, row.organisation, row.label)
        for row in found
    ]


def how_many(session: Session, organisations: frozenset[str] | None, after: int, until: int) -> int:
    """How many changes there are after an entry of the journal and up to another."""
    query = sa.select(sa.func.count()).select_from(Journal).join(Application, _OF_JOURNAL).where(*_BETWEEN)
    if organisations is not None:
        query = query.where(Application.organisation.in_(organisations))
    return session.scalar(query, {"after": after, "until": until}) or 0


_OF_JOURNAL = Application.id == Journal.application
_BETWEEN = (
    Journal.id > sa.bindparam("after"),
    Journal.id <= sa.bindparam("until"),
    Journal.what.in_([event.value for event in TOLD]),
)
_CHANGES = (
    sa.select(
        Journal.id,
        Journal.at,
        Journal.what,
        Journal.application,
        Application.organisation,
        Application.label,
    )
    .join(Application, _OF_JOURNAL)
    .where(*_BETWEEN)
    .order_by(Journal.id)
    .limit(sa.bindparam("limit"))
)
