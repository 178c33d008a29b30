"""Erasing a person: what of theirs goes, what stays and why, all in one transaction or none of it.

A plan is the erasure itself, done in a transaction that is thrown away: it can promise nothing else than what is
done. What lies outside the record (documents, mail in a folder, runs in Prefect) is noted in the same transaction as
to be deleted, and deleted after it, however often that has to be tried.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications import fingerprints
from labels.applications.conditions import FACTS
from labels.errors import LabelsError, OutOfReach
from labels.european_label import contributions
from labels.privacy.holds import hold_on, since_when
from labels.privacy.register import AGAIN
from labels.privacy.scrubbing import Traces, emptied
from labels.privacy.subject import Subject, schools_applications
from labels.record.chain import ERASED, ERASURE, SALT, commitment, erasure_digest
from labels.record.digests import DECISION, PAPER, REVIEW, ToldOf
from labels.record.documents import unnamed
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import (
    Activity,
    Address,
    Application,
    ApplicationDraft,
    Base,
    Bounce,
    BulkPlan,
    Conflict,
    CyclePlace,
    CycleProject,
    DailyMail,
    Decision,
    Deletion,
    DeletionKind,
    DifferentPersons,
    Document,
    Draft,
    DraftEvidence,
    FormerStaff,
    FormerStaffSchool,
    GalleryContribution,
    HandingIn,
    Issued,
    Journal,
    KeptForm,
    Mail,
    Notice,
    Organisation,
    OrganisationCode,
    Passkey,
    Person,
    PersonMerge,
    ProviderAccount,
    Resumption,
    Review,
    ReviewDraft,
    ReviewerChoice,
    ReviewerWish,
    SavedList,
    SealedEntry,
    SignIn,
    SignInCode,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.record.sealing import values_of
from labels.registry.search_index import Kind, with_its_index
from labels.turn import Turn
from labels.words.sentences import KEPT

_BECAUSE_OF_THE_LABEL = "a label is a public act: who checks a certificate is told that it holds (Regulation 2016/679, Article 17(3)(b))"
STAYS = {
    "awards, points and outcomes": _BECAUSE_OF_THE_LABEL
    + ", and every decision can be made again from its points",
    "certificates' codes and digests": "by them a certificate that its holder shows is still found genuine, without a name",
    "what they wrote to others in office": (
        "a comment of theirs is a reason of a decision on somebody else, who has a right to it"
    ),
    "the journal's instants, kinds of events and identifiers": (
        "they account for what was done (Article 5(2)); who it was and every reason is erased, and its chain still holds"
    ),
    "the numbers of a teacher, a school and a project": "they are the registry's, and lead to nobody in this record",
}
"""What an erasure leaves, and why."""


class NotErased(LabelsError):
    """Something of a person would be left; nothing was changed."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Erased:
    """What goes; of a plan, what would."""

    subject: Subject
    erasure: str
    """Its name in the journal: `erasure/…`."""
    counts: Mapping[str, int]
    """How many of what, in the order in which it is done."""
    blocked: tuple[str, ...] = ()
    """Why it can't be done now."""


def blocked(session: Session, subject: Subject) -> tuple[str, ...]:
    """Why the person's data can't be erased now, one sentence each."""
    reasons = []
    if subject.is_erased:
        reasons.append("Their data was erased already.")
    if hold := hold_on(session, subject.person):
        reasons.append(since_when(hold))
    reasons += [
        f"{one.id} is still open ({one.stage.value}); it is withdrawn or decided first."
        for one in session.scalars(
            sa.select(Application)
            .where(Application.id.in_(subject.applications), Application.stage != Stage.CLOSED)
            .order_by(Application.id)
        )
    ]
    reasons += [
        f"{one.id} awaits them; it is given to somebody else first."
        for one in session.scalars(
            sa.select(Step)
            .where(
                Step.person == subject.person,
                Step.state.in_([StepState.OPEN, StepState.ASKED]),
                Step.kind.not_in(_RIGHTS),
            )
            .order_by(Step.id)
        )
    ]
    reasons += [
        f"They are the principal of {school}; the registry names another one first."
        for school in subject.leads
    ]
    reasons += [
        f"They read the mail of {organisation}; the registry gives it another address first."
        for organisation in session.scalars(
            sa.select(Organisation.id).where(Organisation.person == subject.person)
        )
    ]
    if subject.shared:
        known = session.scalar(
            sa.select(Step.id)
            .join(Person, Person.id == Step.person)
            .where(Person.address.in_(subject.shared))
            .limit(1)
        )
        if known:
            reasons.append(
                "Somebody else reads one of their addresses, and whose steps were asked for there is not known; "
                "the registry gives one of both another address first."
            )
    return tuple(reasons)


_RIGHTS = (StepKind.WITHDRAWAL, StepKind.APPEAL, StepKind.COORDINATION)
"""What somebody may do and nobody waits for."""


def erase(turn: Turn, subject: Subject, reason: str, *, again: Collection[str] = ()) -> Erased:
    """Erases all of it in the turn's transaction; the journal is sealed up to now.

    `again` names the former erasures that are done again, after a restore of an earlier copy.

    Raises:
        NotErased: something would be left.
        OutOfReach: an entry about them was written this moment, and is not sealed yet.
    """
    work = _Erasing(turn, subject, Traces(subject.addresses), Traces(subject.addresses | subject.names))
    work.do()
    counts = {what: number for what, number in work.counts.items() if number}
    former: dict[str, Any] = {AGAIN: sorted(again)} if again else {}
    note(
        turn,
        None,
        SYSTEM,
        Event.ERASED_A_PERSON,
        person=subject.person,
        because=reason,
        counts=counts,
        digests={work.erasure: erasure_digest(work.values)},
        **former,
    )
    turn.session.flush()
    if left := _left(turn.session, subject):
        raise NotErased(f"An address of theirs would be left in {', '.join(left)}. Nothing was changed.")
    return Erased(subject, work.erasure, counts)


@dataclass(slots=True)
class _Erasing:
    """One erasure at work."""

    turn: Turn
    subject: Subject
    addresses: Traces
    names: Traces
    """Addresses and names, for what is known to be about them."""
    erasure: str = field(default_factory=lambda: f"{ERASURE}{secrets.token_hex(8)}")
    counts: Counter[str] = field(default_factory=Counter)
    values: list[tuple[int, str]] = field(default_factory=list)
    """Committed values that were erased: their position in the chain and name."""
    ids: frozenset[str] = field(init=False)
    """Their own, and those of whoever was made one with them."""

    def __post_init__(self) -> None:
        who = self.subject.person
        gone = sa.select(PersonMerge.gone).where(
            PersonMerge.kept == who, PersonMerge.confirmed_at.is_not(None)
        )
        self.ids = frozenset((who, *self.session.scalars(gone)))

    def do(self) -> None:
        """All of it, those first that others are found by."""
        self._documents()
        self._mail()
        self._applications()
        self._reviews()
        self._decisions()
        self._papers()
        self._steps()
        self._journal()
        self._others_words()
        self._sessions()
        self._person()

    @property
    def session(self) -> Session:
        return self.turn.session

    # Their applications ----------------------------------------------------------------------------

    def _documents(self) -> None:
        """Files of their applications and awards, that nobody else has handed in too; rows of papers stay by
        which a certificate of before is known."""
        theirs = sa.or_(
            Document.application.in_(self.subject.applications), Document.award.in_(self.subject.awards)
        )
        documents = self.session.scalars(sa.select(Document).where(theirs)).all()
        for one in documents:
            one.name = f"{ERASED}-{one.id}"
        self.session.flush()
        self._delete_documents({one.key for one in documents})

    def _delete_documents(self, keys: Collection[str]) -> None:
        gone = unnamed(self.session, keys)
        self._delete_outside(DeletionKind.DOCUMENT, gone)
        self.counts["files in the document store"] += len(gone)

    def _applications(self) -> None:
        begun = DraftEvidence.teacher.in_(self.subject.teachers)
        keys = set(self.session.scalars(sa.select(DraftEvidence.key).where(begun)))
        self._delete("evidence of applications that were not handed in", DraftEvidence, begun)
        self._delete_documents(keys)
        self._delete(
            "applications that were not handed in",
            ApplicationDraft,
            ApplicationDraft.teacher.in_(self.subject.teachers),
        )
        pictures = contributions.forget(self.turn, self.subject.teachers)
        self.counts["words and pictures for a gallery"] += len(pictures)
        self.session.flush()
        self._delete_documents(set(filter(None, pictures)))
        self.counts["fingerprints of what they wrote"] += fingerprints.forget(
            self.session, self.subject.applications
        )
        for one in self._of_applications(Application, Application.id):
            one.content = emptied(one.content)
            self._delete_outside(DeletionKind.RUNS, [one.id])
            self.counts["applications: what they wrote"] += 1
        of_schools = self._schools_applications()
        for one in self.session.scalars(sa.select(Application).where(Application.id.in_(of_schools))):
            if self.names.within(one.content):
                one.content = self.names.scrubbed(one.content)
                self.counts["schools' applications: their name"] += 1
        self._update(
            "answers in Prefect's form",
            Resumption,
            Resumption.application.in_(self.subject.applications),
            remark=ERASED,
        )

    def _schools_applications(self) -> sa.Select[tuple[str]]:
        return schools_applications(self.session, [self.subject.person])

    def _of_applications(self, table: type[Any], column: Any) -> Iterable[Any]:
        return self.session.scalars(sa.select(table).where(column.in_(self.subject.applications)))

    def _reviews(self) -> None:
        """Of their applications, the words; of their own reviews, who gave them and the note for colleagues."""
        theirs = sa.or_(
            Review.application.in_(self.subject.applications),
            sa.func.lower(Review.reviewer).in_(self.subject.addresses),
        )
        for one in self.session.scalars(sa.select(Review).where(theirs)):
            own = one.application in self.subject.applications
            names = {"note"} | ({"comment"} if own else set())
            names |= {"reviewer"} if self.subject.is_behind(one.reviewer) else set()
            self._close(REVIEW, one, names)
            one.note = ERASED
            if own:
                # Where there was no comment there is none: a verdict that is made again counts them.
                one.comment = ERASED if one.comment.strip() else one.comment
                one.void_because = one.void_because and ERASED
            if "reviewer" in names:
                one.reviewer = ERASED
            self.counts["reviews: comments, notes, who gave them"] += 1
        self.session.flush()

    def _decisions(self) -> None:
        for one in self._of_applications(Decision, Decision.application):
            names = {
                f"verdict.{name}"
                for name, value in one.verdict.items()
                if name in ("comments", FACTS) or self.names.within(value)
            }
            if "ruling" in one.verdict:  # of a person, whose words stand in these
                names |= {f"verdict.{name}" for name in ("ruling", "reasons", KEPT)}
            self._close(DECISION, one, names)
            verdict = dict(one.verdict)
            for name in names:
                key = name.removeprefix("verdict.")
                verdict[key] = _without_words(verdict[key])
            one.verdict = verdict
            self.counts["decisions: the reviewers' comments"] += 1

    def _papers(self) -> None:
        theirs = sa.or_(
            Issued.teacher.in_(self.subject.teachers), Issued.application.in_(self.subject.applications)
        )
        for one in self.session.scalars(sa.select(Issued).where(theirs)):
            names = {
                f"facts.{name}"
                for name, value in one.facts.items()
                if name in ("holder", "files") or self.names.within(value)
            } | {"facts_digest"}
            self._close(PAPER, one, names)
            one.facts = {
                name: ERASED if f"facts.{name}" in names else value for name, value in one.facts.items()
            }
            one.facts_digest = ERASED
            one.revoked_because = one.revoked_because and ERASED
            self.counts["papers: the holder's name"] += 1
        self._update(
            "papers: who revoked them",
            Issued,
            sa.func.lower(Issued.revoked_by).in_(self.subject.addresses),
            revoked_by=ERASED,
        )

    def _steps(self) -> None:
        own = Step.application.in_(self.subject.applications)
        asked = Step.person == self.subject.person
        steps = self.session.scalars(sa.select(Step).where(sa.or_(own, asked))).all()
        for one in steps:
            if one.application in self.subject.applications:
                one.question = one.question and ERASED
                one.answer = emptied(one.answer) if one.answer is not None else None
                one.closed_because = one.closed_because and ERASED
                one.draft = one.refused = one.typed = None
            if one.person == self.subject.person:
                one.draft = one.refused = one.typed = None
                if one.state in (StepState.OPEN, StepState.ASKED):
                    one.state, one.closed_at, one.closed_because = StepState.VOID, self.turn.now, ERASED
        self.counts["steps: who, questions, answers, drafts"] += len(steps)
        self._delete("drafts of reviews", ReviewDraft, ReviewDraft.step.in_([one.id for one in steps]))

    # The journal -----------------------------------------------------------------------------------

    def _journal(self) -> None:
        """Who it was, what names them, and what was written about their applications; the rest of an entry stays."""
        said = _naming(Journal.details, self.subject.addresses)
        of_persons = sa.and_(Journal.what.in_(_OF_PERSONS), sa.or_(*_naming(Journal.details, self.ids)))
        about = sa.or_(
            sa.func.lower(Journal.who).in_(self.subject.addresses),
            Journal.application.in_(self.subject.applications),
            of_persons,
            *said,
        )
        rows = self.session.execute(
            sa.select(Journal, SealedEntry)
            .outerjoin(SealedEntry, SealedEntry.entry == Journal.id)
            .where(about)
            .order_by(Journal.id)
        ).tuples()
        for entry, sealed in rows.all():
            names = set(self._to_erase(entry))
            names -= set((sealed.erased if sealed else None) or ())
            if not names:
                continue
            if sealed is None:
                raise OutOfReach(
                    "The journal's seal", "an entry about them was written this moment.", "Try again."
                )
            sealed.salts, sealed.erased = self._closed(
                values_of(entry.who, entry.details), sealed.salts, sealed.erased, names, sealed.position
            )
            self.session.flush()  # the database lets an entry be erased only where its seal says so
            if "who" in names:
                entry.who = ERASED
            entry.details = {
                name: ERASED if f"details.{name}" in names else one for name, one in entry.details.items()
            }
            self.session.flush()
            self.counts["entries of the journal"] += 1

    def _to_erase(self, entry: Journal) -> Iterable[str]:
        if self.subject.is_behind(entry.who):
            yield "who"
        own = entry.application in self.subject.applications or (
            entry.what in _OF_PERSONS and not self.ids.isdisjoint(_persons_of(entry))
        )
        traces = self.names if own else self.addresses
        for name, value in entry.details.items():
            if name != "digests" and (traces.within(value) or (own and name in _FREE_TEXT and value)):
                yield f"details.{name}"

    # What others wrote, and what is sent ----------------------------------------------------------

    def _mail(self) -> None:
        """Mail to them and about their applications: the message, and its file where mail goes into a folder."""
        said = _naming(Mail.context, self.subject.addresses | self.ids)
        theirs = sa.or_(
            Mail.person == self.subject.person,
            sa.func.lower(Mail.to_address).in_(self.subject.addresses),
            Mail.application.in_(self.subject.applications),
            *said,
        )
        self._delete("notices", Notice, Notice.person == self.subject.person)
        self._delete("choices of mail", DailyMail, DailyMail.person == self.subject.person)
        for one in self.session.scalars(sa.select(Mail).where(theirs)):
            self._delete_outside(DeletionKind.MAIL, [one.message_id])
            one.context = {ERASED: True}
            one.last_error = one.last_error and ERASED
            if one.sent_at is None:
                one.sent_at, one.last_error = self.turn.now, ERASED
            if one.person == self.subject.person or self.subject.is_behind(one.to_address):
                one.to_name = one.to_address = ERASED
            if self.addresses.within(one.reason):
                one.reason = f"{ERASED}/{secrets.token_hex(8)}"
            self.counts["mail"] += 1
        self.session.flush()

    def _others_words(self) -> None:
        """What names them in what others decided and declared."""
        mine = self.subject.addresses
        self._delete(
            "conflicts of interest",
            Conflict,
            sa.or_(
                Conflict.person == self.subject.person,
                sa.and_(Conflict.kind == "teacher", Conflict.target.in_(self.subject.teachers)),
            ),
        )
        self._update(
            "conflicts of interest: who declared them",
            Conflict,
            sa.func.lower(Conflict.declared_by).in_(mine),
            declared_by=ERASED,
        )
        for one in self.session.scalars(sa.select(Conflict)):
            if self.addresses.within(one.reason):
                one.reason = ERASED
        saved = sa.or_(sa.func.lower(Draft.author).in_(mine), Draft.person == self.subject.person)
        self._update("drafts: who saved them", Draft, saved, author=ERASED, person=None)
        of_schools = self._schools_applications()
        for draft in self.session.scalars(sa.select(Draft).where(Draft.application.in_(of_schools))):
            if self.names.within(draft.changed):
                draft.changed = self.names.scrubbed(draft.changed)
        handed_in = sa.and_(Step.application.in_(of_schools), Step.kind == StepKind.SELF_ASSESSMENT)
        for step in self.session.scalars(sa.select(Step).where(handed_in)):
            for name in ("answer", "draft"):
                if self.names.within(said := getattr(step, name)):
                    setattr(step, name, self.names.scrubbed(said))
        self._delete(
            "who hands in for a school",
            HandingIn,
            sa.or_(HandingIn.person == self.subject.person, HandingIn.chosen_by == self.subject.person),
        )
        self._update(
            "screenings: who screened",
            CyclePlace,
            sa.func.lower(CyclePlace.screened_by).in_(mine),
            screened_by=ERASED,
        )
        self._update(
            "screenings: why it was struck",
            CyclePlace,
            sa.and_(CyclePlace.candidate.in_(self.subject.awards), CyclePlace.reason.is_not(None)),
            reason=ERASED,
        )
        self._update(
            "awards: who awarded",
            CycleProject,
            sa.func.lower(CycleProject.awarded_by).in_(mine),
            awarded_by=ERASED,
        )
        self._update(
            "words and pictures for a gallery: who struck them",
            GalleryContribution,
            sa.func.lower(GalleryContribution.struck_by).in_(mine),
            struck_by=ERASED,
        )
        for given in self.session.scalars(sa.select(GalleryContribution)):
            for name in ("words", "shows", "credit", "words_struck", "picture_struck"):
                if self.names.within(said := getattr(given, name)):
                    setattr(given, name, self.names.scrubbed(said))
                    contributions.make_again(self.turn, given.year)

    def _sessions(self) -> None:
        mine = self.subject.addresses
        theirs = sa.or_(sa.func.lower(SignIn.address).in_(mine), SignIn.person == self.subject.person)
        self._delete("sessions", SignIn, theirs)
        self._delete("codes to sign in", SignInCode, sa.func.lower(SignInCode.address).in_(mine))
        self._delete("reports of mail that came back", Bounce, Bounce.address.in_(mine))
        self._delete("forms that were kept", KeptForm, KeptForm.person == self.subject.person)
        naming = [
            one.id
            for one in self.session.scalars(sa.select(BulkPlan))
            if self.addresses.within(one.wish) or self.addresses.within(one.rows)
        ]
        theirs = sa.or_(BulkPlan.person == self.subject.person, BulkPlan.id.in_(naming))
        self._delete("plans for many applications", BulkPlan, theirs)
        self._delete("lists that were kept", SavedList, SavedList.person == self.subject.person)

    def _person(self) -> None:
        who = self.subject.person
        self._delete("accounts of identity providers", ProviderAccount, ProviderAccount.person == who)
        self._delete("codes as a coordinator", OrganisationCode, OrganisationCode.person == who)
        theirs = sa.or_(DifferentPersons.one == who, DifferentPersons.other == who)
        self._delete("from whom they were told apart", DifferentPersons, theirs)
        asked = sa.or_(PersonMerge.gone.in_(self.ids), PersonMerge.kept == who)
        self._delete("merging that was asked for", PersonMerge, asked & PersonMerge.confirmed_at.is_(None))
        self._update("merging: why", PersonMerge, asked, reason=ERASED)
        self._delete("passkeys", Passkey, Passkey.person == who)
        self._delete("former addresses", Address, Address.person == who)
        self._delete("activities", Activity, Activity.teacher.in_(self.subject.teachers))
        self._delete("places on a staff", Staff, Staff.person == who)
        reviewing = sa.select(Step.id).where(Step.person == who)
        self._delete("wishes", ReviewerWish, ReviewerWish.person == who)
        self._delete("why they were chosen to review", ReviewerChoice, ReviewerChoice.step.in_(reviewing))
        self._update(
            "choices in which they were next", ReviewerChoice, ReviewerChoice.following == who, following=None
        )
        self._delete("former schools", FormerStaffSchool, FormerStaffSchool.person == who)
        self._delete("former places on a staff", FormerStaff, FormerStaff.person == who)
        with_its_index(
            self.session.connection(),
            Kind.TEACHER,
            self.subject.teachers,
            lambda: self._update(
                "", Teacher, Teacher.person == who, name=ERASED, email=ERASED, subjects=None
            ),
        )
        self._update("", Person, Person.id == who, name=ERASED, address=ERASED, language="en")
        self.counts["name, address and language"] = 1

    # How -------------------------------------------------------------------------------------------

    def _close(self, kind: ToldOf, row: Any, names: set[str]) -> None:
        """Keeps commitments to values of a row that entries tell of, in the place of their salts."""
        if row.salts is None:
            return  # from before the first seal: no entry tells of it
        values = kind.values({column.name: getattr(row, column.name) for column in row.__table__.columns})
        fact = {column.name: getattr(row, column.name) for column in row.__table__.columns}
        row.salts, row.erased = self._closed(
            values, row.salts, row.erased, names & values.keys(), 0, kind.subject(fact)
        )

    def _closed(
        self,
        values: Mapping[str, Any],
        salts: bytes,
        erased: Mapping[str, Any] | None,
        names: set[str],
        position: int,
        subject: str = "",
    ) -> tuple[bytes, dict[str, Any]]:
        closed, left = dict(erased or {}), bytearray(salts)
        for place, name in enumerate(sorted(values)):
            if name in names and name not in closed:
                salt = slice(place * SALT, (place + 1) * SALT)
                closed[name] = {"commitment": commitment(salts[salt], name, values[name]), "by": self.erasure}
                left[salt] = bytes(SALT)
                self.values.append((position, f"{subject} {name}" if subject else name))
        return bytes(left), closed

    def _update(self, what: str, table: type[Base], where: Any, **changes: Any) -> None:
        done = self.session.execute(
            sa.update(table).where(where).values(**changes).execution_options(synchronize_session=False)
        )
        self._count(what, done)

    def _delete(self, what: str, table: type[Base], where: Any) -> None:
        done = self.session.execute(
            sa.delete(table).where(where).execution_options(synchronize_session=False)
        )
        self._count(what, done)

    def _count(self, what: str, done: sa.Result[Any]) -> None:
        if what:
            self.counts[what] += cast("sa.CursorResult[Any]", done).rowcount

    def _delete_outside(self, kind: DeletionKind, keys: Iterable[str]) -> None:
        there = {row.key for row in self.session.new if isinstance(row, Deletion) and row.kind is kind}
        for key in sorted(set(keys) - there):
            self.session.add(Deletion(kind=kind, key=key, erasure=self.erasure, noted_at=self.turn.now))


_FREE_TEXT = frozenset({"because", "grounds", "claimed", "struck"})
"""Details of an entry that somebody wrote."""
_OF_PERSONS = frozenset((Event.ASKED_TO_MERGE, Event.MERGED_PERSONS, Event.TOLD_APART, Event.NOT_TOLD_APART))
"""What was said of persons by their ids, in an entry about no application."""


def _persons_of(entry: Journal) -> set[str]:
    """Whom an entry about persons is about; whoever said it is not among them."""
    details = entry.details
    return {*details.get("persons", ()), details.get("gone", ""), details.get("kept", "")}


def _naming(column: Any, words: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """That any of these words stands in a column of JSON."""
    text = sa.cast(column, sa.Text)
    return [text.ilike(f"%{_escaped(one)}%", escape="!") for one in words]


def _escaped(text: str) -> str:
    """A text as it stands in a column of JSON, for a search in it."""
    spelled = json.dumps(text)[1:-1]
    return spelled.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _left(session: Session, subject: Subject) -> list[str]:
    """Columns in which an address of theirs is left: each that can hold text is looked through, whatever it is for."""
    left, traces = [], Traces(subject.addresses)
    spelled = [json.dumps(one)[1:-1] for one in sorted(subject.addresses)]
    for table in Base.metadata.sorted_tables:
        columns = [one for one in table.columns if isinstance(one.type, (sa.Text, sa.JSON))]
        if table.name in _LOOKED_UP or not spelled or not columns:
            continue
        # One look at a table, whatever number of columns it has; SQLite's LIKE makes no difference of case.
        there = [
            sa.cast(column, sa.Text).icontains(one, autoescape=True)
            if session.get_bind().dialect.name == "postgresql"
            else sa.cast(column, sa.Text).contains(one, autoescape=True)
            for column in columns
            for one in spelled
        ]
        for row in session.execute(sa.select(*columns).where(sa.or_(*there))):
            left += [f"{table.name}.{name}" for name, value in row._mapping.items() if traces.within(value)]
    return left


_LOOKED_UP = frozenset(
    {
        "activity", "member", "organisation", "person", "project", "rule_text", "school", "school_outcome",
        "search_word", "teacher",
    }
)  # fmt: skip
"""Tables of the registry, in which a person is found by number, and texts that nobody's address is in: a search
through a million teachers would take longer than all else."""

LOOKED_AT = {
    "person": "name, address and language are emptied", "address": "deleted", "provider_account": "deleted",
    "passkey": "deleted",
    "different_persons": "deleted", "person_merge": "deleted where nobody confirmed it, why is emptied", "organisation_code": "deleted",
    "staff": "deleted", "former_staff": "deleted", "former_staff_school": "deleted",
    "teacher": "name and address are emptied", "activity": "deleted",
    "search_word": "the words of their name are deleted",
    "school": "its principal is named anew by the registry first", "organisation": "its mailbox likewise",
    "application": "texts are emptied", "application_section": "fingerprints are deleted", "fingerprint": "deleted", "application_draft": "deleted", "draft_evidence": "deleted",
    "document": "files are deleted, names are emptied", "issued": "the holder is emptied",
    "decision": "comments are emptied, and what the registry said of them", "review": "words, and who gave them", "review_draft": "deleted",
    "reviewer_wish": "deleted", "reviewer_choice": "deleted, and who was next is emptied",
    "step": "who, questions, answers, drafts", "resumption": "remarks are emptied", "draft": "who saved it, and what names them",
    "handing_in": "deleted",
    "journal": "who, reasons, and what names them", "sealed_entry": "salts become commitments",
    "mail": "texts and recipients are emptied", "notice": "deleted", "daily_mail": "deleted", "conflict": "deleted", "sign_in": "deleted",
    "sign_in_code": "deleted", "kept_form": "deleted", "bounce": "deleted", "bulk_plan": "deleted", "saved_list": "deleted", "cycle_place": "who screened, and why it was struck",
    "cycle_project": "who awarded", "gallery_contribution": "deleted; of others', who struck it, and what names them",
}  # fmt: skip
"""Tables that have something of a person, and what becomes of it."""


def _without_words(value: Any) -> Any:
    """A part of a verdict without what was said in it: a list is as long as it was, and sentences are not known any more."""
    if isinstance(value, dict):
        return {}
    return emptied(value) if isinstance(value, list) else ERASED


OF_NOBODY = frozenset(
    {
        "additional_review", "award", "key_generation", "store_owner", "cycle", "cycle_label", "cycle_organisation", "deletion", "former_erasure", "former_school", "installation", "legal_hold", "member", "moved_date",
        "passkey_challenge", "platform_batch", "platform_delivery", "platform_token", "platform_webhook", "project", "provider_attempt", "pupil_class", "pupil_code", "reopening", "rule_text", "school_outcome", "school_round", "seal",
    }
)  # fmt: skip
"""Tables that have numbers of the registry at most, which lead to nobody once the person is erased."""
