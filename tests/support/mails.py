"""Messages of the outbox for tests: one of every template, with what each tells."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from labels.kinds import LabelKind
from labels.mail import messages
from labels.mail.context import context_of, message_of
from labels.mail.message import About, AboutStep, Message, OfApplication, PasskeyNews, Template
from labels.mail.outbox import message_id
from labels.record.migrating import MIGRATIONS
from labels.record.schema import Cause, Mail, StepKind
from labels.settings import PROJECT
from labels.words.sentences import named, one_after_another, say

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
CODE = "7KQ4-M9XT-2C"
APPLICATION = "NQL-4T8W2K9QXB"
STEP = "STEP-9C3HMZ07RP"
DUE = datetime(2026, 4, 15, 21, 59, tzinfo=UTC)

_COMMON: Mapping[str, Any] = {
    "application": APPLICATION,
    "label": LabelKind.NATIONAL,
    "project_title": "Rivers that join us",
    "holder": "Eleni Papadopoulou",
    "organisation_name": "National Support Service Greece",
}
ABOUT = About(**_COMMON)
ASKED = AboutStep(**_COMMON, step=STEP, due=DUE)
SCHOOL = ABOUT.model_copy(update={"label": LabelKind.SCHOOL, "project_title": "", "holder": "Szkoła nr 7"})
SCHOOL_ASKED = AboutStep.of(SCHOOL, STEP, DUE)
EUROPEAN = ABOUT.model_copy(update={"label": LabelKind.EUROPEAN})

AGAIN = say("You may apply again for this project, with what the comments propose.")
NEXT_ROUND = say(
    "The next round begins on {day}: your school is looked at again, and invited if it meets the conditions then.",
    day=date(2027, 1, 15),
)
LATE = say(
    "{application} · {what} by {who} · {title} · was due {due}",
    application="NQL-AAAABBBBDD",
    what=named("awaited", "review"),
    who="anna@nss.example",
    title="Lakes",
    due=DUE,
)
TASK = say(
    "{application} · {what} · {title} · by {due}",
    application=APPLICATION,
    what=named("awaited", "review"),
    title="Lakes",
    due=DUE,
)

_EACH: tuple[Message, ...] = (
    messages.DecisionAsked(about=ASKED, reviews=2),
    messages.Receipt(
        about=ABOUT,
        round="spring 2026",
        decide_by=datetime(2026, 5, 29, 21, 59, tzinfo=UTC),
        documents=("plan.pdf", "exhibition.png"),
        warnings=(
            say(
                "It arrived when no round was open, so it counts for the round {round}, which opens on {opens}, and "
                "for the school year {year}. It may be reviewed and decided earlier.",
                round="autumn 2026",
                opens=datetime(2026, 9, 30, 22, tzinfo=UTC),
                year="2026/2027",
            ),
        ),
    ),
    messages.ReviewAsked(about=ASKED),
    messages.ReviewReturned(
        about=ASKED,
        question="How were the mixed teams formed?\nWho led them?",
        answer="By drawing lots, across the three schools; each team chose its own lead.",
    ),
    messages.ReviewSentBack(
        about=ASKED, reason="“Collaboration” has 5 points and a comment that finds none."
    ),
    messages.ReviewVoid(about=ASKED, reason="reassigned: a long illness"),
    messages.InformationAsked(about=ASKED, question="How were the mixed teams formed?"),
    messages.InformationLapsed(about=ABOUT, due=DUE, question="How were the mixed teams formed?"),
    messages.InformationNotNeeded(about=ABOUT, question="How were the mixed teams formed?"),
    messages.InformationReceived(about=ABOUT),
    messages.PlanAwaited(about=ASKED, organisation="NSS-GR"),
    messages.AssignmentAsked(
        about=ASKED.model_copy(update={"due": None}),
        reasons=(
            say("{name}: {why}", name="Anna Berg", why="own school"),
            say("{name}: {why}", name="Petra Lund", why="was asked before"),
        ),
    ),
    messages.Code(about=ASKED, purpose=say("The former code was tried too often and is void.")),
    messages.Awarded(
        about=ABOUT,
        total=Decimal("26.5"),
        maximum=Decimal(30),
        comments=("A project with a heart.", "Your method could serve as a model for others."),
    ),
    messages.Refused(
        about=ABOUT,
        total=Decimal("14.5"),
        maximum=Decimal(30),
        reasons=(
            say(
                "The application received {points} of {maximum} points; the label is awarded from {pass_mark}.",
                points=Decimal("14.5"),
                maximum=30,
                pass_mark=18,
            ),
        ),
        comments=("Let the pupils of all schools work in mixed teams.",),
        routes=(AGAIN, one_after_another(AGAIN, say("The next round closes on {closes}.", closes=DUE))),
    ),
    messages.Ineligible(
        about=ABOUT,
        conditions=(
            messages.Ineligible.Condition(
                problem=say("You are not a member of this project in eTwinning."),
                remedy=say(
                    "Ask a founder of the project to add you, or check that you named the right project."
                ),
            ),
        ),
    ),
    messages.Withdrawn(about=ABOUT),
    messages.AppealReceived(about=ABOUT),
    messages.DecisionReopened(
        about=ABOUT, cause=Cause.REGISTRY, suspended=True, reason="A school was missing."
    ),
    messages.DecisionReopened(about=ABOUT, cause=Cause.CONFLICT, suspended=True, reason=""),
    messages.DecisionReopened(
        about=ABOUT, cause=Cause.APPEAL, suspended=False, reason="The ministry upheld it."
    ),
    messages.Reopening(about=ABOUT, cause=Cause.CONFLICT, review_counts=False, reason="They are cousins."),
    messages.Reopening(about=ABOUT, cause=Cause.APPEAL, review_counts=False),
    messages.Reopening(
        about=ABOUT, cause=Cause.REGISTRY, reason="Wrong.", consequences=("NQL-1: The label.",)
    ),
    messages.DeadlineMoved(
        about=ABOUT, what=StepKind.REVIEW, due=DUE, reason="The school was closed for a week."
    ),
    messages.PupilCode(
        award=APPLICATION,
        number=1,
        project_title=ABOUT.project_title,
        organisation_name=ABOUT.organisation_name,
        until=datetime(2026, 3, 23, 8, 30, tzinfo=UTC),
        purpose=say("The former code was tried too often and is void."),
    ),
    messages.SignInCode(
        attempt="0f3c",
        organisation_name=ABOUT.organisation_name,
        until=datetime(2026, 3, 23, 8, 30, tzinfo=UTC),
    ),
    messages.AddressCorrected(person="PER-T-T-1", steps=2, organisation_name=ABOUT.organisation_name),
    messages.OrganisationCode(
        organisation="NSS-PL", organisation_name=ABOUT.organisation_name, person="PER-1", number=1
    ),
    messages.MergeAsked(
        merge="MRG-AAAABBBBCC",
        organisation="NSS-PL",
        organisation_name=ABOUT.organisation_name,
        gone="Ada Lis (ada@x.example, PER-1)",
        kept="Ada Lis (lis@x.example, PER-2)",
        by="c@nss.example",
        reason="She has a new mailbox.",
    ),
    messages.LeftStaff(
        person="PER-1", organisation_name=ABOUT.organisation_name, left_on=date(2026, 3, 16), steps=2
    ),
    messages.ColleagueLeft(
        person="PER-1",
        organisation_name=ABOUT.organisation_name,
        name="Ada Lis",
        email="ada@nss.example",
        left_on=date(2026, 3, 16),
        number=2,
        handed=(
            messages.ColleagueLeft.Handed(
                application=APPLICATION,
                what=named("awaited", "review"),
                title=ABOUT.project_title,
                now=("Recenzent 2 (r2@nss.example)",),
            ),
            messages.ColleagueLeft.Handed(
                application=APPLICATION,
                what=named("awaited", "assignment"),
                title="",
                now=("Ola Koral (c@nss.example)",),
                chooses=True,
            ),
        ),
    ),
    messages.ChangedTogether(
        plan="PLN-7KQ4M9XT2C",
        person="PER-1",
        step=STEP,
        organisation_name=ABOUT.organisation_name,
        reason="Anna is ill until May.",
        number=3,
        asked=(TASK,),
        ended=(TASK,),
        moved=(TASK,),
        awaited=(TASK,),
        more=1,
    ),
    messages.ChangedTogether(
        plan="PLN-7KQ4M9XT2D",
        person="PER-1",
        step=STEP,
        organisation_name=ABOUT.organisation_name,
        reason="The committee meets on Friday.",
        number=1,
        awaited=(TASK,),
    ),
    messages.DecisionsMoved(
        plan="PLN-7KQ4M9XT2E",
        person="PER-1",
        organisation_name=ABOUT.organisation_name,
        application=ABOUT.application,
        reason="Two reviewers are ill.",
        moved=(TASK, TASK),
    ),
    messages.AddressUnreached(
        bounce="0f3c/0",
        organisation_name=ABOUT.organisation_name,
        name="Ada Lis",
        address="ada@x.example",
        said="5.1.1 user unknown",
    ),
    messages.CodesVoid(person="PER-1", step=STEP, organisation_name=ABOUT.organisation_name, number=1),
    messages.CodesVoid(person="PER-1", step=STEP, organisation_name=ABOUT.organisation_name, number=3),
    messages.PasskeyChanged(
        person="PER-T-T-1",
        passkey="0f3c",
        news=PasskeyNews.BLOCKED,
        name="Work laptop",
        at=DUE,
        organisation_name=ABOUT.organisation_name,
    ),
    messages.GlassBroken(
        attempt="0f3c",
        organisation_name=ABOUT.organisation_name,
        who="c@nss.example",
        at=DUE,
        until=datetime(2026, 3, 23, 8, 30, tzinfo=UTC),
    ),
    messages.SimilarityWarning(
        about=ABOUT,
        other="NQL-AAAABBBBCC",
        percent=64,
        sections=(named("criterion", "results"), named("criterion", "collaboration")),
    ),
    messages.NamesAlike(
        about=ASKED,
        reviewer="Anna Nowak-Kowalska",
        reviewer_email="anna@nss.example",
        names=("Anna Nowak", "A. Kowalska"),
    ),
    messages.ConflictLifted(about=ABOUT, reason="Another Anna Berg was meant."),
    messages.JournalHead(
        organisation_name=ABOUT.organisation_name, month="2026-03", head="4711-9c1f2a33b0d4e5f6"
    ),
    messages.ScreeningAsked(
        about=ASKED,
        year=2026,
        number=2,
        proposed=(
            messages.ScreeningAsked.Proposed(
                candidate="NQL-AAAABBBBCC", points=Decimal("27.5"), title="Rivers · and lakes"
            ),
            messages.ScreeningAsked.Proposed(candidate="NQL-AAAABBBBDD", points=None, title="Bridges"),
        ),
        again=False,
    ),
    messages.ScreeningLapsed(about=ABOUT, year=2026, number=2, kept=False),
    messages.PointsMissing(
        about=EUROPEAN, year=2026, of_organisation="Εθνική Υπηρεσία", number=40, labels=40, proposed=0
    ),
    messages.AwardingAsked(about=ASKED, year=2026, number=2, first="ada@css.example"),
    messages.EuropeanAwarded(about=EUROPEAN, year=2026),
    messages.StruckFromGallery(about=EUROPEAN, year=2026, picture=True, reason="A pupil can be recognised."),
    messages.StruckFromGallery(about=EUROPEAN, year=2026, picture=False, reason="They name a pupil."),
    messages.EuropeanResult(
        about=EUROPEAN,
        nomination="NOM-2026-NSS-GR",
        year=2026,
        number=2,
        won=1,
        results=(
            messages.EuropeanResult.Result(project="P-1", title="Rivers: a year", awarded=True),
            messages.EuropeanResult.Result(
                project="P-2", title="Bridges", awarded=False, why="It is an advertisement."
            ),
        ),
    ),
    messages.Reminder(
        organisation_name=ABOUT.organisation_name,
        number=2,
        step=STEP,
        first=DUE,
        items=tuple(
            say(
                "{application} · {what} · {title} · by {due}",
                application=application,
                what=named("awaited", "review"),
                title=title,
                due=DUE,
            )
            for application, title in ((APPLICATION, "Rivers that join us"), ("NQL-AAAABBBBCC", "Bridges"))
        ),
        overdue=(LATE,),
    ),
    messages.Overdue(
        organisation_name=ABOUT.organisation_name,
        number=103,
        overdue=(
            say(
                "{application} · {what} · {title} · was due {due}",
                **{**LATE.values, "application": APPLICATION},
            ),
        ),
        more_overdue=3,
    ),
    messages.News(
        organisation_name="eTwinning",
        number=2,
        news=(
            say(
                "{application} · {headline} · {title} · by {due}",
                application=APPLICATION,
                headline=messages.ReviewAsked.headline,
                title=ABOUT.project_title,
                due=DUE,
            ),
            say(
                "{application} · {headline} · {title}",
                application="NQL-AAAABBBBCC",
                headline=messages.ReviewVoid.headline,
                title="Lakes",
            ),
        ),
        more_news=3,
    ),
    messages.SchoolInvited(
        about=SCHOOL_ASKED,
        why=messages.SchoolInvited.Conditions(
            registered_on=date(2020, 1, 1),
            active=2,
            active_since=date(2024, 3, 16),
            project_title="Rivers",
            awarded_on=date(2025, 10, 1),
        ),
    ),
    messages.SchoolInvitation(about=SCHOOL, due=DUE),
    messages.SchoolDeclaration(
        about=SCHOOL_ASKED, by="ewa@school.example", summary=("Are there rules? Lived: on our wall.",)
    ),
    messages.SchoolReturned(about=SCHOOL_ASKED, reason="The policy is that of last year."),
    messages.SchoolReceived(
        about=SCHOOL,
        decide_by=datetime(2026, 6, 15, 21, 59, tzinfo=UTC),
        documents=("declaration.pdf", "policy.pdf", "safety.pdf"),
    ),
    messages.SchoolAwarded(
        about=SCHOOL,
        total=Decimal(17),
        maximum=Decimal(20),
        comments=("The pupils’ radio is a find.",),
        awarded_on=date(2026, 6, 15),
        valid_until=date(2028, 6, 14),
    ),
    messages.SchoolRefused(
        about=SCHOOL,
        total=Decimal(9),
        maximum=Decimal(20),
        reasons=(say("No criterion fell below the points that it needs."),),
        comments=("Say what the staff learned.",),
        routes=(NEXT_ROUND,),
    ),
    messages.SchoolExpired(about=SCHOOL, due=DUE, routes=(NEXT_ROUND,)),
    messages.LabelRevoked(about=ABOUT, reason="The appeal of another member was upheld."),
    messages.PaperReissued(
        about=ABOUT,
        paper="certificate/NQL-4T8W2K9QXB/2",
        certificate_code="7KQ4-M9XT-2A5B-C8DW",
        changes=(
            messages.PaperReissued.Change(was="Eleni Papadopulu", now="Eleni Papadopoulou"),
            messages.PaperReissued.Change(was="", now="2028-06-14"),
        ),
        reason="The name was misspelt.",
    ),
    messages.ClassRevoked(
        application=APPLICATION,
        award="NQL-AAAABBBBCC",
        project_title=ABOUT.project_title,
        organisation_name=ABOUT.organisation_name,
        pupils=24,
        reason="The list was of another class.",
    ),
)

EXAMPLES: Mapping[Template, Message] = {one.template: one for one in _EACH}


TEXTS: Mapping[str, Any] = json.loads((PROJECT / "tests/labels/mail/former_contexts.json").read_text("utf-8"))
"""The contexts of the same before each message had a model: made by the code of those days."""

_MIGRATION = runpy.run_path(str(MIGRATIONS / "versions" / "0019_messages_as_values.py"))


def migrated(template: str, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Such a context as the migration leaves it."""
    return {"message": json.loads(json.dumps(_MIGRATION["values"](template, texts)))}


FORMER: Mapping[str, Any] = {template: migrated(template, texts) for template, texts in TEXTS.items()}


def told(template: Template, **changed: Any) -> Message:
    """The example of a template with other values, those about its application too."""
    message = EXAMPLES[template]
    if isinstance(message, OfApplication):
        own = {name: changed.pop(name) for name in type(message.about).model_fields if name in changed}
        changed["about"] = message.about.model_copy(update=own)
    return message.model_copy(update=changed)


M = TypeVar("M", bound=Message)


def told_by(row: Mail, kind: type[M]) -> M:
    """The message of a row, which is of that kind."""
    message = message_of(row)
    assert isinstance(message, kind)
    return message


def mail(template: Template, /, message: Message | None = None, **changed: Any) -> Mail:
    """A row of the outbox that was never in a record, with the example of its template unless another is given."""
    reason = changed.pop("reason", f"{APPLICATION}/{template.value}")
    values: dict[str, Any] = {
        "reason": reason,
        "application": APPLICATION,
        "step": None,
        "template": template.value,
        "language": "en",
        "to_name": "Eleni Papadopoulou",
        "to_address": "eleni@school.example",
        "context": context_of(message or EXAMPLES[template]),
        "attachment": None,
        "message_id": message_id(reason),
        "queued_at": NOW,
        "next_attempt_at": NOW,
        "attempts": 0,
    }
    return Mail(**(values | changed))
