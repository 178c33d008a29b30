"""The tables of the record, each row a fact that the processes stand on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

from labels.kinds import LabelKind, Wish


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant, stored in UTC; SQLite, which knows no zones, gets it without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Kind(sa.types.TypeDecorator[LabelKind]):
    """A kind of label, stored as its name."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: LabelKind | None, dialect: sa.Dialect) -> str | None:
        """As it is stored."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> LabelKind | None:
        """As the project handles it."""
        return None if value is None else LabelKind(value)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of it on both databases."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        dict[str, Any]: sa.JSON(none_as_null=True),
        list[dict[str, Any]]: sa.JSON(none_as_null=True),
        str: sa.Text,
    }


def _names(kind: type[StrEnum]) -> sa.Enum:
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class Installation(Base):
    """Which installation the record belongs to: one row, made with the record."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    """A random one; Prefect's server is told it, so that a host with another record is found out."""
    known_by: Mapped[str]
    """By what its secret key is known; empty until it is started, and once the key was lost, until it is started with another."""


# The registry -----------------------------------------------------------------------------------
# Clustered by their key: on SQLite that saves a second tree per table and half of an import's time.

_CLUSTERED = {"sqlite_with_rowid": False}


class Person(Base):
    """Somebody whom the processes ask, write to or tell of: the only place of their name, language and addresses.

    Everything else refers to them by `id`. A mailbox that an organisation reads together is one, too.
    """

    __tablename__ = "person"
    __table_args__ = (sa.Index(None, "address"), _CLUSTERED)
    id: Mapped[str] = mapped_column(primary_key=True)
    """`PER-…`, made from where the registry first named them; never from a name or address in clear."""
    name: Mapped[str]
    address: Mapped[str]
    """Where mail goes now, in small letters; two people may share one."""
    language: Mapped[str]


class Address(Base):
    """An address of a person other than the one that mail goes to: a former one, or a second."""

    __tablename__ = "address"
    __table_args__ = (sa.Index(None, "address"), _CLUSTERED)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[date | None]
    """When it became known to be theirs; nothing where that was before addresses were kept."""
    until: Mapped[date | None]
    """When another took its place; nothing while the person still reads it."""


class DailyMail(Base):
    """A person of a staff who wants what is new to them in one message a day, and not at once."""

    __tablename__ = "daily_mail"
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    since: Mapped[datetime]


class DifferentPersons(Base):
    """Two people of whom somebody said that they are not one, however alike they look."""

    __tablename__ = "different_persons"
    __table_args__ = (_CLUSTERED,)
    one: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    """The one whose id comes first."""
    other: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    said_by: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    said_at: Mapped[datetime]
    reason: Mapped[str]


class PersonMerge(Base):
    """Two persons of the record who are one: asked for by one coordinator, and done once another confirmed it."""

    __tablename__ = "person_merge"
    __table_args__ = (sa.Index(None, "gone"), sa.Index(None, "kept"))
    id: Mapped[str] = mapped_column(primary_key=True)
    """`MRG-…`."""
    gone: Mapped[str]
    """The id that nobody has any more once it is done; whatever still says it means `kept`."""
    kept: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    plan: Mapped[str]
    """The word of the plan that was shown: where something else would move, it is asked for anew."""
    reason: Mapped[str]
    asked_by: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]


class OrganisationCode(Base):
    """The one-time code by which a coordinator proves who they are for an act that is about no application."""

    __tablename__ = "organisation_code"
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    number: Mapped[int]
    """How many codes were asked for; the former ones are void."""
    code_hash: Mapped[str]
    failures: Mapped[int]
    asked_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class Organisation(Base):
    """A national (NSS, PSA) or central (CSS) support organisation; rules are keyed by it."""

    __tablename__ = "organisation"
    __table_args__ = _CLUSTERED
    id: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    """Whoever reads the mail at its address."""


class School(Base):
    """A registered school."""

    __tablename__ = "school"
    __table_args__ = (
        sa.Index(None, "principal"),
        sa.Index(
            "ix_school_succeeds",
            "succeeds",
            sqlite_where=sa.text("succeeds IS NOT NULL"),
            postgresql_where=sa.text("succeeds IS NOT NULL"),
        ),
        _CLUSTERED,
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str]
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    city: Mapped[str]
    registered_on: Mapped[date]
    principal_name: Mapped[str]
    principal_email: Mapped[str]
    principal: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    succeeds: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    """The school that was closed and goes on as this one, under another number."""


class Teacher(Base):
    """An eTwinner: a registered teacher, linked to one school at a time."""

    __tablename__ = "teacher"
    __table_args__ = (sa.Index(None, "school"), sa.Index(None, "person"), _CLUSTERED)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.id"))
    registered_on: Mapped[date]
    language: Mapped[str]
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    school_since: Mapped[date | None]
    """Since when they teach there, where the registry says so."""
    subjects: Mapped[str | None]
    """What they teach, `;` between; nothing where the registry does not say."""


class FormerSchool(Base):
    """Where a teacher taught until a day, on which they were in the next school already.

    With `Teacher.school` it says where a teacher taught on any day (`labels/registry/history.py`).
    """

    __tablename__ = "former_school"
    __table_args__ = (sa.Index(None, "school"), _CLUSTERED)
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"), primary_key=True)
    until: Mapped[date] = mapped_column(primary_key=True)
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.id"))


class FormerStaffSchool(Base):
    """A school that somebody's staff entry named until a day; counts for conflicts of interest."""

    __tablename__ = "former_staff_school"
    __table_args__ = _CLUSTERED
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    school: Mapped[str] = mapped_column(sa.ForeignKey("school.id"), primary_key=True)
    until: Mapped[date]


class Project(Base):
    """A project of teachers; European if its founders are from two countries."""

    __tablename__ = "project"
    __table_args__ = (sa.Index("ix_project_time", "id", "started_on", "ended_on"), _CLUSTERED)
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    started_on: Mapped[date]
    ended_on: Mapped[date | None]


class Member(Base):
    """A teacher in a project, as founder or partner."""

    __tablename__ = "member"
    __table_args__ = (
        sa.Index("ix_member_teacher", "teacher", "joined_on", "project", "left_on"),
        sa.Index(
            "ix_member_school",
            "school",
            sqlite_where=sa.text("school IS NOT NULL"),
            postgresql_where=sa.text("school IS NOT NULL"),
        ),
        _CLUSTERED,
    )
    project: Mapped[str] = mapped_column(sa.ForeignKey("project.id"), primary_key=True)
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"), primary_key=True)
    role: Mapped[str]
    joined_on: Mapped[date]
    left_on: Mapped[date | None]
    """When they left it; nothing while they are a member, or were to its end."""
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    """Where they taught when they joined, where the registry says so; else it follows from their history."""


class Activity(Base):
    """Something a teacher took part in or created: an event, a seminar, a group."""

    __tablename__ = "activity"
    __table_args__ = (sa.Index("ix_activity_teacher", "teacher", "confirmed", "on"), _CLUSTERED)
    id: Mapped[str] = mapped_column(primary_key=True)
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"))
    kind: Mapped[str]
    title: Mapped[str]
    on: Mapped[date]
    confirmed: Mapped[bool]


def _bytewise() -> sa.types.TypeEngine[str]:
    """Text that is compared byte by byte on every database, so that what begins alike stands together."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class SearchWord(Base):
    """A form of a word by which a teacher, school or project is found; made from their rows, never typed in."""

    __tablename__ = "search_word"
    __table_args__ = _CLUSTERED
    kind: Mapped[str] = mapped_column(_bytewise(), primary_key=True)
    """Which table the subject is in."""
    organisation: Mapped[str] = mapped_column(_bytewise(), primary_key=True)
    """Whose school it is, or the teacher's; nothing for a project."""
    word: Mapped[str] = mapped_column(_bytewise(), primary_key=True)
    """In small letters of ASCII (`labels/people/searching.py`)."""
    first: Mapped[str] = mapped_column(_bytewise(), primary_key=True)
    """The first of the subjects: a word that very many have stands in several rows."""
    subjects: Mapped[str]
    """The ids of the rows, in their order, a line each."""


class Staff(Base):
    """A person with a role in an organisation: reviewer or coordinator."""

    __tablename__ = "staff"
    __table_args__ = (sa.Index(None, "organisation", "role"), sa.Index(None, "person"), _CLUSTERED)
    email: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    language: Mapped[str]
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    """Where the person teaches, if anywhere; counts for conflicts of interest."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    id: Mapped[str | None]
    """The organisation's own id of the person, which stays when name and address are corrected."""
    left_on: Mapped[date | None]
    """The day from which they are on the staff no longer, where it is known and still to come."""
    left_by: Mapped[str | None]
    """Who named that day: `REGISTRY` (`labels/people/staff.py`), or an operator."""
    languages: Mapped[str | None]
    """Which they read beside `language`, by their codes, `;` between; nothing where the registry does not say."""
    subjects: Mapped[str | None]
    """What they teach, `;` between; nothing where the registry does not say."""
    ages: Mapped[str | None]
    """Whom they teach, `6-11;12-15` in years; nothing where the registry does not say."""
    away_from: Mapped[date | None]
    """The first day on which they are away: the rules ask them for no review until they are back."""
    away_until: Mapped[date | None]
    """The last of these days; nothing where nobody knows yet."""


class FormerStaff(Base):
    """A role in an organisation that somebody had until they left; `Staff` has no row of it any more."""

    __tablename__ = "former_staff"
    __table_args__ = _CLUSTERED
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(primary_key=True)
    """As the registry wrote it last; with the role it recognises a row of the file."""
    name: Mapped[str]
    language: Mapped[str]
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    id: Mapped[str | None]
    left_on: Mapped[date]
    left_by: Mapped[str]
    """Who said so, as in `Staff`: what the registry said, the registry may take back."""
    languages: Mapped[str | None]
    """This and the next as in `Staff`: who comes back has what was known of them."""
    subjects: Mapped[str | None]
    ages: Mapped[str | None]
    away_from: Mapped[date | None]
    away_until: Mapped[date | None]


_REVOKED = "revoked_at IS NOT NULL"


class Award(Base):
    """A label that was awarded, here or elsewhere or earlier."""

    __tablename__ = "award"
    __table_args__ = (
        sa.Index(None, "teacher", "project"),
        sa.Index(None, "project"),
        sa.Index(
            "ix_award_school",
            "school",
            sqlite_where=sa.text("label = 'school'"),
            postgresql_where=sa.text("label = 'school'"),
        ),
        sa.Index(
            "ix_award_revoked",
            "id",
            sqlite_where=sa.text(_REVOKED),
            postgresql_where=sa.text(_REVOKED),
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    """For labels awarded here, the application's id."""
    label: Mapped[LabelKind] = mapped_column(Kind)
    teacher: Mapped[str | None] = mapped_column(sa.ForeignKey("teacher.id"))
    project: Mapped[str | None] = mapped_column(sa.ForeignKey("project.id"))
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    awarded_on: Mapped[date]
    score: Mapped[float | None] = mapped_column(sa.Double)
    valid_from: Mapped[date | None]
    """The first day of a School Label, which may come after its award; where it is absent, the day of the award."""
    valid_until: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    revoked_on: Mapped[date | None]
    """When it was taken back elsewhere, as the registry's file says."""


class PupilCode(Base):
    """The one-time code by which the teacher who holds an award has certificates made for a class."""

    __tablename__ = "pupil_code"
    award: Mapped[str] = mapped_column(sa.ForeignKey("award.id"), primary_key=True)
    number: Mapped[int]
    """How many codes were asked for; the former ones are void."""
    code_hash: Mapped[str]
    failures: Mapped[int]
    asked_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class PupilClass(Base):
    """A class whose pupils got their certificates: how many, when and by whom, and nobody's name."""

    __tablename__ = "pupil_class"
    __table_args__ = (sa.UniqueConstraint("award", "number"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """`PQL-…`, as it stands on each certificate."""
    award: Mapped[str] = mapped_column(sa.ForeignKey("award.id"))
    number: Mapped[int]
    """The code's that it was made with: one class for each."""
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"))
    pupils: Mapped[int]
    left_out: Mapped[int]
    """Rows of the list that had a fault."""
    attempt: Mapped[int]
    """Counts the commands that began it; only the latest may end it."""
    begun_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    """When the certificates were in the teacher's folder."""


class Conflict(Base):
    """A declared conflict of interest: this person judges nothing of that teacher, project or school."""

    __tablename__ = "conflict"
    __table_args__ = (sa.UniqueConstraint("person", "kind", "target"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[str]
    target: Mapped[str]
    reason: Mapped[str]
    declared_by: Mapped[str]
    declared_at: Mapped[datetime]


# Applications -----------------------------------------------------------------------------------


class Stage(StrEnum):
    """Where an application stands in its process."""

    SUBMITTED = "submitted"
    """Registered; documents and conditions are not checked yet."""
    REVIEW = "review"
    """Awaits one or more reviewers."""
    INFORMATION = "more information"
    """Awaits the applicant's answer to a question."""
    ASSIGNMENT = "assignment"
    """Awaits a coordinator: no reviewer without a conflict of interest is left."""
    SELF_ASSESSMENT = "self-assessment"
    """Awaits a school's self-assessment."""
    SCREENING = "screening"
    """Awaits an organisation's screening of what the ranking proposes."""
    AWARDING = "awarding"
    """Awaits the Central Support Service's award."""
    DECIDED = "decided"
    """The outcome is a fact; papers and mail may still be on their way."""
    CLOSED = "closed"
    """Nothing is left to do."""


OPEN_STAGES = tuple(stage for stage in Stage if stage is not Stage.CLOSED)
"""Where there is something left to do: named one by one, since an index serves no "anything but"."""


class Outcome(StrEnum):
    """How an application ended."""

    AWARDED = "awarded"
    REFUSED = "refused"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NOMINATED = "nominated"
    """An organisation put something forward for the European Quality Label."""


class RuleText(Base):
    """An edition of the rules as it was in force, stored so that any decision can be repeated."""

    __tablename__ = "rule_text"
    digest: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    body: Mapped[dict[str, Any]]


_FIRST_OPEN = "outcome IS NULL AND label = 'school' AND instance = 1"
"""A school's applications of which one is open at a time; a reopened decision goes on beside an invitation."""


_NOT_CLOSED = "stage <> 'closed'"


class Application(Base):
    """One application for a label: what was submitted, under which rules, and where it stands."""

    __tablename__ = "application"
    __table_args__ = (
        sa.Index(
            "uq_application_open",
            "label",
            "teacher",
            "project",
            unique=True,
            sqlite_where=sa.text("outcome IS NULL"),
            postgresql_where=sa.text("outcome IS NULL"),
        ),
        sa.Index(
            "uq_application_open_school",
            "school",
            unique=True,
            sqlite_where=sa.text(_FIRST_OPEN),
            postgresql_where=sa.text(_FIRST_OPEN),
        ),
        sa.Index(
            "ix_application_school",
            "school",
            sqlite_where=sa.text("label = 'school'"),
            postgresql_where=sa.text("label = 'school'"),
        ),
        sa.Index(None, "teacher", "school_year"),
        sa.Index(None, "project"),
        sa.Index(None, "stage"),
        sa.Index(None, "organisation", "stage", "outcome"),
        sa.Index(None, "organisation", "submitted_at", "id"),
        sa.Index(
            "ix_application_not_closed",
            "organisation",
            "decide_by",
            "id",
            "stage",
            "outcome",
            sqlite_where=sa.text(_NOT_CLOSED),
            postgresql_where=sa.text(_NOT_CLOSED),
        ),
        sa.Index(
            "ix_application_counted",
            "organisation",
            "school_year",
            "label",
            "outcome",
            "stage",
            "submitted_at",
            "id",
            "rules",
            "revision",
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[LabelKind] = mapped_column(Kind)
    teacher: Mapped[str | None] = mapped_column(sa.ForeignKey("teacher.id"))
    """Who applies; none where a school does, or an organisation nominates."""
    project: Mapped[str | None] = mapped_column(sa.ForeignKey("project.id"))
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    """The applying school, or the applicant's when the application was submitted."""
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    country: Mapped[str]
    language: Mapped[str]
    attempt: Mapped[int]
    """1, or one more with each re-application for the same project."""
    instance: Mapped[int] = mapped_column(default=1)
    """1, and one more for each appeal and each time that a decision was reopened; each instance has its own decision."""
    content: Mapped[dict[str, Any]]
    """The application file as submitted."""
    content_digest: Mapped[str]
    """Over the file and its evidence: the same again is the same application."""
    rules: Mapped[str] = mapped_column(sa.ForeignKey("rule_text.digest"))
    submitted_at: Mapped[datetime]
    school_year: Mapped[int]
    """The year in which the school year of the submission began."""
    round: Mapped[str | None]
    decide_by: Mapped[datetime | None]
    stage: Mapped[Stage] = mapped_column(_names(Stage))
    stage_since: Mapped[datetime]
    outcome: Mapped[Outcome | None] = mapped_column(_names(Outcome))
    revision: Mapped[int] = mapped_column(default=0)
    """Counts the journal's entries about this application."""
    parked_revision: Mapped[int] = mapped_column(default=-1)
    """The revision its run had seen when it suspended; behind `revision`, the run must be woken."""
    run: Mapped[str | None]
    """The Prefect flow run that drives it: a pointer that `recover` may replace, never a fact."""
    runs: Mapped[int] = mapped_column(default=0)
    """How many runs have driven it; makes the key under which the next is asked for once."""
    form_seen: Mapped[str | None]
    """The suspension of its run whose form was seen to be saved, so that nobody asks for it again."""


class Document(Base):
    """A file in the document store that belongs to an application."""

    __tablename__ = "document"
    __table_args__ = (
        sa.UniqueConstraint("application", "kind", "name"),
        sa.Index(None, "key"),
        sa.Index(None, "award"),
        sa.Index(None, "paper"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"))
    kind: Mapped[str]
    """`application`, `evidence`, or what kind of paper it is: `certificate`, `letter`, `receipt`, `invitation`."""
    name: Mapped[str]
    key: Mapped[str]
    """Its key in the document store, made from the digest of its content."""
    media_type: Mapped[str]
    size: Mapped[int]
    stored_at: Mapped[datetime]
    meets: Mapped[str | None]
    """Which document that a school has to hand in this is: a `SchoolDocument`."""
    award: Mapped[str | None]
    """The award that a certificate certifies."""
    paper: Mapped[str | None]
    """Which paper it is, e.g. `letter/NQL-…/1` (`labels.identifiers.paper_id`)."""


class Section(Base):
    """A section of an application whose fingerprints are kept, so that others that read like it are found."""

    __tablename__ = "application_section"
    __table_args__ = (sa.UniqueConstraint("application", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"))
    name: Mapped[str]
    """The criterion that it is on."""
    fingerprints: Mapped[bytes]
    """Those that are kept, one after the other: by them the rows of `Fingerprint` are found again."""


class Fingerprint(Base):
    """A digest of a few words in a row, and a section in which they stand (`labels/applications/similarity.py`)."""

    __tablename__ = "fingerprint"
    __table_args__ = _CLUSTERED
    fingerprint: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    section: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """No foreign key: to look after one, a second index as large as the table would be needed."""


class PaperKind(StrEnum):
    """What kind of paper was issued."""

    CERTIFICATE = "certificate"
    LETTER = "letter"
    """About a decision."""
    RECEIPT = "receipt"
    INVITATION = "invitation"
    CLASS = "class"
    """The certificates of a class of pupils, together."""

    @property
    def certifies(self) -> bool:
        """Whether it says that somebody holds a label."""
        return self in (PaperKind.CERTIFICATE, PaperKind.CLASS)


class Issued(Base):
    """A paper that was issued: what it states, the digest of its file, and whether it still counts.

    Whether it is valid now follows from this row and its award; a class is one row, and nobody's name.
    """

    __tablename__ = "issued"
    __table_args__ = (
        sa.Index(None, "code"),
        sa.Index(None, "file_digest"),
        sa.Index(None, "award"),
        sa.Index(None, "subject"),
        sa.Index(None, "signer"),
    )
    paper: Mapped[str] = mapped_column(primary_key=True)
    """`certificate/NQL-…/1`: kind, subject and edition."""
    kind: Mapped[PaperKind] = mapped_column(_names(PaperKind))
    label: Mapped[str]
    subject: Mapped[str]
    """The number that is printed on it: of an application, an award or a class."""
    edition: Mapped[int]
    """1, and one more each time that it was issued anew with a correction."""
    code: Mapped[str | None]
    """What a stranger checks it by; of a class, what all its codes begin with; a letter has none."""
    award: Mapped[str | None] = mapped_column(sa.ForeignKey("award.id"))
    application: Mapped[str | None] = mapped_column(sa.ForeignKey("application.id"))
    """Where its file is among the documents; a class has no file here."""
    teacher: Mapped[str | None] = mapped_column(sa.ForeignKey("teacher.id"))
    school: Mapped[str | None] = mapped_column(sa.ForeignKey("school.id"))
    facts: Mapped[dict[str, Any]]
    """What it states; of a class, what all of them state."""
    facts_digest: Mapped[str]
    file_digest: Mapped[str | None]
    """SHA-256 of the file as it was issued."""
    pupils: Mapped[int | None]
    marks: Mapped[bytes | None]
    """One mark for each certificate of a class, by its number, made with the secret key from its file; behind them that
    of the file in which all are printed, which classes of earlier versions lack."""
    valid_until: Mapped[date | None]
    signer: Mapped[str | None]
    """SHA-256 of the certificate that its signature was made with; none where it is not signed."""
    issued_at: Mapped[datetime]
    superseded_by: Mapped[str | None] = mapped_column(sa.ForeignKey("issued.paper"))
    superseded_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    revoked_because: Mapped[str | None]
    salts: Mapped[bytes | None]
    """One for each of its values that a person may have erased; none where it is told of by no entry yet."""
    erased: Mapped[dict[str, Any] | None]
    """Values that were erased, by name: the commitment to each, and by which erasure."""


# The School Label's yearly round ------------------------------------------------------------------


class SchoolRound(Base):
    """One year's automatic check of every school, and the invitations that follow it."""

    __tablename__ = "school_round"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rules: Mapped[str] = mapped_column(sa.ForeignKey("rule_text.digest"))
    """The Central Support Service's, by which all of Europe is checked."""
    on: Mapped[date]
    """The day of the check, from which its cut-off dates follow."""
    due_at: Mapped[datetime]
    """Until when invited schools hand in their self-assessment."""
    begun_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    invited_at: Mapped[datetime | None]
    """When the last invitation was in the outbox."""


class MovedDate(Base):
    """A date of a round of the School Label, or of a year of the European one, that was moved for all of an organisation."""

    __tablename__ = "moved_date"
    __table_args__ = (_CLUSTERED,)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """What is due then: a school's self-assessment, a screening, an award."""
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True)
    due_at: Mapped[datetime]
    """As it was moved, before it goes to the end of a country's working day."""


class SchoolOutcome(Base):
    """What a round's check found about one school, with all that its reasons rest on."""

    __tablename__ = "school_outcome"
    __table_args__ = (
        sa.Index(
            "ix_school_outcome_eligible",
            "year",
            "school",
            sqlite_where=sa.text("eligible"),
            postgresql_where=sa.text("eligible"),
        ),
        _CLUSTERED,
    )
    year: Mapped[int] = mapped_column(sa.ForeignKey("school_round.year"), primary_key=True)
    school: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str]
    registered_on: Mapped[date]
    active: Mapped[str | None]
    """The teachers who counted as active."""
    award: Mapped[str | None]
    """The National Quality Label that counted, the latest; its project and day follow."""
    project: Mapped[str | None]
    awarded_on: Mapped[date | None]
    held: Mapped[str | None]
    """The School Label that the school holds already, so that it is not invited."""
    eligible: Mapped[bool]
    """Whether it meets the three conditions."""


class Draft(Base):
    """What a school's teachers changed in their self-assessment, one row a save: nothing that was typed is ever lost."""

    __tablename__ = "draft"
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author: Mapped[str]
    """Their address then."""
    person: Mapped[str | None] = mapped_column(sa.ForeignKey("person.id"))
    saved_at: Mapped[datetime]
    changed: Mapped[dict[str, Any]]
    """The fields of the self-assessment that this save changed, with what stands there since; null where nothing does."""


class HandingIn(Base):
    """Who of a school's teachers is to hand in for all of them, as one of them chose."""

    __tablename__ = "handing_in"
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    chosen_by: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    chosen_at: Mapped[datetime]


# The European Quality Label's yearly cycle ---------------------------------------------------------


class Cycle(Base):
    """One year of the European Quality Label: the window of its labels, and how far it has come."""

    __tablename__ = "cycle"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), unique=True)
    """The Central Support Service's, which awards it."""
    begins: Mapped[date]
    ends: Mapped[date]
    frozen_at: Mapped[datetime | None]
    list_digest: Mapped[str | None]
    """Over the frozen list: the same list, the same ranking, years later."""
    merged_at: Mapped[datetime | None]
    awarded_at: Mapped[datetime | None]
    published: Mapped[str | None]
    """The digest of what the gallery shows; another one means that it is to be made again."""


class CycleLabel(Base):
    """The frozen list: a National Quality Label as it was when the cycle began."""

    __tablename__ = "cycle_label"
    __table_args__ = (_CLUSTERED,)
    year: Mapped[int] = mapped_column(sa.ForeignKey("cycle.year"), primary_key=True)
    award: Mapped[str] = mapped_column(sa.ForeignKey("award.id"), primary_key=True)
    teacher: Mapped[str]
    project: Mapped[str]
    school: Mapped[str | None]
    organisation: Mapped[str]
    country: Mapped[str]
    """Of the school that it was awarded at, wherever the teacher is now."""
    awarded_on: Mapped[date]
    score: Mapped[float | None] = mapped_column(sa.Double)
    criteria: Mapped[dict[str, Any] | None]
    """Points by criterion, for labels that were awarded here, where the rules tell equals apart by them."""
    submitted_at: Mapped[datetime | None]
    ranked: Mapped[bool]
    """Awarded within the window; the earlier ones of the same projects count as partners only."""
    founded_in: Mapped[int | None]
    """In how many countries the project's founders and labels are, 0 where fewer than two founders' are known; none where
    no rule asks for it."""
    undecided: Mapped[int | None]
    """How many applications for the project were open in other countries; none where no rule asks for it."""
    european: Mapped[str | None]
    """The European award that its holder got for it."""


class CycleOrganisation(Base):
    """One organisation's part in a year: by which rules it ranked, and what came of it."""

    __tablename__ = "cycle_organisation"
    year: Mapped[int] = mapped_column(sa.ForeignKey("cycle.year"), primary_key=True)
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True)
    rules: Mapped[str] = mapped_column(sa.ForeignKey("rule_text.digest"))
    labels: Mapped[int]
    proposed: Mapped[int]
    nomination: Mapped[str | None] = mapped_column(sa.ForeignKey("application.id"))
    """The application in which it screens; none where there is nothing to screen."""
    unscored: Mapped[int | None]
    """How many of its labels (or projects) have no points on record; this and the next two: none in earlier years."""
    with_equals: Mapped[int | None]
    """How many more than its share are proposed, since they are equal to the last."""
    equals_left_out: Mapped[int | None]
    """How many are not proposed that have the points of the last of the share, since all would be too many."""


class Screened(StrEnum):
    """What an organisation said to a place of its ranking."""

    APPROVED = "approved"
    STRUCK = "struck"
    LAPSED = "lapsed"
    """Nobody said anything by the deadline, and the rules put nothing forward then."""


class CyclePlace(Base):
    """A place in an organisation's ranking, and what its screening said to it."""

    __tablename__ = "cycle_place"
    __table_args__ = (_CLUSTERED,)
    year: Mapped[int] = mapped_column(sa.ForeignKey("cycle.year"), primary_key=True)
    organisation: Mapped[str] = mapped_column(primary_key=True)
    candidate: Mapped[str] = mapped_column(primary_key=True)
    """A label's identifier, or a project's, whichever the rules rank."""
    place: Mapped[int]
    project: Mapped[str]
    teacher: Mapped[str | None]
    score: Mapped[float | None] = mapped_column(sa.Double)
    proposed: Mapped[bool]
    why: Mapped[str]
    moved_up: Mapped[bool] = mapped_column(default=False)
    """Took the place of one that was struck."""
    screened: Mapped[Screened | None] = mapped_column(_names(Screened))
    screened_by: Mapped[str | None]
    screened_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it was struck."""


class Awarded(StrEnum):
    """What the Central Support Service said to a project."""

    AWARDED = "awarded"
    STRUCK = "struck"
    REVOKED = "revoked"
    """Awarded, and taken back since."""


class CycleProject(Base):
    """A project of a year: what the two halves of the rule say, and the award."""

    __tablename__ = "cycle_project"
    __table_args__ = (_CLUSTERED,)
    year: Mapped[int] = mapped_column(sa.ForeignKey("cycle.year"), primary_key=True)
    project: Mapped[str] = mapped_column(primary_key=True)
    proposed_by: Mapped[str]
    """The organisations, with a space between two."""
    labelled_partners: Mapped[int]
    countries: Mapped[int]
    qualifies: Mapped[bool]
    why: Mapped[str]
    awarded: Mapped[Awarded | None] = mapped_column(_names(Awarded))
    awarded_by: Mapped[str | None]
    awarded_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it was struck or revoked."""


class GalleryContribution(Base):
    """The words and the picture that one of an awarded project's teachers gave for the gallery of a year."""

    __tablename__ = "gallery_contribution"
    __table_args__ = (
        sa.UniqueConstraint("year", "project"),
        sa.Index(None, "teacher"),
        sa.Index(None, "key"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(sa.ForeignKey("cycle.year"))
    project: Mapped[str] = mapped_column(sa.ForeignKey("project.id"))
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"))
    """Who gave it, and alone may change it or take it back."""
    words: Mapped[str]
    """Empty where there are none."""
    key: Mapped[str | None]
    """Of the picture in the document store, as it is published; with the next five, none where there is no picture."""
    name: Mapped[str | None]
    media_type: Mapped[str | None]
    size: Mapped[int | None]
    shows: Mapped[str | None]
    """What is to be seen on the picture, for whoever does not see it."""
    credit: Mapped[str | None]
    """Whose picture it is."""
    given_at: Mapped[datetime]
    """When they last said that it may be published."""
    released_at: Mapped[datetime | None]
    """When the Central Support Service published it as it is; none where it is to be looked at first."""
    words_struck: Mapped[str | None]
    """Why the words that were given were taken out."""
    picture_struck: Mapped[str | None]
    """Why the picture was taken out."""
    struck_by: Mapped[str | None]


# People deciding --------------------------------------------------------------------------------


class StepKind(StrEnum):
    """What a person is asked for, or entitled to."""

    REVIEW = "review"
    INFORMATION = "information"
    ASSIGNMENT = "assignment"
    """A coordinator must find a reviewer."""
    SELF_ASSESSMENT = "self-assessment"
    """One of a school's teachers may draft and hand in what the school says of itself."""
    DECLARATION = "declaration"
    """The principal confirms what the school declares."""
    SCREENING = "screening"
    """A coordinator screens the organisation's proposal for the European Quality Label."""
    AWARDING = "awarding"
    """The Central Support Service awards the European Quality Label."""
    WITHDRAWAL = "withdrawal"
    """The applicant's standing right until the decision; nobody waits for it."""
    APPEAL = "appeal"
    """The applicant's right after a refusal, where the rules give it; nobody waits for it."""
    DECISION = "decision"
    """A coordinator decides on an application whose reviews are in, where the rules leave it to a person."""
    COORDINATION = "coordination"
    """A coordinator's power over one application, proved by a code asked for."""


class StepState(StrEnum):
    """What became of a step."""

    OPEN = "open"
    ASKED = "asked"
    """A reviewer waits for the applicant's answer; the clock stands still."""
    ANSWERED = "answered"
    DECLINED = "declined"
    VOID = "void"
    """Taken back: reassigned, withdrawn, or a conflict of interest was found."""
    EXPIRED = "expired"


_LODGED = "kind = 'appeal' AND state = 'answered'"
_FURTHER = "kind = 'review' AND seat > 2"
"""Where the first two were too far apart."""
_GIVEN = "kind = 'review' AND state = 'answered'"


class Step(Base):
    """One thing asked of one person, proved by a one-time code."""

    __tablename__ = "step"
    __table_args__ = (
        sa.UniqueConstraint("application", "kind", "number"),
        sa.Index(None, "person", "state", "kind", "organisation", "due_at"),
        sa.Index(None, "code_hash"),
        sa.Index(
            "ix_step_due",
            "due_at",
            "kind",
            "application",
            "instance",
            "state",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index(
            "ix_step_further_review",
            "state",
            "application",
            "instance",
            "kind",
            "seat",
            sqlite_where=sa.text(_FURTHER),
            postgresql_where=sa.text(_FURTHER),
        ),
        sa.Index(  # begins with what is the same in all of its rows, so that SQLite takes it rather than the one above
            "ix_step_given",
            "application",
            "kind",
            "state",
            "seat",
            "instance",
            "id",
            "person",
            "opened_at",
            "closed_at",
            sqlite_where=sa.text(_GIVEN),
            postgresql_where=sa.text(_GIVEN),
        ),
        sa.Index(
            "ix_step_appeal",
            "application",
            "instance",
            sqlite_where=sa.text(_LODGED),
            postgresql_where=sa.text(_LODGED),
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"))
    kind: Mapped[StepKind] = mapped_column(_names(StepKind))
    number: Mapped[int]
    instance: Mapped[int] = mapped_column(default=1)
    seat: Mapped[int] = mapped_column(default=1)
    """First, second, third reviewer …; a reassigned step keeps its seat."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    """Of whom it is asked."""
    assignee: Mapped[str] = column_property(
        sa.select(Person.address).where(Person.id == person).correlate_except(Person).scalar_subquery(),
        expire_on_flush=False,
    )
    """The person's present address, for people to read: in no column of its own, but read with each step."""
    organisation: Mapped[str | None] = mapped_column(sa.ForeignKey("organisation.id"))
    state: Mapped[StepState] = mapped_column(_names(StepState))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    """Since when its clock stands still."""
    asked_by: Mapped[str | None]
    """For information: the review step that asked."""
    question: Mapped[str | None]
    answer: Mapped[dict[str, Any] | None]
    """For information and standing rights: what the person gave; reviews have their own table."""
    code_hash: Mapped[str]
    code_number: Mapped[int] = mapped_column(default=1)
    """One more each time a new code is mailed; the former code is void."""
    code_failures: Mapped[int] = mapped_column(default=0)
    refused: Mapped[str | None]
    """Why the last answer was not accepted, in words that anybody may read; shown with the next form."""
    draft: Mapped[dict[str, Any] | None]
    """What was typed into an answer that was not accepted, by whoever had proved to be the assignee."""
    typed: Mapped[dict[str, Any] | None]
    """The fields of Prefect's form as the assignee last filled them in, without the code; the form never shows them."""
    closed_at: Mapped[datetime | None]
    closed_because: Mapped[str | None]


class Review(Base):
    """A reviewer's assessment, as it was given."""

    __tablename__ = "review"
    __table_args__ = (
        sa.Index(None, "application"),
        sa.Index(
            "ix_review_counted",
            "application",
            "given_at",
            "step",
            sqlite_where=sa.text("void_at IS NULL"),
            postgresql_where=sa.text("void_at IS NULL"),
        ),
    )
    step: Mapped[str] = mapped_column(sa.ForeignKey("step.id"), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"))
    instance: Mapped[int]
    reviewer: Mapped[str]
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    """For the applicant."""
    note: Mapped[str]
    """For colleagues only."""
    given_at: Mapped[datetime]
    documents_digest: Mapped[str]
    """Over the keys of the documents that the reviewer had before them."""
    void_at: Mapped[datetime | None]
    void_because: Mapped[str | None]
    salts: Mapped[bytes | None]
    """One for each of its values that a person may have erased; none where it is told of by no entry yet."""
    erased: Mapped[dict[str, Any] | None]
    """Values that were erased, by name: the commitment to each, and by which erasure."""


class ReviewerWish(Base):
    """What a reviewer said of judging an application: gladly, perhaps, rather not."""

    __tablename__ = "reviewer_wish"
    __table_args__ = (_CLUSTERED,)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    wish: Mapped[Wish] = mapped_column(_names(Wish))
    said_at: Mapped[datetime]


class AdditionalReview(Base):
    """A seat at an application for one more reviewer, by a coordinator's choice; who called it stands in the journal."""

    __tablename__ = "additional_review"
    __table_args__ = (_CLUSTERED,)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    instance: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[int] = mapped_column(primary_key=True)
    called_at: Mapped[datetime]


class ReviewerChoice(Base):
    """Why the rules chose somebody for a review; nobody's to see but the coordinators'."""

    __tablename__ = "reviewer_choice"
    step: Mapped[str] = mapped_column(sa.ForeignKey("step.id"), primary_key=True)
    plan: Mapped[str | None]
    """The word of the plan that it was part of; none where one application was assigned by itself."""
    costs: Mapped[dict[str, Any]]
    """What spoke against them, by its name (`labels/reviews/suiting.py`)."""
    load: Mapped[int]
    """How many applications of the year they were asked to judge by then, this one included."""
    following: Mapped[str | None] = mapped_column(sa.ForeignKey("person.id"))
    """Who was next; none where nobody else could, or they were erased."""
    following_load: Mapped[int | None]
    """How many that one had been asked to judge."""
    extra: Mapped[int | None]
    """What it would have cost more to ask that one instead; of a plan, what the whole of it would."""
    chosen_at: Mapped[datetime]


class ReviewDraft(Base):
    """What a reviewer has said and typed so far of a review that they have not sent; nobody else's to see."""

    __tablename__ = "review_draft"
    step: Mapped[str] = mapped_column(sa.ForeignKey("step.id"), primary_key=True)
    no_conflict_at: Mapped[datetime | None]
    """When they said that they have no conflict of interest."""
    number: Mapped[int] = mapped_column(default=0)
    """How often it was saved."""
    saved_at: Mapped[datetime | None]
    """None before anything was typed."""
    body: Mapped[dict[str, Any]]
    """Points, comment and note, as incomplete as they are."""


class Decision(Base):
    """The outcome of an instance, with all that is needed to repeat it."""

    __tablename__ = "decision"
    __table_args__ = (sa.Index("ix_decision_counted", "application", "instance", "outcome", "decided_at"),)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    instance: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(_names(Outcome))
    score: Mapped[float | None] = mapped_column(sa.Double)
    verdict: Mapped[dict[str, Any]]
    """Points and reasons per criterion, or the failed conditions, as they go into the letter."""
    inputs_digest: Mapped[str]
    rules: Mapped[str] = mapped_column(sa.ForeignKey("rule_text.digest"))
    decided_at: Mapped[datetime]
    salts: Mapped[bytes | None]
    """One for each of its values that a person may have erased; none where it is told of by no entry yet."""
    erased: Mapped[dict[str, Any] | None]
    """Values that were erased, by name: the commitment to each, and by which erasure."""


class Cause(StrEnum):
    """Why a decision is reopened; what is done anew follows from it."""

    CONFLICT = "conflict"
    """Somebody judged who has a conflict of interest: another takes that seat, and the other reviews stay."""
    REGISTRY = "registry"
    """The registry was wrong: the conditions are checked anew, and the reviews stay."""
    APPEAL = "appeal"
    """An appeal was granted: other people judge."""


class Reopening(Base):
    """An instance that began because the decision of the one before was reopened."""

    __tablename__ = "reopening"
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"), primary_key=True)
    instance: Mapped[int] = mapped_column(primary_key=True)
    """The new one."""
    cause: Mapped[Cause] = mapped_column(_names(Cause))
    counted_from: Mapped[int]
    """The first instance whose reviews count in this one."""
    certificate: Mapped[int]
    """The edition of the certificate, if the label is awarded again."""
    reopened_at: Mapped[datetime]


class Resumption(Base):
    """An answer that came through Prefect and what became of it; each counts once."""

    __tablename__ = "resumption"
    __table_args__ = (
        sa.Index(
            "ix_resumption_in_prefect",
            "at",
            sqlite_where=sa.text("in_prefect"),
            postgresql_where=sa.text("in_prefect"),
        ),
    )
    run: Mapped[str] = mapped_column(primary_key=True)
    wait: Mapped[int] = mapped_column(primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("application.id"))
    at: Mapped[datetime]
    accepted: Mapped[bool]
    remark: Mapped[str]
    in_prefect: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    """Whether Prefect may still have what was filled in; it is deleted there once this row is committed."""


class Mail(Base):
    """The outbox: one row a message, unique by its reason, written with the fact it tells of."""

    __tablename__ = "mail"
    __table_args__ = (
        sa.Index(
            "ix_mail_waiting",
            "next_attempt_at",
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        ),
        sa.Index(None, "application"),
        sa.Index(None, "person"),
    )
    reason: Mapped[str] = mapped_column(primary_key=True)
    """Why it is sent, e.g. `NQL-…/decision/1`: one message for each, for ever."""
    application: Mapped[str | None] = mapped_column(sa.ForeignKey("application.id"))
    step: Mapped[str | None] = mapped_column(sa.ForeignKey("step.id"))
    """Whose code goes into the message; the code itself is in no table."""
    template: Mapped[str]
    language: Mapped[str]
    person: Mapped[str | None] = mapped_column(sa.ForeignKey("person.id"))
    """Whom it is for, so that it follows them to a corrected address; none where an address itself is meant."""
    to_name: Mapped[str]
    to_address: Mapped[str]
    context: Mapped[dict[str, Any]]
    attachment: Mapped[str | None]
    """The paper that goes with it (`Document.paper`); it waits until that is stored."""
    second_attachment: Mapped[str | None]
    """Another one."""
    message_id: Mapped[str]
    """From the first attempt on, nobody who has no secret key can tell it."""
    queued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    daily: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Does not go out itself: the day's message to its recipient tells of it."""


class Bounce(Base):
    """What a mail server reported of one recipient of one message that went out."""

    __tablename__ = "bounce"
    __table_args__ = (sa.Index(None, "address"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Of the report and its recipient: the same for the same one."""
    address: Mapped[str]
    """In small letters."""
    status: Mapped[str]
    """`5.1.1` and the like."""
    said: Mapped[str]
    """In the server's words."""
    mail: Mapped[str]
    """Why the message was sent that came back."""
    read_at: Mapped[datetime]
    hard: Mapped[bool]
    """The address takes no mail: nothing is sent there as long as this counts."""
    lifted_at: Mapped[datetime | None]
    """Since when it counts no more, since somebody said that the address is right."""


class Notice(Base):
    """A reminder that somebody got, or a notice that something is overdue: each once for a deadline."""

    __tablename__ = "notice"
    subject: Mapped[str] = mapped_column(primary_key=True)
    """The step; the application, whose decision is overdue; or `journal`."""
    kind: Mapped[str] = mapped_column(primary_key=True)
    """`7 days before`, `overdue`; `head` of the journal, where its chain stands."""
    due_on: Mapped[date] = mapped_column(primary_key=True)
    """The deadline's day in Brussels: one that is moved is reminded of anew."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    mail: Mapped[str] = mapped_column(sa.ForeignKey("mail.reason"))
    """The digest in which it was told."""
    at: Mapped[datetime]


class Journal(Base):
    """Who did what, when, on which version: append-only, refused otherwise by the database itself."""

    __tablename__ = "journal"
    __table_args__ = (
        sa.Index(None, "application"),
        sa.Index(
            "ix_journal_asked_for_a_code",
            "who",
            "at",
            sqlite_where=sa.text("what = 'asked for a code'"),
            postgresql_where=sa.text("what = 'asked for a code'"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    """An e-mail address, or `rules`, `system`."""
    what: Mapped[str]
    application: Mapped[str | None] = mapped_column(sa.ForeignKey("application.id"))
    step: Mapped[str | None]
    details: Mapped[dict[str, Any]]


class DeletionKind(StrEnum):
    """What lies outside the record and is to be deleted."""

    DOCUMENT = "document"
    """Under its key in the document store."""
    MAIL = "mail"
    """A message in the mail folder, by its Message-ID."""
    RUNS = "runs"
    """Prefect's runs of an application, with all that they showed."""


class Deletion(Base):
    """Something outside the record that an erasure deletes, noted with it and done after it."""

    __tablename__ = "deletion"
    __table_args__ = (
        sa.Index(
            "ix_deletion_open",
            "id",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DeletionKind] = mapped_column(_names(DeletionKind))
    key: Mapped[str]
    erasure: Mapped[str]
    """As the journal calls it; else why it goes: `retention`, `taken-out`."""
    noted_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class LegalHold(Base):
    """A reason for which a person's data is kept whatever its period is, until it is lifted."""

    __tablename__ = "legal_hold"
    __table_args__ = (sa.Index(None, "person"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class FormerErasureState(StrEnum):
    """Why an erasure of which the register tells is not to be done again in this record, or not before services start."""

    ABSENT = "absent"
    """The person was not here when the record first heard of it: whoever is here by that id later came by themself."""
    DEFERRED = "deferred"
    """It can't be done yet, and an operator lets the services run until it can."""


class FormerErasure(Base):
    """What this record came to with an erasure that its journal does not know, since it was made from an earlier copy."""

    __tablename__ = "former_erasure"
    __table_args__ = (_CLUSTERED,)
    erasure: Mapped[str] = mapped_column(primary_key=True)
    """`erasure/…`, in the journal of another course of the record."""
    person: Mapped[str] = mapped_column(primary_key=True)
    """Who may not be here, so it refers to no row."""
    state: Mapped[FormerErasureState] = mapped_column(_names(FormerErasureState))
    noted_at: Mapped[datetime]


class StoreOwner(Base):
    """The document store that this record clears of what nobody claims."""

    __tablename__ = "store_owner"
    store: Mapped[str] = mapped_column(primary_key=True)
    """Its address."""
    word: Mapped[str]
    """What the store has to say, too: another one after each time, so that a copy of this record is known by its age."""
    former: Mapped[str]
    """What it said before; what an interruption left there."""
    cleared_at: Mapped[datetime | None]


class KeyKind(StrEnum):
    """A kind of key that is replaced now and then."""

    SECRET = "secret"
    """The secret key: codes, links, forms, pupils' certificates."""
    SIGNING = "signing"
    """The key that papers are signed with."""


class KeyGeneration(Base):
    """A key that was in force, without the key itself."""

    __tablename__ = "key_generation"
    mark: Mapped[str] = mapped_column(primary_key=True)
    """Of a secret key what tells it from others (`labels.keyring.key_mark`), of a signing key SHA-256 of its certificate."""
    kind: Mapped[KeyKind] = mapped_column(_names(KeyKind))
    begun_at: Mapped[datetime]
    """When it was first seen to be in force."""
    ended_at: Mapped[datetime | None]
    leaked_from: Mapped[datetime | None]
    """Since when somebody else may have it."""


class Seal(Base):
    """A batch of the journal's entries that was sealed: where the chain stands after it."""

    __tablename__ = "seal"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[int]
    """The positions in the chain of its first entry and of its last."""
    last: Mapped[int]
    head: Mapped[str]
    """The link of its last entry, in hexadecimal digits."""
    at: Mapped[datetime]
    token: Mapped[bytes | None]
    """A time-stamp service's token for the head (RFC 3161), where one was asked."""


class SealedEntry(Base):
    """An entry's place in the chain, with what its values are recognised by as long as they are there."""

    __tablename__ = "sealed_entry"
    __table_args__ = (sa.UniqueConstraint("entry"),)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[int]
    """The journal's; not a foreign key, so that an entry that was removed is missed."""
    link: Mapped[bytes]
    """Where the chain stands after it."""
    salts: Mapped[bytes]
    """One for each of its values; of a value that was erased, zeros."""
    erased: Mapped[dict[str, Any] | None]
    """Values that were erased, by name: the commitment to each, and by which erasure."""


# Signing in ---------------------------------------------------------------------------------------


class SignInCode(Base):
    """A code that somebody asked for to sign in at the desk; a row for every address, known or not."""

    __tablename__ = "sign_in_code"
    __table_args__ = (sa.Index(None, "address", "asked_at"), sa.Index(None, "asked_at"))
    id: Mapped[str] = mapped_column(primary_key=True)
    """The hash of a random token that the browser has which asked: a code counts there alone."""
    address: Mapped[str]
    code_hash: Mapped[str]
    """Empty as long as no code was mailed: an address that nobody knows, or one that asked too often."""
    how: Mapped[str]
    """How whoever types it in will be known: by a code from their mail, or by one printed on the machine."""
    mailed_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    spent_at: Mapped[datetime | None]


class SignIn(Base):
    """A session of the desk: somebody who has signed in with one browser."""

    __tablename__ = "sign_in"
    __table_args__ = (sa.Index(None, "address"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The hash of the random token in the browser's cookie."""
    address: Mapped[str]
    person: Mapped[str | None]
    """Which of the people who read the mail there it is; none while several do and nobody was chosen."""
    how: Mapped[str]
    """By which means, as `SignedIn.how` has it."""
    roles: Mapped[str]
    """What the registry said the person may do when the token was given; another answer brings a new token."""
    signed_in_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """The last request, to a minute."""
    ends_at: Mapped[datetime]
    """When it ends at the latest, however busy it is."""
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class ProviderAttempt(Base):
    """Somebody whom a browser sent to an identity provider to sign in: what the answer is held against."""

    __tablename__ = "provider_attempt"
    __table_args__ = (sa.Index(None, "asked_at"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The hash of a random token that this browser has."""
    state_hash: Mapped[str]
    nonce: Mapped[str]
    verifier: Mapped[str]
    """What proves to the provider that whoever fetches the answer is who asked (PKCE)."""
    then: Mapped[str]
    """The page of the desk that was wanted."""
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class ProviderAccount(Base):
    """An account at an identity provider, bound to a person of ours for ever: mail addresses change hands."""

    __tablename__ = "provider_account"
    __table_args__ = (sa.Index(None, "person"),)
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    bound_at: Mapped[datetime]


class Passkey(Base):
    """A key in a person's device or password manager, with which they sign in: its public half."""

    __tablename__ = "passkey"
    __table_args__ = (sa.Index(None, "person"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The credential's id, in base64url, as the authenticator made it up."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    handle: Mapped[bytes]
    """What the authenticator knows the person by."""
    public_key: Mapped[bytes]
    """As COSE has it."""
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    """How often the authenticator said at last that it has signed; 0 where it does not count."""
    name: Mapped[str]
    """What the person calls it."""
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    blocked_at: Mapped[datetime | None]
    """When its counter showed that there is a copy of it: nobody signs in with it any more."""


class PasskeyChallenge(Base):
    """What a browser was asked to have signed by a passkey; gone once it was answered."""

    __tablename__ = "passkey_challenge"
    __table_args__ = (sa.Index(None, "expires_at"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The hash of a random token that this browser has."""
    session: Mapped[str | None]
    """The session in which a passkey is being added; none where somebody signs in."""
    challenge: Mapped[bytes]
    expires_at: Mapped[datetime]


class KeptForm(Base):
    """What somebody sent when their session had run out: nothing that was typed is lost."""

    __tablename__ = "kept_form"
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    page: Mapped[str] = mapped_column(primary_key=True)
    """The path of the page that the form belongs to."""
    fields: Mapped[dict[str, Any]]
    kept_at: Mapped[datetime]


class ApplicationDraft(Base):
    """What a teacher has typed into the form of an application so far; it goes when it is handed in."""

    __tablename__ = "application_draft"
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"), primary_key=True)
    project: Mapped[str] = mapped_column(sa.ForeignKey("project.id"), primary_key=True)
    version: Mapped[int]
    """How often it was saved."""
    saved_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    """The fields of the form, as incomplete as they are."""


class DraftEvidence(Base):
    """A file that goes with a draft, in the document store already."""

    __tablename__ = "draft_evidence"
    __table_args__ = (sa.UniqueConstraint("teacher", "project", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    teacher: Mapped[str] = mapped_column(sa.ForeignKey("teacher.id"))
    project: Mapped[str] = mapped_column(sa.ForeignKey("project.id"))
    name: Mapped[str]
    key: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    stored_at: Mapped[datetime]


class BulkPlan(Base):
    """What a coordinator is about to do with many applications at once, as it was shown to them."""

    __tablename__ = "bulk_plan"
    __table_args__ = (sa.Index(None, "person"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """`PLN-…`."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"))
    """Who made it, and alone may carry it out."""
    made_at: Mapped[datetime]
    wish: Mapped[dict[str, Any]]
    """What is to be done, and why."""
    rows: Mapped[dict[str, Any]]
    """Each step with what becomes of it, and how much everybody has before and after."""
    done_at: Mapped[datetime | None]


class SavedList(Base):
    """A list of applications that somebody comes back to: its filters, order and columns."""

    __tablename__ = "saved_list"
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """As they called it."""
    query: Mapped[str]
    """The end of its address, without the question mark."""
    saved_at: Mapped[datetime]


# The platform beside us ---------------------------------------------------------------------------


class PlatformToken(Base):
    """A token by which a program of an organisation calls the HTTP API."""

    __tablename__ = "platform_token"
    __table_args__ = (sa.Index(None, "organisation"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Its number, which stands in it and by which people recognise it."""
    token_hash: Mapped[str]
    """SHA-256 of the whole token, in hexadecimal digits."""
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    scopes: Mapped[str]
    """What it allows, with spaces between."""
    purpose: Mapped[str]
    """Which program has it, and what for."""
    made_at: Mapped[datetime]
    expires_on: Mapped[date]
    """The last day on which it counts, in Brussels."""
    used_on: Mapped[date | None]
    """The day on which it was used last."""
    ended_at: Mapped[datetime | None]


class PlatformBatch(Base):
    """Rows of the registry that a platform brought in together, once; nothing of what stood in them."""

    __tablename__ = "platform_batch"
    __table_args__ = (sa.UniqueConstraint("organisation", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    key: Mapped[str]
    """As the platform made it up: the same batch again has the same."""
    digest: Mapped[str]
    """SHA-256 of what came."""
    resource: Mapped[str]
    """Which file's rows they are, without its ending."""
    rows: Mapped[int]
    position: Mapped[str]
    """How far the platform is, as it says; empty where it does not."""
    taken_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]]
    """What came of it: numbers and places."""


class PlatformWebhook(Base):
    """Where an organisation's platform is told that something happened."""

    __tablename__ = "platform_webhook"
    __table_args__ = (sa.Index(None, "organisation"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    """`WH-…`."""
    organisation: Mapped[str] = mapped_column(sa.ForeignKey("organisation.id"))
    address: Mapped[str]
    made_at: Mapped[datetime]
    secret_number: Mapped[int]
    """How many secrets it has had; each is derived from the installation's key."""
    former_until: Mapped[datetime | None]
    """Until when the former secret signs, too."""
    position: Mapped[int]
    """The entry of the journal up to which what is to be told was entered."""
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    """Why it was ended, where its receiver had it ended and nobody has seen to that."""


class PlatformDelivery(Base):
    """What a webhook is told of: an entry of the journal, tried until it was taken."""

    __tablename__ = "platform_delivery"
    __table_args__ = (
        sa.Index(
            "ix_platform_delivery_waiting",
            "next_attempt_at",
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        ),
    )
    webhook: Mapped[str] = mapped_column(sa.ForeignKey("platform_webhook.id"), primary_key=True)
    entry: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The journal's."""
    what: Mapped[str]
    application: Mapped[str]
    organisation: Mapped[str]
    """Whose application it is."""
    label: Mapped[str]
    at: Mapped[datetime]
    """When it happened."""
    queued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    """When it was tried for the last time."""
    last_error: Mapped[str | None]
