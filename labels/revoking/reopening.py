"""Taking back what is decided: what hangs on it is shown first, and then all of it is done or nothing.

A label revoked on appeal may have been put forward, have made its project qualify and have led to awards,
certificates and a place in the gallery. Showing and doing are one piece of code: what is shown is what is
done in a transaction that is then thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.file import digest
from labels.errors import NotAllowed, NotFound
from labels.european_label.awarding import merge_again
from labels.european_label.screening import frozen_labels
from labels.kinds import KINDS, LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About
from labels.mail.outbox import Envelope
from labels.papers.issued import revoke_papers
from labels.people.named import Recipient, recipient
from labels.record.journal import Event, note
from labels.record.schema import (
    Application,
    Award,
    Awarded,
    Cycle,
    CycleLabel,
    CyclePlace,
    CycleProject,
    Document,
    Organisation,
    Project,
    PupilClass,
    School,
    SchoolOutcome,
    Screened,
    Teacher,
)
from labels.reviews.near_labels import Labelled, near_to
from labels.school_label.people import everyone
from labels.steps.step import locked
from labels.turn import Turn
from labels.words.sentences import listed, say


@dataclass(frozen=True, slots=True)
class Revoked:
    """A label that is taken back, by its identifier."""

    award: str


@dataclass(frozen=True, slots=True)
class Struck:
    """A nomination that is struck after its screening."""

    nomination: str
    candidate: str


Subject = Revoked | Struck


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that hangs on what is taken back."""

    kind: str
    """`decision`, `review`, `conditions`, `label`, `nomination`, `project`, `award`, `certificate`, `pupils`, `school`,
    `gallery` or `statistics`."""
    subject: str
    what: str


@dataclass
class Consequences:
    """All that hangs on it, and whom it concerns."""

    found: list[Consequence] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    """Applications whose runs have something to look at."""
    years: list[int] = field(default_factory=list)
    """Years whose gallery is to be made again."""

    @property
    def plan(self) -> str:
        """The digest of what was shown: only that is done."""
        return digest([[one.kind, one.subject, one.what] for one in self.found])[:12]

    def add(self, kind: str, subject: str, what: str) -> None:
        """Notes one more, in the order in which they follow from each other."""
        self.found.append(Consequence(kind, subject, what))


def consequences(turn: Turn, subject: Subject) -> Consequences:
    """What would be taken back too; nothing is changed.

    Raises:
        NotFound: there is no such label or nomination.
        NotAllowed: it is taken back already, or was never put forward.
    """
    return tried_out(turn, lambda trial: _reopen(trial, subject, ""))


def tried_out(turn: Turn, do: Callable[[Turn], Consequences]) -> Consequences:
    """What would be done, by doing it in a transaction that is thrown away."""
    with turn.session.begin_nested() as attempt:
        found = do(turn.acting(""))
        turn.session.flush()
        attempt.rollback()
    turn.session.expire_all()
    return found


def reopen(turn: Turn, subject: Subject, plan: str, reason: str) -> Consequences:
    """Takes it back with all that hangs on it, if that is what was shown.

    Raises:
        NotFound: there is no such label or nomination.
        NotAllowed: it is taken back already, was never put forward, or something else hangs on it by now; who does it
            has a conflict of interest with it.
    """
    not_ones_own(turn, _labelled(turn.session, subject))
    return as_shown(_reopen(turn, subject, reason), plan)


def not_ones_own(turn: Turn, label: Labelled) -> None:
    """Leaves to another coordinator what somebody has a conflict of interest with.

    Raises:
        NotAllowed: whoever acts has one with this label.
    """
    for name, why in near_to(turn.session, turn.person, [label]).items() if turn.person else ():
        raise NotAllowed(
            say(
                "{address} has a conflict of interest with {label}: {reasons}. Another coordinator does this.",
                address=turn.by,
                label=name,
                reasons=listed(why),
            )
        )


def _labelled(session: Session, subject: Subject) -> Labelled:
    if isinstance(subject, Revoked):
        return Labelled.of(_award(session, subject.award))
    nomination = _nomination(session, subject.nomination)
    place = session.get(CyclePlace, (nomination.content["year"], nomination.organisation, subject.candidate))
    if place is None:
        raise NotFound(f"“{subject.candidate}” is not in the ranking of {nomination.organisation}.")
    [label] = frozen_labels(session, place.year, {place.candidate: place.project}, nomination.organisation)
    return label


def as_shown(found: Consequences, plan: str) -> Consequences:
    """What was done, if that is what `plan` showed.

    Raises:
        NotAllowed: something else hangs on it by now; the transaction is to be thrown away.
    """
    if found.plan != plan:
        raise NotAllowed(
            say(
                "What hangs on it is not what was shown (plan {plan}; it is {found} now). Nothing was done: look at it again.",
                plan=plan,
                found=found.plan,
            )
        )
    return found


def authority(session: Session, subject: Subject) -> str:
    """The application by whose coordinators' code this is done (`labels code`).

    A label that was awarded elsewhere or earlier has none: it is done by a case of its organisation's year, or by a
    code of the organisation, whose id this is then.

    Raises:
        NotFound: there is no such label or nomination.
    """
    if isinstance(subject, Struck):
        return _nomination(session, subject.nomination).id
    award = _award(session, subject.award)
    if award.label == LabelKind.EUROPEAN:
        year = session.scalar(sa.select(CycleLabel.year).where(CycleLabel.european == award.id).limit(1))
        if year is not None:
            return session.get_one(Cycle, year).application
    elif session.get(Application, award.id) is not None:
        return award.id
    own = session.scalar(
        sa.select(Application.id)
        .where(Application.label == LabelKind.NOMINATION, Application.organisation == award.organisation)
        .order_by(Application.submitted_at.desc())
        .limit(1)
    )
    return own or award.organisation


# Doing ------------------------------------------------------------------------------------------


def _reopen(turn: Turn, subject: Subject, reason: str) -> Consequences:
    done = Consequences()
    if isinstance(subject, Struck):
        _strike_late(turn, subject, reason, done)
    else:
        award = _award(turn.session, subject.award)
        if award.revoked_at is not None:
            raise NotAllowed(f"{award.id} is revoked already.")
        if award.label == LabelKind.NATIONAL:
            _revoke_national(turn, award, reason, done)
        elif award.label == LabelKind.EUROPEAN:
            _revoke_european(turn, award, reason, done)
        else:
            _revoke(turn, award, reason, done)
    done.add("statistics", "all", "Counted from the record, they change by themselves.")
    return done


def _revoke_national(turn: Turn, award: Award, reason: str, done: Consequences) -> None:
    _revoke(turn, award, reason, done)
    leave_cycles(turn, award, reason, done)
    name_schools(turn.session, award, done)


def leave_cycles(turn: Turn, award: Award, reason: str, done: Consequences) -> None:
    """What becomes of every European year in which a National Quality Label was, once it counts no longer."""
    frozen = turn.session.scalars(
        sa.select(CycleLabel).where(CycleLabel.award == award.id).order_by(CycleLabel.year)
    ).all()
    for label in frozen:
        cycle = _locked_cycle(turn.session, label.year)
        place = turn.session.get(CyclePlace, (label.year, label.organisation, award.id))
        if place is not None and place.screened is Screened.APPROVED:
            _strike(turn, cycle, place, reason, done)
        if cycle.merged_at is not None:
            _follow(turn, cycle, label.project, reason, done, left=label.teacher)


def name_schools(session: Session, award: Award, done: Consequences) -> None:
    """The schools whose third condition a National Quality Label met, and the School Labels that rest on that.

    Nothing is taken from them here: they applied in good faith, and their coordinators decide.
    """
    rows = session.execute(_BY_ITS_LABEL, {"award": award.id}).all()
    for row in rows:
        met = f"{row.name} met the third condition of the School Label’s round of {row.year} by this label."
        done.add("school", row.school, met)
        if row.label is not None and row.revoked_at is None:
            rests = (
                f"The School Label of {row.name} rests on that, and stays until its own decision is reopened."
            )
            done.add("label", row.label, rests)
        elif row.application is not None and row.outcome is None:
            done.add(
                "school", row.application, f"{row.name} applies for the School Label on the strength of it."
            )


_BY_ITS_LABEL = (
    sa.select(
        SchoolOutcome.year,
        SchoolOutcome.school,
        School.name,
        Application.id.label("application"),
        Application.outcome,
        Award.id.label("label"),
        Award.revoked_at,
    )
    .join(School, School.id == SchoolOutcome.school)
    .outerjoin(
        Application,
        sa.and_(
            Application.label == LabelKind.SCHOOL,
            Application.school == SchoolOutcome.school,
            Application.round == sa.cast(SchoolOutcome.year, sa.Text),
        ),
    )
    .outerjoin(Award, Award.id == Application.id)
    .where(SchoolOutcome.award == sa.bindparam("award"), SchoolOutcome.eligible)
    .order_by(SchoolOutcome.year, SchoolOutcome.school, Application.id)
)


def _strike_late(turn: Turn, subject: Struck, reason: str, done: Consequences) -> None:
    nomination = _nomination(turn.session, subject.nomination)
    cycle = _locked_cycle(turn.session, nomination.content["year"])
    place = turn.session.get(CyclePlace, (cycle.year, nomination.organisation, subject.candidate))
    if place is None:
        raise NotFound(f"“{subject.candidate}” is not in the ranking of {nomination.organisation}.")
    if place.screened is not Screened.APPROVED:
        raise NotAllowed(f"“{subject.candidate}” was not put forward, so it can't be struck after that.")
    _strike(turn, cycle, place, reason, done)
    if cycle.merged_at is not None:
        _follow(turn, cycle, place.project, reason, done)


def _strike(turn: Turn, cycle: Cycle, place: CyclePlace, reason: str, done: Consequences) -> None:
    place.screened, place.reason = Screened.STRUCK, reason
    place.screened_by, place.screened_at = turn.by, turn.now
    done.add(
        "nomination", place.candidate, f"{place.organisation} no longer puts it forward for {cycle.year}."
    )
    nominations = sa.select(Application).where(
        Application.label == LabelKind.NOMINATION,
        Application.organisation == place.organisation,
        Application.round == str(cycle.year),
    )
    for application in turn.session.scalars(nominations):
        note(
            turn,
            application,
            turn.by,
            Event.STRUCK_AFTER_THE_SCREENING,
            candidate=place.candidate,
            because=reason,
        )
        _touch(done, application)


def _follow(
    turn: Turn, cycle: Cycle, project: str, reason: str, done: Consequences, left: str | None = None
) -> None:
    """What becomes of a project, and of what was awarded for it, after a nomination or a label fell."""
    turn.session.flush()
    [row] = merge_again(turn.session, cycle, {project})
    application = turn.session.get_one(Application, cycle.application)
    if not row.qualifies:
        done.add("project", project, f"It no longer qualifies for {cycle.year}: {row.why}")
        if row.awarded is Awarded.AWARDED:
            row.awarded, row.reason = Awarded.REVOKED, reason
            _revoke_each(turn, cycle, _european(turn.session, cycle, project), reason, done)
    elif left is not None and not _still_holds(turn.session, cycle, project, left):
        own = [award for award in _european(turn.session, cycle, project) if award.teacher == left]
        _revoke_each(turn, cycle, own, reason, done)
    note(turn, application, turn.by, Event.PROJECT_REOPENED, project=project, because=reason)
    _touch(done, application)


def _revoke_european(turn: Turn, award: Award, reason: str, done: Consequences) -> None:
    year = turn.session.scalar(sa.select(CycleLabel.year).where(CycleLabel.european == award.id).limit(1))
    if year is None:
        _revoke(turn, award, reason, done)
        return
    cycle = _locked_cycle(turn.session, year)
    _revoke_each(turn, cycle, [award], reason, done)
    turn.session.flush()
    row = turn.session.get(CycleProject, (year, award.project))
    if row is not None and not _european(turn.session, cycle, row.project):
        row.awarded, row.reason = Awarded.REVOKED, reason
        done.add("project", row.project, f"Nobody is left who holds its European Quality Label of {year}.")


def _revoke_each(turn: Turn, cycle: Cycle, awards: Iterable[Award], reason: str, done: Consequences) -> None:
    several = list(awards)
    application = turn.session.get_one(Application, cycle.application)
    for award in several:
        _revoke(turn, award, reason, done, application)
    if several and cycle.year not in done.years:
        cycle.published = None
        done.years.append(cycle.year)
        done.add("gallery", str(cycle.year), "It is made again.")


def _revoke(
    turn: Turn, award: Award, reason: str, done: Consequences, application: Application | None = None
) -> None:
    """One label, with its certificate, its journal entry and the mail to its holder."""
    award.revoked_at = turn.now
    digests = revoke_papers(turn, award.id, reason)
    teacher = turn.session.get(Teacher, award.teacher) if award.teacher else None
    who = holder_of(turn.session, award)
    name = KINDS[award.label].name
    done.add(
        "award" if award.label == LabelKind.EUROPEAN else "label", award.id, f"{name} of {who}: revoked."
    )
    application = application or turn.session.get(Application, award.id)
    if application is not None and has_certificate(turn.session, award, application):
        done.add("certificate", award.id, f"The certificate of {who} is no longer valid.")
    note(turn, application, turn.by, Event.REVOKED, award=award.id, because=reason, digests=digests)
    if pupils := pupils_of(turn.session, award):
        done.add("pupils", award.id, f"{pupils} pupils’ certificates were made on the strength of it.")
    project = turn.session.get(Project, award.project) if award.project else None
    revoked = About(
        application=award.id,
        label=award.label,
        project_title=project.title if project else "",
        holder=who,
        organisation_name=turn.session.get_one(Organisation, award.organisation).name,
    )
    message = messages.LabelRevoked(about=revoked, reason=reason)
    for to in _to_tell(turn.session, teacher, application):
        parts = () if teacher else (to.person or to.address,)
        outbox.queue(turn, message, Envelope(to, parts, application.id if application else None))


def _to_tell(session: Session, teacher: Teacher | None, application: Application | None) -> list[Recipient]:
    """Whom it concerns that a label is taken back: its teacher, or everybody of the school."""
    if teacher is not None:
        return [recipient(session, teacher.person)]
    return everyone(session, application) if application and application.label == LabelKind.SCHOOL else []


# Looking ----------------------------------------------------------------------------------------


def holder_of(session: Session, award: Award) -> str:
    """Who holds a label, by name."""
    if award.teacher:
        return session.get_one(Teacher, award.teacher).name
    if award.school and award.label == LabelKind.SCHOOL:
        return session.get_one(School, award.school).name
    return award.id


def has_certificate(session: Session, award: Award, application: Application) -> bool:
    """Whether a certificate of the label is among the documents of an application."""
    certificate = sa.select(Document.id).where(
        Document.application == application.id,
        Document.kind == "certificate",
        Document.award == award.id,
    )
    return session.scalar(certificate.limit(1)) is not None


def pupils_of(session: Session, award: Award) -> int:
    """How many pupils got certificates on the strength of a label."""
    made = sa.and_(PupilClass.award == award.id, PupilClass.made_at.is_not(None))
    return session.scalar(sa.select(sa.func.sum(PupilClass.pupils)).where(made)) or 0


def _award(session: Session, identifier: str) -> Award:
    award = session.get(Award, identifier)
    if award is None:
        raise NotFound(f"There is no label {identifier}.")
    return award


def _nomination(session: Session, identifier: str) -> Application:
    application = session.get(Application, identifier)
    if application is None or application.label != LabelKind.NOMINATION:
        raise NotFound(f"There is no nomination {identifier}.")
    return application


def _locked_cycle(session: Session, year: int) -> Cycle:
    """A cycle, locked until the end of the transaction: its run waits."""
    cycle = session.get_one(Cycle, year)
    locked(session, cycle.application)
    session.refresh(cycle)
    return cycle


def _european(session: Session, cycle: Cycle, project: str) -> list[Award]:
    """The valid European awards of a project in a year."""
    given = sa.select(CycleLabel.european).where(CycleLabel.year == cycle.year, CycleLabel.project == project)
    return list(
        session.scalars(
            sa.select(Award).where(Award.id.in_(given), Award.revoked_at.is_(None)).order_by(Award.id)
        )
    )


def _still_holds(session: Session, cycle: Cycle, project: str, teacher: str) -> bool:
    """Whether a teacher has another valid National Quality Label for the project in the frozen list."""
    return (
        session.scalar(
            sa.select(CycleLabel.award)
            .join(Award, Award.id == CycleLabel.award)
            .where(
                CycleLabel.year == cycle.year,
                CycleLabel.project == project,
                CycleLabel.teacher == teacher,
                Award.revoked_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def _touch(done: Consequences, application: Application) -> None:
    if application.id not in done.touched:
        done.touched.append(application.id)
