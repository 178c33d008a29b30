"""The journal's pen: who did what, when, to which application."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from labels.record.rows import write
from labels.record.schema import Application, Journal, Outcome
from labels.turn import Turn

SYSTEM = "system"
"""Who did it, where no person did."""
RULES = "rules"
"""Who decided, where the rules did."""


class Event(StrEnum):
    """A kind of entry in the journal; its value is the sentence that the record keeps and people read.

    A sentence, once it was written, is changed by a migration only: queries find entries by it.
    """

    # An application, from its submission to its end
    SUBMITTED = "submitted"
    MET_ALL_CONDITIONS = "met all conditions"
    READS_LIKE_ANOTHER = "reads like another application"
    AWARDED = Outcome.AWARDED.value
    REFUSED = Outcome.REFUSED.value
    INELIGIBLE = Outcome.INELIGIBLE.value
    WITHDRAWN = Outcome.WITHDRAWN.value
    EXPIRED = Outcome.EXPIRED.value
    NOMINATED = Outcome.NOMINATED.value
    CLOSED = "closed"
    APPEALED = "appealed"
    REOPENED = "reopened a decision"
    ISSUED = "issued a paper"
    REISSUED = "issued a paper anew"
    REVOKED = "revoked a label"

    # Answers, and the codes that they are given with
    ASKED_FOR_A_CODE = "asked for a code"
    REFUSED_A_CODE = "refused a wrong code"
    NOT_ACCEPTED = "gave an answer that was not accepted"
    """An answer, or an act of a person who had proved who they are."""
    NOT_ACCEPTED_OF_NOBODY = "did not accept an answer"
    """An answer of which no code tells whose it was."""
    MOVED_A_DEADLINE = "moved a deadline"
    MOVED_A_DECISION_DATE = "moved the date of a decision"
    MOVED_A_DATE_FOR_ALL = "moved a date for all"
    """Of a round of the School Label, or of a year of the European one."""

    # Reviews
    ASSIGNED_A_REVIEWER = "assigned a reviewer"
    REVIEWED = "reviewed"
    NAMES_ALIKE = "a reviewer may be a member of the project by name"
    DECLINED_TO_REVIEW = "declined to review"
    ASKED_THE_APPLICANT = "asked the applicant"
    ANSWERED_THE_QUESTION = "answered the question"
    QUESTION_NOT_ANSWERED = "the applicant did not answer in time"
    TOOK_BACK_A_QUESTION = "took back a question to the applicant"
    HAS_NO_CONFLICT = "has no conflict of interest"
    """As a reviewer said who was asked before they were shown the application."""
    SENT_BACK_A_REVIEW = "sent a review back"
    TOOK_BACK_A_REVIEW = "took back a review"
    TOOK_BACK_A_REQUEST = "took back a request"
    ASKED_FOR_A_REVIEWER = "asked the coordinator for a reviewer"
    WAITS_FOR_A_PLAN = "waits for reviewers to be assigned together"
    PLANNED_REVIEWERS = "assigned reviewers by a plan"
    WISHES_TAKEN_OVER = "took over what reviewers wish"
    REASSIGNED = "reassigned"
    REMINDED = "reminded"
    """A coordinator did, of an answer that is awaited."""
    REVIEW_NOT_GIVEN = "a review was not given in time"
    CALLED_ONE_MORE = "called one more reviewer"
    ASKED_TO_DECIDE = "asked a coordinator to decide"
    RULED = "decided as a coordinator"
    DECLARED_A_CONFLICT = "declared a conflict of interest"
    LIFTED_A_CONFLICT = "lifted a conflict of interest"

    # The School Label
    ROUND_BEGAN = "began a round of the School Label"
    SCHOOLS_CHECKED = "checked every school"
    SCHOOLS_INVITED = "invited the schools"
    INVITED = "invited"
    INVITED_AGAIN = "invited again"
    PREFILLED = "filled in what the registry knows"
    CHOSE_WHO_HANDS_IN = "chose who hands in the self-assessment"
    HANDED_IN = "handed in the self-assessment"
    DECLARED = "declared the self-assessment"
    NOT_DECLARED = "did not declare the self-assessment"

    # The European Quality Label
    CYCLE_BEGAN = "began the cycle"
    LABELS_FROZEN = "froze the year's labels"
    PROPOSED = "proposed"
    ASKED_FOR_A_SCREENING = "asked for a screening"
    SCREENED = "screened the proposal"
    SCREENING_NOT_ANSWERED = "a screening was not answered in time"
    SCREENING_LAPSED = "the deadline of the screening passed"
    ORGANISATION_SCREENED = "an organisation has screened"
    NOMINATIONS_MERGED = "merged the nominations"
    ASKED_FOR_THE_AWARD = "asked for the award"
    DECIDED_ON_THE_AWARD = "decided on the award"
    NO_LONGER_QUALIFY = "no longer qualify"
    WON_THE_EUROPEAN_LABEL = "won the European Quality Label"
    CERTIFICATE_UNPRINTABLE = "a certificate can't be printed"
    STRUCK_AFTER_THE_SCREENING = "struck after the screening"
    PROJECT_REOPENED = "reopened a project"
    PUBLISHED_A_GALLERY = "published the gallery"
    GAVE_FOR_THE_GALLERY = "gave words or a picture for the gallery"
    TOOK_OUT_OF_THE_GALLERY = "took words and picture out of the gallery"
    STRUCK_FROM_THE_GALLERY = "struck words or a picture from the gallery"

    # Pupils' certificates
    CLASS_MADE = "made certificates for a class"
    CLASS_REVOKED = "revoked the certificates of a class"

    # The staff of organisations
    ENTERED_ON_A_STAFF = "entered somebody on a staff"
    CHANGED_ON_A_STAFF = "changed an entry of a staff"
    TO_LEAVE_A_STAFF = "is to leave a staff"
    LEFT_A_STAFF = "left a staff"
    REJOINED_A_STAFF = "is on a staff again"

    # Who is one person
    ASKED_TO_MERGE = "asked to make two persons one"
    MERGED_PERSONS = "made two persons one"
    TOLD_APART = "said that people are different"
    NOT_TOLD_APART = "took back that people are different"

    # The journal itself
    ERASED_A_PERSON = "erased a person's data"
    PLACED_A_HOLD = "placed a legal hold"
    LIFTED_A_HOLD = "lifted a legal hold"
    DEFERRED_AN_ERASURE = "deferred an erasure"
    TOLD_OF_FORMER_ROWS = "told of what was there before its digests"

    # Signing in
    BROKE_GLASS = "printed a code to sign in"
    """On the machine itself, for somebody whom no mail reaches."""
    ADDED_A_PASSKEY = "added a passkey"
    REMOVED_A_PASSKEY = "removed a passkey"
    BLOCKED_A_PASSKEY = "blocked a passkey"
    """Its counter showed that there is a copy of it."""

    # The platform beside us
    MADE_A_TOKEN = "made a token for a platform"
    ENDED_A_TOKEN = "ended a token of a platform"
    ADDED_A_WEBHOOK = "added a webhook"
    ROTATED_A_WEBHOOK = "gave a webhook another secret"
    ENDED_A_WEBHOOK = "ended a webhook"

    # Keys
    REPLACED_A_KEY = "replaced a key"
    ENDED_A_KEY = "ended a former key"

    # Documents
    CLEARED_THE_STORE = "deleted documents that nobody claims"

    # Mail
    MAIL_LATE = "mail late"
    MAIL_NOT_NEEDED = "mail not needed"
    ADDRESS_UNREACHED = "mail does not reach an address"
    ADDRESS_LIFTED = "sends mail to an address again"

    @classmethod
    def ending(cls, outcome: Outcome) -> Event:
        """The end of an application with this outcome."""
        return cls(outcome.value)


def note(
    turn: Turn,
    application: Application | None,
    who: str,
    event: Event,
    *,
    step: str | None = None,
    news: bool = True,
    **details: Any,
) -> None:
    """Adds one entry, in the transaction of the change that it tells of.

    An entry that is news to the application's run moves its revision on, by which the run knows that
    there is something it has not seen. What changes nothing that it does or shows (a refused answer,
    a code that somebody asked for) is none, and wakes nobody.
    """
    write(
        turn.session,
        Journal,
        entry(turn, application.id if application else None, who, event, step, **details),
    )
    if application and news:
        application.revision += 1


def note_all(
    turn: Turn, application: Application, who: str, event: Event, several: Sequence[dict[str, Any]]
) -> None:
    """Adds an entry of one kind for each of several details, in one statement; each is news."""
    write(turn.session, Journal, *(entry(turn, application.id, who, event, **details) for details in several))
    application.revision += len(several)


def entry(
    turn: Turn, application: str | None, who: str, event: Event, step: str | None = None, **details: Any
) -> dict[str, Any]:
    """One entry as a row, for those who write many at once; it moves no revision."""
    return {
        "at": turn.now,
        "who": who,
        "what": event.value,
        "application": application,
        "step": step,
        "details": details
        | ({"door": turn.door.value} if turn.door else {})
        | ({"known_by": turn.known_by} if turn.known_by else {})
        | ({"person": turn.person} if turn.person and who == turn.by else {}),
    }


def by_plan(plan: str) -> dict[str, Any]:
    """What an entry says of the plan for many applications of which it is one row; nothing where it is of none."""
    return {"plan": plan} if plan else {}
