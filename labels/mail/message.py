"""What every message of the outbox is made of: its template, the acts it invites to, and the kinds of its values."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from labels.kinds import LabelKind
from labels.words.sentences import Sentence, say
from labels.words.text import clean, cut, one_line

LONGEST_LINE = 300
LONGEST_TEXT = 8_000
LONGEST_LIST = 100
"""Beyond these a value is cut: a mail tells of the application, it is not its archive."""

NEAR = timedelta(days=3)
"""A deadline so near is told at once, also to whoever wants one message a day."""


class Template(StrEnum):
    """The messages there are, each named like its template; `labels/mail/messages.py` has a model of each."""

    RECEIPT = "receipt"
    REVIEW_ASKED = "review_asked"
    REVIEW_RETURNED = "review_returned"
    REVIEW_SENT_BACK = "review_sent_back"
    REVIEW_VOID = "review_void"
    INFORMATION_ASKED = "information_asked"
    INFORMATION_LAPSED = "information_lapsed"
    INFORMATION_NOT_NEEDED = "information_not_needed"
    INFORMATION_RECEIVED = "information_received"
    ASSIGNMENT_ASKED = "assignment_asked"
    PLAN_AWAITED = "plan_awaited"
    DECISION_ASKED = "decision_asked"
    CODE = "code"
    AWARDED = "awarded"
    REFUSED = "refused"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"
    APPEAL_RECEIVED = "appeal_received"
    DECISION_REOPENED = "decision_reopened"
    REOPENING = "reopening"
    DEADLINE_MOVED = "deadline_moved"
    PUPIL_CODE = "pupil_code"
    SIMILARITY_WARNING = "similarity_warning"
    NAMES_ALIKE = "names_alike"
    CONFLICT_LIFTED = "conflict_lifted"
    SCREENING_ASKED = "screening_asked"
    SCREENING_LAPSED = "screening_lapsed"
    POINTS_MISSING = "points_missing"
    AWARDING_ASKED = "awarding_asked"
    EUROPEAN_AWARDED = "european_awarded"
    EUROPEAN_RESULT = "european_result"
    STRUCK_FROM_GALLERY = "struck_from_gallery"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    NEWS = "news"
    JOURNAL_HEAD = "journal_head"
    SCHOOL_INVITED = "school_invited"
    SCHOOL_INVITATION = "school_invitation"
    SCHOOL_DECLARATION = "school_declaration"
    SCHOOL_RETURNED = "school_returned"
    SCHOOL_RECEIVED = "school_received"
    SCHOOL_AWARDED = "school_awarded"
    SCHOOL_REFUSED = "school_refused"
    SCHOOL_EXPIRED = "school_expired"
    LABEL_REVOKED = "label_revoked"
    PAPER_REISSUED = "paper_reissued"
    CLASS_REVOKED = "class_revoked"
    SIGN_IN = "sign_in"
    GLASS_BROKEN = "glass_broken"
    ADDRESS_CORRECTED = "address_corrected"
    LEFT_STAFF = "left_staff"
    ORGANISATION_CODE = "organisation_code"
    MERGE_ASKED = "merge_asked"
    COLLEAGUE_LEFT = "colleague_left"
    CHANGED_TOGETHER = "changed_together"
    DECISIONS_MOVED = "decisions_moved"
    PASSKEY_CHANGED = "passkey_changed"
    CODES_VOID = "codes_void"
    ADDRESS_UNREACHED = "address_unreached"


class PasskeyNews(StrEnum):
    """What became of a passkey."""

    ADDED = "added"
    REMOVED = "removed"
    BLOCKED = "blocked"
    """There is a copy of it."""


class CallToAction(StrEnum):
    """What a message invites its recipient to do. How that is done, by a command or a page, the adapter says."""

    REVIEW = "review"
    ANSWER = "answer"
    ASSIGN = "assign"
    """To name a reviewer."""
    DECIDE = "decide"
    """To award a label, or not, or to call one more reviewer."""
    PLAN_REVIEWERS = "plan_reviewers"
    """For many applications together."""
    SCREEN = "screen"
    AWARD = "award"
    HAND_IN = "hand_in"
    HAND_IN_AGAIN = "hand_in_again"
    CONFIRM = "confirm"
    SEND_BACK = "send_back"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"
    MAKE_CERTIFICATES = "make_certificates"
    """For the pupils of a class."""
    SEE_APPLICATION = "see_application"
    SEE_OWN = "see_own"
    """Of an applicant, who sees where it stands and what came of it."""
    SEE_OTHER = "see_other"
    SEE_QUESTIONS = "see_questions"
    """Of a school's self-assessment, with what is filled in already."""
    SEE_INBOX = "see_inbox"
    SEE_STUCK = "see_stuck"
    SEE_CYCLE = "see_cycle"
    GET_ORGANISATION_CODE = "get_organisation_code"
    """For an act of a coordinator that is about no application."""
    SEE_MERGE = "see_merge"
    """What would move if two persons were one, and how that is confirmed."""
    CHECK_JOURNAL = "check_journal"
    """To hold the journal against a head of its chain."""


# Kinds of values ----------------------------------------------------------------------------------


def _line(text: str) -> str:
    return one_line(text, LONGEST_LINE)


def _prose(text: str) -> str:
    text = clean(text).strip()
    return text if len(text) <= LONGEST_TEXT else cut(text, LONGEST_TEXT - 1).rstrip() + "…"


def _said(sentence: Sentence) -> Sentence:
    return sentence.changed(_line)


def _first(values: object) -> object:
    return values[:LONGEST_LIST] if isinstance(values, list | tuple) else values


Line = Annotated[str, AfterValidator(_line)]
"""Somebody's words, a name or an identifier, on one line."""
Prose = Annotated[str, AfterValidator(_prose)]
"""Somebody's words, which may run over several lines."""
Said = Annotated[Sentence, AfterValidator(_said)]
"""A sentence of ours, which is said in the recipient's language."""

T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(_first)]

NOTHING = Sentence("")
"""Where a message has no sentence to say."""


class Values(BaseModel):
    """Values that belong together; the record keeps them as JSON, and reads them back as hostile text."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class About(Values):
    """What every message about an application, or about the label that it won, can tell."""

    application: Line
    """The identifier of the application, or of the label."""
    label: LabelKind
    project_title: Line = ""
    holder: Line
    """Who applies, or holds the label."""
    organisation_name: Line

    @property
    def title(self) -> str:
        """What one line calls it: the project, or who applies where there is none."""
        return self.project_title or self.holder


class AboutStep(About):
    """The same of a message about one of its steps."""

    step: Line
    due: datetime | None = None

    @staticmethod
    def of(about: About, step: str, due: datetime | None) -> AboutStep:
        """The same with one of its steps, none of it checked again."""
        return AboutStep.model_construct(**dict(about), step=step, due=due)


# Messages -----------------------------------------------------------------------------------------


class Message(Values):
    """What one mail tells: values as values, which are worded when it goes out, in its recipient's language."""

    template: ClassVar[Template]
    asks: ClassVar[bool] = False
    """Whether it only asks for an answer to its step, and is pointless once that is closed. Any other goes out
    all the same, without the code."""
    calls: ClassVar[tuple[CallToAction, ...]] = ()
    headline: ClassVar[Sentence] = NOTHING
    """What the day's message says of it, to whoever wants one a day; what has none goes out at once."""

    @property
    def subject(self) -> str:
        """The identifier of what it is about."""
        raise NotImplementedError

    def may_wait(self, now: datetime) -> bool:
        """Whether it can be told in the day's message: it has a headline, and its deadline is not near."""
        return bool(self.headline)

    def in_short(self) -> Sentence:
        """It as one line of the day's message."""
        return self.headline

    def reason_for(self, *parts: object) -> str:
        """Why it is sent: one message goes out for each reason, for ever. `parts` tell it from others of its kind."""
        return "/".join(map(str, (self.subject, self.template.value, *parts)))


class OfApplication(Message):
    """A message about an application, or about the label that it won."""

    about: About

    @property
    def subject(self) -> str:
        return self.about.application

    def in_short(self) -> Sentence:
        about = self.about
        return say(
            "{application} · {headline} · {title}",
            application=about.application,
            headline=self.headline,
            title=about.title,
        )


class OfStep(OfApplication):
    """A message about a step."""

    about: AboutStep

    def may_wait(self, now: datetime) -> bool:
        due = self.about.due
        return super().may_wait(now) and (due is None or due - now > NEAR)

    def in_short(self) -> Sentence:
        about = self.about
        if about.due is None:
            return super().in_short()
        return say(
            "{application} · {headline} · {title} · by {due}",
            application=about.application,
            headline=self.headline,
            title=about.title,
            due=about.due,
        )
