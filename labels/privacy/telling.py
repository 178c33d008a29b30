"""What the record knows of a person, told to them: everything that is theirs, without anybody else's name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.privacy.retention import Period
from labels.privacy.scrubbing import Traces
from labels.privacy.subject import Subject
from labels.record.journal import Event
from labels.record.schema import (
    Activity,
    Address,
    Application,
    ApplicationDraft,
    Award,
    Base,
    Bounce,
    BulkPlan,
    Conflict,
    DailyMail,
    Decision,
    DifferentPersons,
    Document,
    Draft,
    FormerSchool,
    FormerStaff,
    FormerStaffSchool,
    GalleryContribution,
    HandingIn,
    Issued,
    Journal,
    KeptForm,
    Mail,
    Member,
    OrganisationCode,
    Passkey,
    Person,
    PersonMerge,
    ProviderAccount,
    Review,
    ReviewerChoice,
    ReviewerWish,
    SavedList,
    SignIn,
    Staff,
    Step,
    Teacher,
)

SOMEBODY = "somebody else"
"""What stands for the name or address of another person."""

PURPOSES = {
    "who you are": "The registry of eTwinning names you as a teacher, on a staff or as a principal; mail goes to your address.",
    "your applications": "You applied for a label; reviewers and coordinators of your organisation judged it by the rules.",
    "what you did for others": "You reviewed or coordinated for an organisation; it accounts for its decisions.",
    "mail to you": "You were told what happened, and what was asked of you by when.",
    "the journal": "Each change is accounted for: who, what, when (Regulation 2016/679, Article 5(2)).",
}
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class File:
    """A document of theirs, in the document store."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Told:
    """All of it."""

    data: dict[str, Any]
    """As JSON, by what it is."""
    files: tuple[File, ...]


def tell(session: Session, subject: Subject, kept: Mapping[str, Period], now: datetime) -> Told:
    """Everything that the record knows of a person, ready to be handed to them."""
    found = dict(_known(session, subject))
    others = _others(session, subject)
    data = {
        "person": subject.person,
        "told_at": now.isoformat(timespec="seconds"),
        "purposes": PURPOSES,
        "periods": {name: one.model_dump() for name, one in kept.items()},
        "your_rights": (
            "You may have this corrected, erased, or restricted, and complain to the data protection authority of "
            "your country, or, of the Central Support Service, to the European Data Protection Supervisor."
        ),
        **{name: _without(value, subject, others) for name, value in found.items()},
    }
    documents = session.scalars(
        sa.select(Document)
        .where(
            sa.or_(
                Document.application.in_(subject.applications),
                Document.award.in_(subject.awards),
            )
        )
        .order_by(Document.application, Document.id)
    )
    files = [File(f"{one.application}/{one.name}", one.key) for one in documents]
    pictures = sa.select(GalleryContribution).where(
        GalleryContribution.teacher.in_(subject.teachers), GalleryContribution.key.is_not(None)
    )
    for given in session.scalars(pictures.order_by(GalleryContribution.id)):
        files.append(File(f"gallery-{given.year}/{given.project}.webp", given.key or ""))
    return Told(data, tuple(files))


def _known(session: Session, subject: Subject) -> Iterator[tuple[str, Any]]:
    mine, own = subject.addresses, subject.applications
    decided = sa.select(Application.id).where(Application.outcome.is_not(None))

    def rows(table: type[Base], where: Any, *without: str) -> list[dict[str, Any]]:
        columns = [c for c in table.__table__.columns if c.name not in ("salts", "erased", *without)]
        order = cast("sa.Table", table.__table__).primary_key.columns
        return [
            {name: _plainly(one) for name, one in row._mapping.items()}
            for row in session.execute(sa.select(*columns).where(where).order_by(*order))
        ]

    yield "who_you_are", rows(Person, Person.id == subject.person)
    yield "other_addresses", rows(Address, Address.person == subject.person)
    yield "teacher", rows(Teacher, Teacher.person == subject.person)
    yield "former_schools", rows(FormerSchool, FormerSchool.teacher.in_(subject.teachers))
    yield "staff", rows(Staff, Staff.person == subject.person)
    yield "former_schools_on_a_staff", rows(FormerStaffSchool, FormerStaffSchool.person == subject.person)
    yield "former_staff", rows(FormerStaff, FormerStaff.person == subject.person)
    yield (
        "made_one_with",
        rows(PersonMerge, PersonMerge.kept == subject.person, "plan", "reason", "asked_by", "confirmed_by"),
    )
    apart = sa.or_(DifferentPersons.one == subject.person, DifferentPersons.other == subject.person)
    yield "told_apart_from_somebody", rows(DifferentPersons, apart, "one", "other", "said_by", "reason")
    yield (
        "codes_as_a_coordinator",
        rows(OrganisationCode, OrganisationCode.person == subject.person, "code_hash"),
    )
    yield "mail_once_a_day", rows(DailyMail, DailyMail.person == subject.person)
    yield "projects", rows(Member, Member.teacher.in_(subject.teachers))
    yield "activities", rows(Activity, Activity.teacher.in_(subject.teachers))
    yield "awards", rows(Award, Award.teacher.in_(subject.teachers))
    yield "applications", rows(Application, Application.id.in_(own), "run", "form_seen")
    yield "applications_not_handed_in", rows(ApplicationDraft, ApplicationDraft.teacher.in_(subject.teachers))
    yield "drafts_of_self_assessments", rows(Draft, Draft.person == subject.person)
    yield "who_hands_in_for_your_school", rows(HandingIn, HandingIn.person == subject.person, "chosen_by")
    yield "accounts_of_identity_providers", rows(ProviderAccount, ProviderAccount.person == subject.person)
    yield "passkeys", rows(Passkey, Passkey.person == subject.person, "handle", "public_key")
    yield (
        "for_galleries",
        rows(GalleryContribution, GalleryContribution.teacher.in_(subject.teachers), "struck_by"),
    )
    yield "decisions", rows(Decision, Decision.application.in_(own))
    judged = sa.and_(Review.application.in_(own), Review.application.in_(decided))
    yield "reviews_of_your_applications", rows(Review, judged)
    yield "your_reviews", rows(Review, sa.func.lower(Review.reviewer).in_(mine))
    yield "your_steps", rows(Step, Step.person == subject.person, "code_hash")
    yield "your_wishes", rows(ReviewerWish, ReviewerWish.person == subject.person)
    mine_to_review = sa.select(Step.id).where(Step.person == subject.person)
    chosen = rows(
        ReviewerChoice,
        ReviewerChoice.step.in_(mine_to_review),
        *("plan", "following", "following_load", "extra"),  # they are about others
    )
    yield "why_you_were_chosen_to_review", chosen
    yield "papers", rows(Issued, Issued.teacher.in_(subject.teachers), "marks")
    yield (
        "mail_to_you",
        rows(Mail, sa.or_(Mail.person == subject.person, sa.func.lower(Mail.to_address).in_(mine))),
    )
    yield "mail_to_you_that_came_back", rows(Bounce, Bounce.address.in_(mine))
    signed_in = sa.or_(sa.func.lower(SignIn.address).in_(mine), SignIn.person == subject.person)
    yield "sessions", rows(SignIn, signed_in, "id")
    yield "forms_sent_after_a_session", rows(KeptForm, KeptForm.person == subject.person)
    yield "lists_of_applications", rows(SavedList, SavedList.person == subject.person)
    yield "plans_for_many_applications", rows(BulkPlan, BulkPlan.person == subject.person, "rows")
    yield "conflicts_of_interest", rows(Conflict, Conflict.person == subject.person)
    ids = frozenset(
        (
            subject.person,
            *session.scalars(
                sa.select(PersonMerge.gone).where(
                    PersonMerge.kept == subject.person, PersonMerge.confirmed_at.is_not(None)
                )
            ),
        )
    )
    as_text = sa.cast(Journal.details, sa.Text)
    on_a_staff = sa.and_(
        Journal.what.in_(_OF_A_STAFF), sa.or_(*(as_text.contains(one, autoescape=True) for one in ids))
    )
    about = sa.or_(sa.func.lower(Journal.who).in_(mine), Journal.application.in_(own), on_a_staff)
    yield (
        "journal",
        [_without_who_did_it(_without_others_number(entry), ids) for entry in rows(Journal, about)],
    )


_OF_A_STAFF = (
    Event.ENTERED_ON_A_STAFF,
    Event.CHANGED_ON_A_STAFF,
    Event.TO_LEAVE_A_STAFF,
    Event.LEFT_A_STAFF,
    Event.REJOINED_A_STAFF,
)
"""What was done to somebody's place on a staff: who it is, is in the details; who did it, is who the entry is of."""


def _without_who_did_it(entry: dict[str, Any], ids: frozenset[str]) -> dict[str, Any]:
    """An entry of a staff without anybody else's id: of who did it, or of whom they did it to."""
    if entry["what"] not in _OF_A_STAFF:
        return entry
    details = dict(entry["details"])
    if details.get("person") not in ids:
        details.pop("person", None)
    if "persons" in details:
        details["persons"] = [one for one in details["persons"] if one in ids]
    return entry | {"details": details}


def _without_others_number(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the number of an application that theirs reads like: that one is somebody else's."""
    if entry["what"] != Event.READS_LIKE_ANOTHER:
        return entry
    return entry | {"details": {name: one for name, one in entry["details"].items() if name != "other"}}


def _plainly(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _others(session: Session, subject: Subject) -> Traces:
    """The names of people who took part in what is told: their addresses are known by their shape."""
    asked = sa.select(Step.assignee).where(Step.application.in_(subject.applications))
    addresses = {one.lower() for one in session.scalars(asked)} - subject.addresses - subject.shared
    names = set(session.scalars(sa.select(Person.name).where(Person.address.in_(addresses))))
    return Traces(names - subject.names)


def _without(value: Any, subject: Subject, others: Traces) -> Any:
    if isinstance(value, str):
        text = others.scrubbed(value, SOMEBODY)
        return _ADDRESS.sub(
            lambda found: found[0] if found[0].lower() in subject.addresses | subject.shared else SOMEBODY,
            text,
        )
    if isinstance(value, dict):
        return {key: _without(one, subject, others) for key, one in value.items()}
    return [_without(one, subject, others) for one in value] if isinstance(value, list) else value


def in_words(told: Mapping[str, Any]) -> str:
    """The same for people: a text, with a heading for each part."""
    lines = []
    for name, value in told.items():
        heading = name.replace("_", " ").capitalize()
        lines += ["", heading, "=" * len(heading), *_lines(value, 0)]
    return "\n".join(lines).strip() + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    before = "  " * depth
    if isinstance(value, Mapping):
        for name, one in value.items():
            if isinstance(one, (Mapping, list)):
                yield f"{before}{name}:"
                yield from _lines(one, depth + 1)
            else:
                yield f"{before}{name}: {'–' if one is None else one}"
    elif isinstance(value, list):
        for number, one in enumerate(value, 1):
            if isinstance(one, (Mapping, list)):
                yield f"{before}{number}."
                yield from _lines(one, depth + 1)
            else:
                yield f"{before}· {one}"
        if not value:
            yield f"{before}Nothing."
    else:
        yield f"{before}{value}"
