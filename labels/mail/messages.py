"""The messages that people get: one model for each, which says what the mail tells and what it invites to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from labels.mail.message import (
    NOTHING,
    CallToAction,
    Line,
    Message,
    OfApplication,
    OfStep,
    PasskeyNews,
    Prose,
    Said,
    Several,
    Template,
    Values,
)
from labels.record.schema import Cause, StepKind
from labels.words.sentences import say

# To applicants ------------------------------------------------------------------------------------


class Receipt(OfApplication):
    """An application has arrived."""

    template = Template.RECEIPT
    calls = (CallToAction.WITHDRAW,)
    round: Line = ""
    decide_by: datetime | None = None
    warnings: Several[Said] = ()
    documents: Several[Line] = ()
    """The names of the files that came with it."""


class InformationAsked(OfStep):
    """A reviewer asks the applicant something."""

    template = Template.INFORMATION_ASKED
    asks = True
    calls = (CallToAction.ANSWER,)
    question: Prose


class InformationReceived(OfApplication):
    """The applicant's answer has arrived."""

    template = Template.INFORMATION_RECEIVED


class InformationLapsed(OfApplication):
    """The time for the applicant's answer is over, and the review goes on without it."""

    template = Template.INFORMATION_LAPSED
    calls = (CallToAction.SEE_OWN,)
    due: datetime | None
    question: Prose


class InformationNotNeeded(OfApplication):
    """A question needs no answer any more: whoever asked judges no longer, and nobody follows them."""

    template = Template.INFORMATION_NOT_NEEDED
    calls = (CallToAction.SEE_OWN,)
    question: Prose


class Ineligible(OfApplication):
    """The conditions that an application does not meet."""

    class Condition(Values):
        """One that is not met, and what can be done about it."""

        problem: Said
        remedy: Said

    template = Template.INELIGIBLE
    calls = (CallToAction.SEE_OWN,)
    conditions: Several[Condition]


class Scored(OfApplication):
    """A decision with the points and what the reviewers say."""

    total: Decimal
    maximum: Decimal
    comments: Several[Prose] = ()


class Awarded(Scored):
    """The National Quality Label is awarded."""

    template = Template.AWARDED
    calls = (CallToAction.SEE_OWN,)


class Refused(Scored):
    """The National Quality Label is not awarded: why, and what can be done now."""

    template = Template.REFUSED
    calls = (CallToAction.APPEAL,)
    reasons: Several[Said]
    routes: Several[Said]


class Withdrawn(OfApplication):
    """An application is withdrawn, as its applicant asked."""

    template = Template.WITHDRAWN
    calls = (CallToAction.SEE_OWN,)


class AppealReceived(OfApplication):
    """An appeal has arrived."""

    template = Template.APPEAL_RECEIVED
    calls = (CallToAction.WITHDRAW,)


class DecisionReopened(OfApplication):
    """A decision was reopened, for whoever applied: nothing in it names who judged."""

    template = Template.DECISION_REOPENED
    calls = (CallToAction.WITHDRAW,)
    cause: Cause
    suspended: bool
    """Whether there was a label, which does not count until the new decision."""
    reason: Prose
    """As the coordinator wrote it; empty where it may name somebody who judged."""


class EuropeanAwarded(OfApplication):
    """The European Quality Label is awarded to a teacher."""

    template = Template.EUROPEAN_AWARDED
    year: int


class StruckFromGallery(OfApplication):
    """Words or a picture that a teacher gave for the gallery were taken out."""

    template = Template.STRUCK_FROM_GALLERY
    year: int
    picture: bool
    """Whether it was the picture; else the words."""
    reason: Prose


# To holders ---------------------------------------------------------------------------------------


class LabelRevoked(OfApplication):
    """A label was taken back."""

    template = Template.LABEL_REVOKED
    reason: Prose


class PaperReissued(OfApplication):
    """A corrected certificate, which replaces the former."""

    class Change(Values):
        """What one thing on it was, and what it is now; empty where it is not stated."""

        was: Line
        now: Line

    template = Template.PAPER_REISSUED
    paper: Line
    """The paper's key in the record."""
    certificate_code: Line
    changes: Several[Change]
    reason: Prose

    @property
    def subject(self) -> str:
        return self.paper


class ClassRevoked(Message):
    """The certificates of a class were taken back; the teacher's label stays."""

    template = Template.CLASS_REVOKED
    application: Line
    """The number of the class."""
    award: Line
    project_title: Line
    organisation_name: Line
    pupils: int
    reason: Prose

    @property
    def subject(self) -> str:
        return self.application


class PupilCode(Message):
    """A code by which a teacher has certificates made for a class."""

    template = Template.PUPIL_CODE
    asks = True
    calls = (CallToAction.MAKE_CERTIFICATES,)
    award: Line
    number: int
    """How many codes were asked for before, and this one."""
    project_title: Line
    organisation_name: Line
    until: datetime
    purpose: Said = NOTHING

    @property
    def subject(self) -> str:
        return self.award


# To whoever signs in ------------------------------------------------------------------------------


class SignInCode(Message):
    """A code by which somebody signs in at the desk."""

    template = Template.SIGN_IN
    asks = True
    attempt: Line
    """Which of the codes that were asked for it is."""
    organisation_name: Line
    until: datetime

    @property
    def subject(self) -> str:
        return f"sign-in/{self.attempt}"


class AddressCorrected(Message):
    """A person's address was corrected in the registry; to both addresses, so it names neither."""

    template = Template.ADDRESS_CORRECTED
    person: Line
    """Their id."""
    steps: int
    """How many open steps got a new code."""
    organisation_name: Line

    @property
    def subject(self) -> str:
        return self.person


class AddressUnreached(Message):
    """To a coordinator: mail to somebody's address came back for good, and what is to be done."""

    template = Template.ADDRESS_UNREACHED
    bounce: Line
    """The report's id."""
    organisation_name: Line
    name: Line
    address: Line
    said: Line
    """By the mail server."""

    @property
    def subject(self) -> str:
        return f"bounce/{self.bounce}"


class LeftStaff(Message):
    """To somebody who left the staff of an organisation, or has one of two roles no longer: what was asked of them is
    others' now."""

    template = Template.LEFT_STAFF
    person: Line
    """Their id."""
    organisation_name: Line
    left_on: date
    steps: int
    """How much that was asked of them goes to others."""
    ended: Several[Line] = ()
    stays: Several[Line] = ()
    """The roles that they have there still; none if they left, as mail from before this was told has it."""

    @property
    def subject(self) -> str:
        return self.person


class ColleagueLeft(Message):
    """To the coordinators of somebody who left, or coordinates no longer, with something open: who has it now."""

    MOST: ClassVar[int] = 100

    class Handed(Values):
        """One thing that was asked of them."""

        application: Line
        what: Said
        title: Line
        now: Several[Line] = ()
        """Whom it is asked of now, by name and address; nobody where it is not asked any more."""
        chooses: bool = False
        """Whether those choose somebody, since nobody could be asked by the rules."""

    template = Template.COLLEAGUE_LEFT
    calls = (CallToAction.SEE_STUCK,)
    person: Line
    organisation_name: Line
    name: Line
    email: Line
    left_on: date
    ended: Several[Line] = ()
    stays: Several[Line] = ()
    """As of `LeftStaff`."""
    number: int
    handed: Several[Handed]

    @property
    def subject(self) -> str:
        return self.person


class OrganisationCode(Message):
    """A coordinator's code for one act that is about no application."""

    template = Template.ORGANISATION_CODE
    asks = True
    organisation: Line
    organisation_name: Line
    person: Line
    """Their id."""
    number: int
    """Which of their codes it is."""

    @property
    def subject(self) -> str:
        return f"{self.organisation}/{self.person}"


class MergeAsked(Message):
    """Another coordinator says that two persons of the record are one: a second one confirms it, or nobody does."""

    template = Template.MERGE_ASKED
    calls = (CallToAction.SEE_MERGE, CallToAction.GET_ORGANISATION_CODE)
    merge: Line
    organisation: Line
    organisation_name: Line
    gone: Line
    """Name, address and id."""
    kept: Line
    by: Line
    reason: Prose

    @property
    def subject(self) -> str:
        return self.merge


class GlassBroken(Message):
    """Somebody had a code to sign in printed on the machine itself; told to all coordinators."""

    template = Template.GLASS_BROKEN
    attempt: Line
    organisation_name: Line
    who: Line
    """Whom the code signs in."""
    at: datetime
    until: datetime

    @property
    def subject(self) -> str:
        return f"break-glass/{self.attempt}"


class PasskeyChanged(Message):
    """What became of a person's passkey, told to them: whoever did not do it themselves learns of it."""

    template = Template.PASSKEY_CHANGED
    person: Line
    passkey: Line
    """What tells it from their others."""
    news: PasskeyNews
    name: Line
    """What they call it."""
    at: datetime
    organisation_name: Line

    @property
    def subject(self) -> str:
        return f"{self.person}/{self.passkey}/{self.news}/{self.at.isoformat()}"


# To everybody who is awaited ----------------------------------------------------------------------


class Code(OfStep):
    """A fresh one-time code for a step."""

    template = Template.CODE
    asks = True
    purpose: Said
    why: Prose = ""
    """Why an answer was not accepted, where that is why it is sent."""


class DeadlineMoved(OfApplication):
    """A step has a new deadline."""

    template = Template.DEADLINE_MOVED
    what: StepKind
    due: datetime
    reason: Prose


class Digest(Message):
    """What a person is informed of in one day."""

    organisation_name: Line
    number: int
    overdue: Several[Said] = ()
    more_overdue: int = 0
    """Those that the list leaves out."""
    journal: Line = ""
    """For a coordinator: where the chain of the journal stands."""
    news: Several[Said] = ()
    """What is new, for whoever wants it in one message a day."""
    more_news: int = 0

    series: ClassVar[str] = "digest"
    """Everybody has one of a series a day."""

    @property
    def subject(self) -> str:
        return self.series

    def reason_for(self, *parts: object) -> str:
        return self.reason_of(*parts)

    @classmethod
    def reason_of(cls, *parts: object) -> str:
        """The reason of the digest of a person and day."""
        return "/".join(map(str, (cls.series, *parts)))


class Reminder(Digest):
    """A person's own deadlines that are near, and what is overdue for a coordinator."""

    template = Template.REMINDER
    calls = (CallToAction.SEE_INBOX, CallToAction.SEE_STUCK)
    step: Line
    """The first that is due, by `first`."""
    first: datetime
    items: Several[Said]
    more: int = 0
    passed: bool = False
    """Whether `first` is past."""


class Overdue(Digest):
    """What others are late with, for a coordinator who has no deadline of their own."""

    template = Template.OVERDUE
    calls = (CallToAction.SEE_STUCK,)
    again: bool = False
    """Whether they are told of it again while it stays so."""


class News(Digest):
    """What is new to somebody of a staff who wants that once a day, where no other digest of the day tells it."""

    series = "news"
    template = Template.NEWS
    calls = (CallToAction.SEE_INBOX,)


class ChangedTogether(Message):
    """To somebody whom it concerns what a coordinator did about many applications at once: one message for all of it.

    It carries no codes: whoever answers on the command line asks for that of each.
    """

    MOST: ClassVar[int] = 100

    template = Template.CHANGED_TOGETHER
    calls = (CallToAction.SEE_INBOX,)
    plan: Line
    """The plan that was carried out."""
    person: Line
    step: Line
    """The first of what it tells."""
    organisation_name: Line
    reason: Prose
    number: int
    """Of applications."""
    asked: Several[Said] = ()
    """What is asked of them now."""
    ended: Several[Said] = ()
    """What is asked of them no longer."""
    moved: Several[Said] = ()
    """What is due at another time."""
    awaited: Several[Said] = ()
    """Of what they are reminded."""
    more: int = 0
    """Those that the lists leave out."""

    @property
    def subject(self) -> str:
        return self.plan


class DecisionsMoved(Message):
    """To somebody who applies: a coordinator moved the dates by which decisions are due; one message for all of theirs."""

    template = Template.DECISIONS_MOVED
    calls = (CallToAction.SEE_OWN,)
    plan: Line
    """The plan that was carried out."""
    person: Line
    organisation_name: Line
    application: Line
    """The first of theirs."""
    reason: Prose
    moved: Several[Said]

    @property
    def subject(self) -> str:
        return self.plan


class CodesVoid(Message):
    """To somebody whose codes and links were replaced since others may have had the key that they were made with.

    It has the code of the one task that awaits them; where there are several, as in `ChangedTogether`, none.
    """

    template = Template.CODES_VOID
    calls = (CallToAction.SEE_INBOX,)
    person: Line
    step: Line
    """The first of what awaits them."""
    organisation_name: Line
    number: int
    """Of tasks."""

    @property
    def subject(self) -> str:
        return self.person


class JournalHead(Message):
    """Where the chain of the journal stands, for a coordinator whom no digest of the month told it."""

    template = Template.JOURNAL_HEAD
    calls = (CallToAction.CHECK_JOURNAL,)
    organisation_name: Line
    month: Line
    head: Line

    @property
    def subject(self) -> str:
        return f"journal/{self.month}"


# To reviewers and coordinators --------------------------------------------------------------------


class ReviewAsked(OfStep):
    """A reviewer is asked to review an application."""

    template = Template.REVIEW_ASKED
    headline = say("An application for you to review")
    asks = True
    calls = (CallToAction.REVIEW,)
    question: Prose = ""
    """What the former reviewer of the seat had asked the applicant."""
    answer: Prose = ""
    """The applicant's answer; empty where there was none in time."""


class ReviewReturned(OfStep):
    """The applicant answered, or did not in time (an empty answer): the review is the reviewer's again."""

    template = Template.REVIEW_RETURNED
    headline = say("Your review goes on")
    asks = True
    calls = (CallToAction.REVIEW,)
    question: Prose
    answer: Prose


class ReviewSentBack(OfStep):
    """A coordinator asks a reviewer to go over a review that they gave; it is a draft again."""

    template = Template.REVIEW_SENT_BACK
    headline = say("Your review is a draft again")
    asks = True
    calls = (CallToAction.REVIEW,)
    reason: Prose


class ReviewVoid(OfStep):
    """A review, or the search for a reviewer, is no longer needed."""

    template = Template.REVIEW_VOID
    headline = say("Your review is no longer needed")
    reason: Prose = ""


class AssignmentAsked(OfStep):
    """A coordinator must find a reviewer."""

    template = Template.ASSIGNMENT_ASKED
    headline = say("A reviewer is needed")
    asks = True
    calls = (CallToAction.ASSIGN,)
    reasons: Several[Said]
    """Why nobody of the staff could be asked, a person each."""
    chosen: bool = False
    """Whether the rules leave it to a coordinator, rather than that they found nobody."""


class DecisionAsked(OfStep):
    """A coordinator is asked to decide, since the rules leave it to a person."""

    template = Template.DECISION_ASKED
    headline = say("An application to decide on")
    asks = True
    calls = (CallToAction.DECIDE,)
    reviews: int
    """How many are in."""


class PlanAwaited(OfStep):
    """The first of the applications that wait until a coordinator has reviewers assigned to all of them together."""

    template = Template.PLAN_AWAITED
    headline = say("Applications wait for reviewers")
    calls = (CallToAction.PLAN_REVIEWERS,)
    organisation: Line


class Reopening(OfApplication):
    """A decision was reopened, for whoever judged or coordinates."""

    template = Template.REOPENING
    calls = (CallToAction.SEE_APPLICATION,)
    cause: Cause
    review_counts: bool | None = None
    """Of whoever judged: whether their review counts still."""
    reason: Prose = ""
    """Empty where it may name somebody else who judged."""
    consequences: Several[Line] = ()
    """All that hung on it, for coordinators."""


class SimilarityWarning(OfApplication):
    """An application reads like another, for a coordinator."""

    template = Template.SIMILARITY_WARNING
    headline = say("Two applications read alike")
    calls = (CallToAction.SEE_APPLICATION, CallToAction.SEE_OTHER)
    other: Line
    percent: int
    """How much of their text is shared."""
    sections: Several[Said]
    same_project: bool = True
    """Whether both are of one project, as all were that earlier versions told of."""
    more: int = 0
    """How many applications it reads like besides."""


class NamesAlike(OfStep):
    """Whoever was asked to review has a name that may be that of a member of the project, for a coordinator."""

    template = Template.NAMES_ALIKE
    headline = say("A reviewer may be a member of the project")
    calls = (CallToAction.SEE_APPLICATION,)
    reviewer: Line
    reviewer_email: Line
    names: Several[Line]
    """Of the applicant or members, whom the reviewer may be."""


class ConflictLifted(OfApplication):
    """A coordinator took back that a reviewer has a conflict of interest, for that reviewer."""

    template = Template.CONFLICT_LIFTED
    headline = say("A conflict of interest was lifted")
    reason: Prose


class ScreeningAsked(OfStep):
    """A coordinator is asked to screen the proposal for the European Quality Label."""

    class Proposed(Values):
        """A label or project that is proposed, with its points if it has any."""

        candidate: Line
        points: Decimal | None
        title: Line

    template = Template.SCREENING_ASKED
    headline = say("A proposal to screen")
    asks = True
    calls = (CallToAction.SCREEN,)
    year: int
    number: int
    proposed: Several[Proposed]
    again: bool
    """Whether others moved up in the place of what was struck."""


class ScreeningLapsed(OfApplication):
    """What counts now that nobody screened by the deadline, for a coordinator."""

    template = Template.SCREENING_LAPSED
    headline = say("The deadline for your screening has passed")
    year: int
    number: int
    kept: bool
    """Whether the proposal counts as it stands."""


class PointsMissing(OfApplication):
    """How many of an organisation's labels can't be ranked, as the record has no points for them, for a coordinator."""

    template = Template.POINTS_MISSING
    headline = say("Labels without points are not put forward")
    year: int
    of_organisation: Line
    number: int
    labels: int
    """All of its labels, or projects, of the year."""
    proposed: int


class AwardingAsked(OfStep):
    """The Central Support Service is asked to award the European Quality Label."""

    template = Template.AWARDING_ASKED
    headline = say("An award to decide on")
    asks = True
    calls = (CallToAction.AWARD,)
    year: int
    number: int
    first: Line = ""
    """Who answered before."""


class EuropeanResult(OfApplication):
    """What became of what an organisation put forward."""

    class Result(Values):
        """What became of one project."""

        project: Line
        title: Line
        awarded: bool
        why: Prose = ""
        """Why it is not awarded."""

    template = Template.EUROPEAN_RESULT
    headline = say("What became of your nominations")
    calls = (CallToAction.SEE_CYCLE,)
    nomination: Line
    year: int
    number: int
    won: int
    results: Several[Result]

    @property
    def subject(self) -> str:
        return self.nomination


# To schools ---------------------------------------------------------------------------------------


class SchoolInvited(OfStep):
    """A teacher is invited to their school's self-assessment for the School Label."""

    class Conditions(Values):
        """How the school meets the conditions."""

        registered_on: date
        active: int
        """Teachers who were active since `active_since`."""
        active_since: date
        project_title: Line
        awarded_on: date

    template = Template.SCHOOL_INVITED
    asks = True
    calls = (CallToAction.SEE_QUESTIONS, CallToAction.HAND_IN)
    why: Conditions | None = None


class SchoolInvitation(OfApplication):
    """The principal's letter of invitation."""

    template = Template.SCHOOL_INVITATION
    due: datetime | None


class SchoolDeclaration(OfStep):
    """The principal is asked to confirm what the school says of itself."""

    template = Template.SCHOOL_DECLARATION
    asks = True
    calls = (CallToAction.CONFIRM, CallToAction.SEND_BACK)
    by: Line
    """Who handed it in."""
    summary: Several[Line]


class SchoolReturned(OfStep):
    """The principal did not confirm it: back to the teacher who handed it in."""

    template = Template.SCHOOL_RETURNED
    asks = True
    calls = (CallToAction.HAND_IN_AGAIN,)
    reason: Prose


class SchoolReceived(OfApplication):
    """A school's application has arrived."""

    template = Template.SCHOOL_RECEIVED
    decide_by: datetime
    documents: Several[Line] = ()


class SchoolAwarded(Scored):
    """The School Label is awarded."""

    template = Template.SCHOOL_AWARDED
    awarded_on: date
    valid_from: date | None = None
    """Its first day; absent from what was queued before it could be another than that of the award."""
    valid_until: date


class SchoolRefused(Scored):
    """The School Label is not awarded: why, and what can be done now."""

    template = Template.SCHOOL_REFUSED
    reasons: Several[Said]
    routes: Several[Said]


class SchoolExpired(OfApplication):
    """Nothing complete was handed in in time."""

    template = Template.SCHOOL_EXPIRED
    due: datetime | None
    routes: Several[Said]


# --------------------------------------------------------------------------------------------------


def models(of: type[Message] = Message) -> Iterator[type[Message]]:
    """Every model that has a template of its own."""
    for one in of.__subclasses__():
        if "template" in vars(one):
            yield one
        yield from models(one)


BY_TEMPLATE: Mapping[Template, type[Message]] = {one.template: one for one in models()}

ASKS = frozenset(template for template, model in BY_TEMPLATE.items() if model.asks)
"""The messages that are pointless once their step is closed."""
