"""The award of a year: nominations are merged, the Central Support Service decides, teachers get the label."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import InvalidInput, NotAllowed
from labels.european_label.freezing import central_rules, cycle_in, cycle_of
from labels.european_label.merging import Holder, Nomination, merge
from labels.european_label.merging import Project as Merged
from labels.european_label.screening import (
    MAILED,
    answered,
    chosen,
    frozen_labels,
    near_to_labels,
    somebody_elses,
    still_screening,
    without_conflict,
)
from labels.identifiers import european_award_id, paper_id
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import surviving
from labels.people.staff import coordinators, those_who_coordinate
from labels.record.journal import RULES, SYSTEM, Event, entry, note
from labels.record.rows import write, write_many
from labels.record.schema import (
    Application,
    Award,
    Awarded,
    Cycle,
    CycleLabel,
    CycleOrganisation,
    CyclePlace,
    CycleProject,
    Decision,
    Journal,
    Outcome,
    PaperKind,
    Person,
    Project,
    Screened,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews.near_labels import Labelled
from labels.rules.calendars import add_working_days, end_of_working_day
from labels.rules.kept import rules_of
from labels.rules.model import EuropeanRules
from labels.rules.moved import moved_date
from labels.steps.answers import Screening
from labels.steps.mailing import about, about_step, mail_step, tell
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import locked, open_step, steps_of, void_open
from labels.turn import Turn

# Merging ----------------------------------------------------------------------------------------


def merge_nominations(turn: Turn, application_id: str) -> int:
    """Which projects qualify, with the half that failed where they don't, once; returns how many do.

    Labels that were revoked since the freezing count neither as nominations nor as partners.

    Raises:
        NotAllowed: organisations are still screening.
    """
    application = locked(turn.session, application_id)
    cycle = cycle_of(turn.session, application)
    if cycle.merged_at is None:
        if waiting := still_screening(turn.session, cycle.year):
            raise NotAllowed(f"{', '.join(waiting)} have not screened their proposals yet.")
        merged = merged_now(turn.session, cycle, rules_of(turn.session, application).european)
        rows = [_row(cycle.year, project) for project in merged]
        if rows:
            write_many(turn.session, CycleProject, list(rows[0]), [tuple(row.values()) for row in rows])
        cycle.merged_at = turn.now
        qualifying = sum(project.qualifies for project in merged)
        note(turn, application, RULES, Event.NOMINATIONS_MERGED, qualifying=qualifying, of=len(merged))
    return (
        turn.session.scalar(
            sa.select(sa.func.count()).where(CycleProject.year == cycle.year, CycleProject.qualifies)
        )
        or 0
    )


HOLDER = (
    CycleLabel.project,
    CycleLabel.teacher,
    CycleLabel.country,
    CycleLabel.school,
    CycleLabel.founded_in,
)
"""What a `Holder` has of the frozen list."""


def _row(year: int, project: Merged) -> dict[str, Any]:
    return {
        "year": year,
        "project": project.id,
        "proposed_by": " ".join(project.proposed_by),
        "labelled_partners": project.labelled_partners,
        "countries": project.countries,
        "qualifies": project.qualifies,
        "why": project.why,
    }


def merged_now(
    session: Session, cycle: Cycle, rules: EuropeanRules, projects: Collection[str] | None = None
) -> list[Merged]:
    """What merging gives today, of all of a year's projects or of some."""
    of_year = [CyclePlace.year == cycle.year, CyclePlace.screened == Screened.APPROVED]
    nominated = (
        sa.select(CyclePlace.project, CyclePlace.organisation)
        .outerjoin(Award, Award.id == CyclePlace.candidate)
        .where(*of_year, Award.revoked_at.is_(None))
    )
    holders = (
        sa.select(*HOLDER)
        .join(Award, Award.id == CycleLabel.award)
        .where(CycleLabel.year == cycle.year, Award.revoked_at.is_(None))
    )
    if projects is not None:
        nominated = nominated.where(CyclePlace.project.in_(projects))
        holders = holders.where(CycleLabel.project.in_(projects))
    connection = session.connection()
    session.flush()
    return merge(
        map(Nomination._make, connection.execute(nominated)),
        map(Holder._make, connection.execute(holders)),
        rules,
    )


def merge_again(session: Session, cycle: Cycle, projects: Collection[str]) -> list[CycleProject]:
    """Merges some projects of a year anew, after a label or a nomination of theirs fell."""
    rules = central_rules(session, cycle)
    now_ = {project.id: project for project in merged_now(session, cycle, rules, projects)}
    rows = list(
        session.scalars(
            sa.select(CycleProject).where(CycleProject.year == cycle.year, CycleProject.project.in_(projects))
        )
    )
    for row in rows:
        [fresh] = (
            [now_[row.project]] if row.project in now_ else merge([Nomination(row.project, "")], [], rules)
        )
        for name, value in _row(cycle.year, fresh).items():
            setattr(row, name, value)
        if row.project not in now_:
            row.proposed_by, row.qualifies = "", False
            row.why = "Neither a nomination nor a labelled partner is left."
    return rows


def merged_otherwise(session: Session, year: int) -> list[str]:
    """The projects of a year that come out otherwise when they are merged again from what was put forward.

    Projects are left out that are not what they were then: a label of theirs, or a nomination, fell or came back since.
    """
    cycle = cycle_in(session, year)
    if cycle.merged_at is None:
        return []
    changed = set(session.scalars(_CHANGED_SINCE, {"year": year, "merged_at": cycle.merged_at}))
    entries = sa.select(Journal.details).where(
        Journal.application == cycle.application, Journal.what == Event.PROJECT_REOPENED
    )
    changed |= {details["project"] for details in session.scalars(entries)}
    merged = merged_now(session, cycle, central_rules(session, cycle))
    again = {project.id: _row(year, project) for project in merged}
    rows = session.scalars(sa.select(CycleProject).where(CycleProject.year == year))
    stood = {row.project: {name: getattr(row, name) for name in _ROW} for row in rows}
    everything = again.keys() | stood.keys()
    return sorted(one for one in everything - changed if again.get(one) != stood.get(one))


_CHANGED_SINCE = (
    sa.select(CycleLabel.project)
    .join(Award, Award.id == CycleLabel.award)
    .outerjoin(Decision, Decision.application == Award.id)
    .where(
        CycleLabel.year == sa.bindparam("year"),
        sa.or_(
            Award.revoked_at.is_not(None),
            Award.revoked_on.is_not(None),
            Decision.decided_at > sa.bindparam("merged_at", type_=Cycle.merged_at.type),
        ),
    )
)
"""The projects of which a label was taken back, or decided again after the merging."""

_ROW = ("year", "project", "proposed_by", "labelled_partners", "countries", "qualifies", "why")
"""The columns that merging fills."""


# Asking -----------------------------------------------------------------------------------------


def ask(turn: Turn, application_id: str) -> list[Step]:
    """Asks the Central Support Service's coordinators for the award; the steps that are awaited.

    Where the rules ask for four eyes, whoever answered is followed by somebody else, until two
    different people have said the same one after the other; whom a colleague entered on the staff once the
    year was frozen is not asked. An empty list means that it is settled, or that no project qualifies.

    Raises:
        NotAllowed: two different people are needed and there is only one.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return []
    rules = rules_of(turn.session, application).european
    qualifying = _qualifying(turn.session, application)
    steps = steps_of(turn.session, application, StepKind.AWARDING)
    answers = _answers(steps)
    if not qualifying or settled(answers, qualifying.keys(), rules):
        return []
    if awaited := [step for step in steps if step.state is StepState.OPEN]:
        return awaited
    last = answers[-1] if answers else None
    people = those_who_coordinate(turn.session, application.organisation)
    if rules.four_eyes.value:
        late = _entered_since(turn.session, application)
        people = [one for one in people if one.id not in late and not (last and one.address == last.assignee)]
    named = coordinators(turn.session, application.organisation)
    people = [one for one in people if one in named] or people
    people = without_conflict(turn.session, application, people, _labelled(turn.session, application))
    if not people:
        raise NotAllowed(
            f"The award needs two different people of {application.organisation}: name another coordinator."
        )
    year = application.content["year"]
    due = moved_date(turn.session, StepKind.AWARDING, year, application.organisation)
    due = end_of_working_day(due, application.country) if due else None
    if due is None or due <= turn.now:
        due = add_working_days(turn.now, rules.awarding_days.value, application.country)
    opened = [
        open_step(turn, application, StepKind.AWARDING, one.id, due=due, organisation=application.organisation, number=len(steps) + n)
        for n, one in enumerate(people, 1)
    ]  # fmt: skip
    turn.session.flush()
    for step in opened:
        message = messages.AwardingAsked(
            about=about_step(turn.session, application, step),
            year=year,
            number=len(qualifying),
            first=last.assignee if last else "",
        )
        mail_step(turn, step, message)
    application.stage, application.stage_since = Stage.AWARDING, turn.now
    note(
        turn,
        application,
        RULES,
        Event.ASKED_FOR_THE_AWARD,
        coordinators=[one.address for one in people],
        projects=len(qualifying),
    )
    return opened


def _entered_since(session: Session, application: Application) -> frozenset[str]:
    """Whom a coordinator of the organisation entered on its staff, or gave another address, after the year was frozen.

    Whoever did it may read the mail there, and would be two people. Who changed their own address is none of them, nor
    is who is on the staff again by the operator's word.
    """
    entries = session.execute(
        sa.select(Journal.who, Journal.what, Journal.details)
        .where(
            Journal.what.in_((Event.ENTERED_ON_A_STAFF, Event.CHANGED_ON_A_STAFF, Event.REJOINED_A_STAFF)),
            Journal.at > cycle_of(session, application).frozen_at,
        )
        .order_by(Journal.id)
    ).tuples()
    found: set[str] = set()
    for who, what, details in entries:
        if details.get("organisation") != application.organisation:
            continue
        if what == Event.REJOINED_A_STAFF:
            if who == SYSTEM:
                found.difference_update(details.get("persons", ()))
        elif what == Event.ENTERED_ON_A_STAFF or "email" in details.get("what", ()):
            found.update(one for one in details["persons"] if one != details.get("person"))
    return frozenset(surviving(session, one) for one in found)


def _qualifying(session: Session, application: Application) -> dict[str, CycleProject]:
    rows = session.scalars(
        sa.select(CycleProject)
        .where(CycleProject.year == application.content["year"], CycleProject.qualifies)
        .order_by(CycleProject.project)
    )
    return {row.project: row for row in rows}


def _labelled(session: Session, application: Application) -> list[Labelled]:
    """The projects that qualify, with all labels of theirs."""
    qualifying = _qualifying(session, application)
    return frozen_labels(session, application.content["year"], {one: one for one in qualifying})


def _answers(steps: Iterable[Step]) -> list[Step]:
    answered = (step for step in steps if step.state is StepState.ANSWERED)
    return sorted(answered, key=lambda step: (step.closed_at or step.opened_at, step.number))


def settled(answers: Sequence[Step], projects: Collection[str], rules: EuropeanRules) -> bool:
    """Whether the last answer counts: it names every project, and a second person agrees if one must."""
    if not answers:
        return False
    last = approved_in(answers[-1])
    if not set(projects) <= last | set((answers[-1].answer or {}).get("strike", {})):
        return False
    if not rules.four_eyes.value:
        return True
    if len(answers) < 2 or answers[-2].assignee == answers[-1].assignee:
        return False
    return approved_in(answers[-2]) & set(projects) == last & set(projects)


def approved_in(step: Step) -> set[str]:
    """The projects that an answer approves."""
    return set((step.answer or {}).get("approve", []))


# Answering --------------------------------------------------------------------------------------


def take(turn: Turn, application: Application, step: Step, given: Screening) -> Accepted | Refusal:
    """The Central Support Service's answer: all of it is right, or none counts and every fault is named."""
    year = application.content["year"]
    qualifying = _qualifying(turn.session, application)

    def otherwise(name: str) -> str:
        project = turn.session.get(CycleProject, (year, name))
        if project is None:
            return f"“{name}” is not among the projects of {year}: nothing can be added from outside."
        return f"“{name}” does not qualify. {project.why}"

    approved, faults = chosen(given, qualifying, otherwise)
    if faults:
        return Refusal("; ".join(map(str, faults)), InvalidInput(step.id, faults))
    labels = _labelled(turn.session, application)
    near = near_to_labels(turn.session, application, step.person, labels)
    if refusal := somebody_elses(turn.session, application, step, near, labels):
        return refusal
    remark = answered(
        turn,
        application,
        step,
        approved,
        given.strike,
        Event.DECIDED_ON_THE_AWARD,
        void=f"{step.assignee} has answered",
        own=sorted(near),
    )
    rules = rules_of(turn.session, application).european
    steps = steps_of(turn.session, application, StepKind.AWARDING)
    if not settled(_answers(steps), qualifying.keys(), rules):
        remark += " A second person is asked now; the award counts when two say the same."
    return Accepted(application.id, remark)


# Awarding ---------------------------------------------------------------------------------------


def award(turn: Turn, application_id: str) -> Outcome:
    """Gives the label to every teacher of an awarded project who holds its National Quality Label; once.

    Source: assumption, "the project's teachers who hold an NQL for it". Who got one for the same project
    in an earlier year gets no second. The schools' own history of labels is not touched.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return application.outcome
    cycle = cycle_of(turn.session, application)
    answers = _answers(steps_of(turn.session, application, StepKind.AWARDING))
    if answers:
        fallen = _settle_projects(turn, cycle, answers[-1])
        if fallen:
            note(turn, application, RULES, Event.NO_LONGER_QUALIFY, projects=fallen)
    recipients = _recipients(turn.session, cycle)
    projects = turn.session.scalar(
        sa.select(sa.func.count()).where(
            CycleProject.year == cycle.year, CycleProject.awarded == Awarded.AWARDED
        )
    )
    day = brussels_day(turn.now)
    by = answers[-1].assignee if answers else RULES
    if recipients:
        write(
            turn.session,
            Award,
            *(
                {
                    "id": european_award_id(cycle.year, row.teacher, row.project),
                    "label": LabelKind.EUROPEAN,
                    "teacher": row.teacher,
                    "project": row.project,
                    "school": row.school,
                    "organisation": application.organisation,
                    "awarded_on": day,
                }
                for row in recipients
            ),
        )
        _remember(turn.acting(by, answers[-1].person if answers else ""), cycle, recipients)
        _tell_teachers(turn, application, cycle, recipients)
    outcome = Outcome.AWARDED if projects else Outcome.REFUSED
    application.outcome = outcome
    application.stage, application.stage_since = Stage.DECIDED, turn.now
    cycle.awarded_at = turn.now
    void_open(turn, application, StepKind.AWARDING, "there is nothing to award any more")
    note(turn, application, by, Event.ending(outcome), projects=projects, teachers=len(recipients))
    _tell_organisations(turn, application, cycle)
    return outcome


def _settle_projects(turn: Turn, cycle: Cycle, answer: Step) -> list[str]:
    """Puts the last word on every project, of what still qualifies at this moment; returns what no longer does."""
    approved, struck = approved_in(answer), (answer.answer or {}).get("strike", {})
    fallen = []
    for row in merge_again(turn.session, cycle, approved | set(struck)):
        if not row.qualifies:
            fallen.append(row.project)
            continue
        if row.project in approved:
            row.awarded = Awarded.AWARDED
        else:
            row.awarded, row.reason = Awarded.STRUCK, struck[row.project]
        row.awarded_by, row.awarded_at = answer.assignee, turn.now
    return fallen


def _recipients(session: Session, cycle: Cycle) -> Sequence[sa.Row[Any]]:
    """One row for each teacher and project, with the school at which the National Quality Label was won."""
    session.flush()
    has_one = sa.exists().where(
        Award.label == LabelKind.EUROPEAN,
        Award.teacher == CycleLabel.teacher,
        Award.project == CycleLabel.project,
        Award.revoked_at.is_(None),
    )
    national = sa.orm.aliased(Award)
    return session.execute(
        sa.select(
            CycleLabel.teacher,
            CycleLabel.project,
            sa.func.max(CycleLabel.school).label("school"),
            Teacher.person,
            Teacher.name,
            Person.address,
            Person.language,
            Project.title,
        )
        .join(national, national.id == CycleLabel.award)
        .join(
            CycleProject,
            sa.and_(CycleProject.year == CycleLabel.year, CycleProject.project == CycleLabel.project),
        )
        .join(Teacher, Teacher.id == CycleLabel.teacher)
        .join(Person, Person.id == Teacher.person)
        .join(Project, Project.id == CycleLabel.project)
        .where(
            CycleLabel.year == cycle.year,
            national.revoked_at.is_(None),
            CycleProject.awarded == Awarded.AWARDED,
            ~has_one,
        )
        .group_by(
            CycleLabel.teacher,
            CycleLabel.project,
            Teacher.person,
            Teacher.name,
            Person.address,
            Person.language,
            Project.title,
        )
        .order_by(CycleLabel.project, CycleLabel.teacher)
    ).all()


def _remember(turn: Turn, cycle: Cycle, recipients: Iterable[sa.Row[Any]]) -> None:
    """The frozen list and the national applications learn of the award that their holders got."""
    given = {
        (row.teacher, row.project): european_award_id(cycle.year, row.teacher, row.project)
        for row in recipients
    }
    labels = turn.session.execute(
        sa.select(CycleLabel.award, CycleLabel.teacher, CycleLabel.project).where(
            CycleLabel.year == cycle.year
        )
    )
    frozen = cast("sa.Table", CycleLabel.__table__)
    turn.session.connection().execute(
        sa.update(frozen)
        .where(frozen.c.year == cycle.year, frozen.c.award == sa.bindparam("of_award"))
        .values(european=sa.bindparam("award_given")),
        [
            {"of_award": row.award, "award_given": given[row.teacher, row.project]}
            for row in labels
            if (row.teacher, row.project) in given
        ],
    )
    here = turn.session.execute(
        sa.select(CycleLabel.award, CycleLabel.european)
        .join(Application, Application.id == CycleLabel.award)
        .where(CycleLabel.year == cycle.year, CycleLabel.european.is_not(None))
        .order_by(CycleLabel.award)
    ).all()
    if not here:
        return
    entries = [
        entry(turn, row.award, turn.by, Event.WON_THE_EUROPEAN_LABEL, award=row.european, year=cycle.year)
        for row in here
    ]
    write(turn.session, Journal, *entries)
    noted = sa.select(CycleLabel.award).where(CycleLabel.year == cycle.year, CycleLabel.european.is_not(None))
    turn.session.execute(
        sa.update(Application)
        .where(Application.id.in_(noted))
        .values(revision=Application.revision + 1)
        .execution_options(synchronize_session=False)
    )


def _tell_teachers(
    turn: Turn, application: Application, cycle: Cycle, recipients: Iterable[sa.Row[Any]]
) -> None:
    organisation = about(turn.session, application).organisation_name
    for row in recipients:
        award_id = european_award_id(cycle.year, row.teacher, row.project)
        won = About(
            application=award_id,
            label=application.label,
            project_title=row.title,
            holder=row.name,
            organisation_name=organisation,
        )
        to = Recipient(row.name, row.address, row.language, row.person)
        certificate = paper_id(PaperKind.CERTIFICATE, award_id)
        envelope = Envelope(to, application=application.id, attachments=(certificate,))
        outbox.queue(turn, messages.EuropeanAwarded(about=won, year=cycle.year), envelope)


def _tell_organisations(turn: Turn, application: Application, cycle: Cycle) -> None:
    """Mails every organisation that put something forward what became of it."""
    rows = turn.session.execute(
        sa.select(
            CyclePlace.organisation,
            CycleProject.project,
            Project.title,
            CycleProject.awarded,
            CycleProject.reason,
            CycleProject.why,
        )
        .join(
            CycleProject,
            sa.and_(CycleProject.year == CyclePlace.year, CycleProject.project == CyclePlace.project),
        )
        .join(Project, Project.id == CyclePlace.project)
        .where(CyclePlace.year == cycle.year, CyclePlace.screened == Screened.APPROVED)
        .distinct()
        .order_by(CyclePlace.organisation, CycleProject.project)
    ).all()
    results: dict[str, list[messages.EuropeanResult.Result]] = {}
    for row in rows:
        gets = row.awarded is Awarded.AWARDED
        result = messages.EuropeanResult.Result(
            project=row.project,
            title=row.title,
            awarded=gets,
            why="" if gets else row.reason or row.why or "",
        )
        results.setdefault(row.organisation, []).append(result)
    nominations = turn.session.scalars(
        sa.select(CycleOrganisation).where(
            CycleOrganisation.year == cycle.year, CycleOrganisation.nomination.is_not(None)
        )
    )
    common = about(turn.session, application)
    for part in nominations:
        own = results.get(part.organisation, [])
        message = messages.EuropeanResult(
            about=common,
            nomination=part.nomination or "",
            year=cycle.year,
            number=len(own),
            won=sum(one.awarded for one in own),
            results=tuple(own[:MAILED]),
        )
        for one in coordinators(turn.session, part.organisation):
            tell(turn, application, one.id, message, one.id)
