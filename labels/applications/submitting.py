"""How an application enters the record: whole, once, under the rules in force."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import numbers_of
from labels.applications.documents import StoredDocument
from labels.applications.eligibility import used_up
from labels.applications.file import NationalApplication, digest
from labels.clock import brussels_day, in_words
from labels.errors import Fault, NotAllowed
from labels.identifiers import national_application_id, paper_id
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About
from labels.mail.outbox import Envelope
from labels.mending import HandInAgain, Mend, Withdraw
from labels.people.named import Recipient
from labels.record.journal import Event, note
from labels.record.rows import read, write
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Document,
    Member,
    Organisation,
    Outcome,
    PaperKind,
    Person,
    Project,
    School,
    Stage,
    StepKind,
    Teacher,
)
from labels.rules.calendars import Placement, counted_year, place
from labels.rules.kept import keep_rules
from labels.rules.model import RuleEdition
from labels.steps.step import open_step
from labels.turn import Turn
from labels.words.sentences import say
from labels.words.text import clean, one_line


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submission led to."""

    application: str
    created: bool
    """False where the same was submitted before."""
    remark: str
    """In what state it is and what to do, in words for the applicant."""
    mend: Mend | None = None
    """What mends it, for the door to word."""


def applicants_organisation(session: Session, teacher: object, project: object) -> tuple[str, list[Fault]]:
    """The organisation that the teacher's school belongs to, whose rules therefore apply; and what the registry lacks.

    What is no text at all is not looked for. Without an organisation, nothing says whose rules apply.
    """
    known = read(session, _APPLICANT, {"teacher": _named(teacher), "project": _named(project)}).one()
    missing = {"teacher": (teacher, known.organisation), "project": (project, known.project)}
    faults = [
        Fault(what, f'the registry has no {what} "{one_line(named, 64)}".', "Check the identifier.")
        for what, (named, found) in missing.items()
        if isinstance(named, str) and found is None
    ]
    return known.organisation or "", faults


def _named(identifier: object) -> str:
    """An identifier as it is looked for; nothing where it can be none."""
    return clean(identifier) if isinstance(identifier, str) and len(identifier) <= 64 else ""


_APPLICANT = sa.select(
    sa.select(School.organisation)
    .join(Teacher, Teacher.school == School.id)
    .where(Teacher.id == sa.bindparam("teacher"))
    .scalar_subquery()
    .label("organisation"),
    sa.select(Project.id).where(Project.id == sa.bindparam("project")).scalar_subquery().label("project"),
)


def content_digest(application: NationalApplication, evidence: Sequence[tuple[str, str]]) -> str:
    """What makes two submissions the same: the file's content and its evidence (name, key)."""
    files = hashlib.sha256(repr(sorted(evidence)).encode()).hexdigest()
    return digest({"content": application.model_dump(mode="json"), "evidence": files})


def submit(
    turn: Turn,
    application: NationalApplication,
    documents: Sequence[StoredDocument],
    edition: RuleEdition,
    *,
    again: bool = False,
    others: Sequence[sa.Row[Any]] | None = None,
) -> Submitted:
    """Registers an application with its documents, its rules, its receipt and its journal entry.

    The same submission again returns the same application, unless that was withdrawn: nobody judged it,
    so it stands in nobody's way. With `again`, also unless it did not meet the conditions: what was missing
    may not have been in the file; or its label was taken back since. Whether the conditions are met is the process's question, not the
    door's: who applies in vain gets an answer that says why. `others` are the teacher's applications so far, where the
    caller, who holds the teacher, has asked for them.

    Raises:
        NotAllowed: another application of this teacher for this project is still open.
    """
    # Of two submissions at once, the second waits here and then sees the first.
    found = held(turn.session, application.teacher, application.project)
    if found is None:
        raise LookupError(f"no teacher {application.teacher} or no project {application.project}")
    sameness = content_digest(application, [(d.name, d.key) for d in documents if d.kind == "evidence"])
    if others is None:
        others = applications_of(turn.session, application.teacher)
    earlier = [one for one in others if one.project == application.project]
    same = [one for one in earlier if one.content_digest == sameness]
    anew = {Outcome.WITHDRAWN, Outcome.INELIGIBLE} if again else {Outcome.WITHDRAWN}
    taken_back = again and same and same[-1].revoked_at
    if same and not taken_back and (same[-1].outcome not in anew or stays_refused(same[-1])):
        return _submitted_before(turn.session, same[-1], earlier, edition)
    for one in earlier:
        if one.outcome is None:
            raise NotAllowed(
                say(
                    "Your application {application} for this project is still open. To hand in another, withdraw it first.",
                    application=one.id,
                ),
                Withdraw(one.id),
            )
    placement = place(turn.now, edition.national.calendar, found.country)
    attempt = len(earlier) + 1
    values = {
        "id": national_application_id(application.teacher, application.project, attempt),
        "label": LabelKind.NATIONAL,
        "teacher": application.teacher,
        "project": application.project,
        "school": found.school,
        "organisation": found.organisation,
        "country": found.country,
        "language": application.language,
        "attempt": attempt,
        "instance": 1,
        "content": application.model_dump(mode="json"),
        "content_digest": sameness,
        "rules": keep_rules(turn.session, edition),
        "submitted_at": turn.now,
        "school_year": counted_year(turn.now, placement),
        "round": placement.round,
        "decide_by": placement.decide_by,
        "stage": Stage.SUBMITTED,
        "stage_since": turn.now,
        "revision": 1,  # the entry below
        "parked_revision": -1,
        "runs": 0,
    }
    write(turn.session, Application, values)
    row = Application(**values)  # what is needed of it here; nothing of it changes any more
    to = Recipient(found.person_name, found.address, found.person_language, found.person)
    write(turn.session, Document, *(one.of(row.id, turn.now) for one in documents))
    note(
        turn,
        row,
        to.address,
        Event.SUBMITTED,
        news=False,
        rules=edition.version,
        content=sameness,
        documents=[d.key for d in documents],
        round=placement.round,
        rolled_over=placement.rolled_over,
    )
    evidence = [one.name for one in documents if one.kind == "evidence"]
    about = About(
        application=row.id,
        label=row.label,
        project_title=found.title,
        holder=found.teacher_name,
        organisation_name=found.organisation_name,
    )
    _mail_receipt(turn, row, to, placement, about, evidence)
    remark = "Registered; a receipt is on its way."
    if same:
        remark = f"Registered anew, since {same[-1].id} is {same[-1].outcome.value}; a receipt is on its way."
    return Submitted(row.id, created=True, remark=remark)


def _mail_receipt(
    turn: Turn,
    row: Application,
    to: Recipient,
    placement: Placement,
    about: About,
    evidence: Sequence[str],
) -> None:
    """Opens the applicant's right to withdraw, and mails it with the receipt."""
    right = open_step(turn, row, StepKind.WITHDRAWAL, to.person or "", number=1, address=to.address)
    warnings = []
    if placement.rolled_over and placement.opens_at:
        warnings.append(
            say(
                "Your application arrived when no round was open, so it counts for the round {round}, which "
                "opens on {opens}, and for the school year {year}. It may be reviewed and decided earlier.",
                round=placement.round or "",
                opens=placement.opens_at,
                year=f"{row.school_year}/{row.school_year + 1}",
            )
        )
    receipt = messages.Receipt(
        about=about,
        round=placement.round or "",
        decide_by=placement.decide_by,
        warnings=tuple(warnings),
        documents=tuple(evidence),
    )
    outbox.queue(turn, receipt, Envelope(to, (), row.id, right.id, (paper_id(PaperKind.RECEIPT, row.id),)))


def _submitted_before(
    session: Session, one: sa.Row[Any], earlier: Sequence[sa.Row[Any]], edition: RuleEdition
) -> Submitted:
    """An application that is handed in once more: how it stands, and what its applicant can do."""

    def so(remark: str, mend: Mend | None = None) -> Submitted:
        return Submitted(one.id, created=False, remark=remark, mend=mend)

    decision = session.get(Decision, (one.id, one.instance))
    if one.outcome is None or decision is None:
        since = in_words(one.stage_since)
        return so(f"This was submitted before and is under way (stage {one.stage.value}, since {since}).")
    said = f"This was submitted before and {_ended(one)} on {brussels_day(decision.decided_at)}."
    if stays_refused(one):
        refusals = sum(map(stays_refused, earlier))
        return so(f"{said} {after_refusal(edition, refusals)} The letter about the decision says more.")
    if one.outcome is Outcome.INELIGIBLE:
        remedies = " ".join(condition["remedy"] for condition in decision.verdict["conditions"])
        how = "hand the corrected file in; if the file itself needs no change, hand the same in again"
        return so(f"{said} {remedies} Then {how}.", HandInAgain())
    if one.revoked_at is not None:
        how = "If what it was taken back for has been put right, hand the same in again as a new application."
        return so(f"{said} The label was taken back on {brussels_day(one.revoked_at)}. {how}", HandInAgain())
    return so(f"{said} Nothing is left to do.")


def _ended(one: sa.Row[Any]) -> str:
    if one.outcome is Outcome.WITHDRAWN and stays_refused(one):
        return "was refused; its appeal was withdrawn"
    if one.outcome is Outcome.INELIGIBLE:
        return "did not meet the conditions"
    return f"was {one.outcome.value}"


def stays_refused(one: sa.Row[Any]) -> bool:
    """Whether an application counts as refused: it is, or it was and what followed (an appeal) was withdrawn, which
    leaves the refusal."""
    return one.outcome is Outcome.REFUSED or (
        one.outcome is Outcome.WITHDRAWN and one.former is Outcome.REFUSED
    )


FORMER_OUTCOME = (
    sa.select(Decision.outcome)
    .where(Decision.application == Application.id, Decision.instance == Application.instance - 1)
    .correlate(Application)
    .scalar_subquery()
    .label("former")
)
"""What was decided on an application before its present instance."""


def after_refusal(edition: RuleEdition, refusals: int) -> str:
    """Whether a teacher may apply once more for a project that was refused so often, and with what."""
    rules = edition.national.reapplication
    if refusals > rules.times.value:
        return f"{used_up(rules.times.value)} Apply with another project."
    if rules.name_criteria.value:
        how = 'names under "reapplication" the criteria to be looked at again and where the new evidence is'
    else:
        how = "has what the comments propose"
    return f"You may apply again for this project with a file that {how}; this one has not changed."


def held(session: Session, teacher: str, project: str) -> sa.Row[Any] | None:
    """A teacher and a project with what an act asks for again and again, None where one of them is not there.

    Of two transactions that ask, the second waits here until the end of the first. One that asks twice has it already.
    """
    found: sa.Row[Any] | None
    whose, found = session.info.get(_KEPT, (None, None))
    if whose != (teacher, project):
        found = read(session, _HELD, {"teacher": teacher, "project": project}).first()
        session.info[_KEPT] = (teacher, project), found
    return found


_KEPT = "applying"
_HELD = (
    sa.select(
        Teacher.id.label("teacher"),
        Teacher.name.label("teacher_name"),
        Teacher.language,
        Person.id.label("person"),
        Person.name.label("person_name"),
        Person.address,
        Person.language.label("person_language"),
        School.id.label("school"),
        School.name.label("school_name"),
        School.city,
        School.country,
        Organisation.id.label("organisation"),
        Organisation.name.label("organisation_name"),
        Project.id.label("project"),
        Project.title,
        Project.started_on,
        Project.ended_on,
        Member.teacher.is_not(None).label("is_member"),
    )
    .select_from(Teacher)
    .join(Person, Person.id == Teacher.person)
    .join(School, School.id == Teacher.school)
    .join(Organisation, Organisation.id == School.organisation)
    .join(Project, Project.id == sa.bindparam("project"))
    .outerjoin(Member, sa.and_(Member.project == Project.id, Member.teacher == Teacher.id))
    .where(Teacher.id == sa.bindparam("teacher"))
    .with_for_update(of=Teacher)
)


def applications_of(session: Session, teacher: str) -> Sequence[sa.Row[Any]]:
    """Every application of a teacher for the National Quality Label; those for one project in their order."""
    return read(session, _APPLICATIONS, {"teacher": teacher}).all()


_APPLICATIONS = (
    sa.select(
        Application.id,
        Application.project,
        Application.school_year,
        Application.submitted_at,
        Application.content_digest,
        Application.outcome,
        Application.instance,
        FORMER_OUTCOME,
        Application.stage,
        Application.stage_since,
        Award.revoked_at,
    )
    .outerjoin(Award, Award.id == Application.id)
    .where(
        Application.label == LabelKind.NATIONAL,
        Application.teacher.in_(numbers_of(sa.bindparam("teacher"))),
    )
    .order_by(Application.attempt)
)
