"""A decision reopened: what hangs on it is shown, then all of it is done or nothing, and the process goes on from there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import rights
from labels.applications import ending
from labels.errors import NotAllowed
from labels.identifiers import paper_id
from labels.mending import DeclareConflict, ReopenDecision
from labels.papers.due import due_papers
from labels.papers.issued import MadePaper, enter
from labels.papers.verifying import PaperState, Verification, by_code
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Base,
    Cause,
    CyclePlace,
    Decision,
    Issued,
    Journal,
    Mail,
    Member,
    Outcome,
    PaperKind,
    Project,
    Review,
    SchoolOutcome,
    SchoolRound,
    Screened,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.record.schema import School as SchoolRow
from labels.reviews import conflicts, deciding
from labels.reviews.repeating import decided_again
from labels.revoking import redeciding
from labels.revoking.redeciding import Reopened
from labels.school_label import deciding as school_deciding
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code, SignedIn
from labels.turn import Turn
from tests.support.case import COORDINATOR, Case, decided, open_case, withdrawn
from tests.support.european import OWN, YEAR, awarded, populate_year
from tests.support.people import KEY, STAMP, code_of
from tests.support.persons import person_at
from tests.support.school import School
from usecases import coordinating

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


def issued(case: Case | School) -> None:
    """The papers of the outcome are made and entered."""
    with case.record.writing() as session:
        for due in due_papers(session, case.id, STAMP):
            made = MadePaper(f"sha256/{due.paper}", 1, due.paper, None)
            enter(Turn(session, case.now, KEY), due, made)


def awarded_case(case: Case) -> Case:
    assert decided(case, 4) is Outcome.AWARDED
    issued(case)
    return case


def given(case: Case) -> list[Step]:
    """The reviews that were given, by seat."""
    return [one for one in case.all(Step) if one.kind is StepKind.REVIEW and one.state is StepState.ANSWERED]


def says_conflict(case: Case, step: Step) -> Any:
    """A coordinator declares the conflict of interest of whoever gave a review."""
    by = SignedIn(person_at(case.record, COORDINATOR), "mail code", case.now)
    act = coordinating.declare_conflict(case.id, step.assignee, "They are cousins.")
    return case.do(act, by)


def plan_of(case: Case | School, cause: Cause) -> str:
    return str(case.do(redeciding.consequences, Reopened(case.id, cause)).plan)


def reopen(case: Case | School, cause: Cause, reason: str = "They are cousins.") -> list[tuple[str, str]]:
    case.now += timedelta(days=1)
    found = case.do_as(COORDINATOR, redeciding.reopen, Reopened(case.id, cause), plan_of(case, cause), reason)
    return [(one.kind, one.subject) for one in found.found]


def left_in(case: Case | School) -> list[list[str]]:
    with case.record.reading() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "mail"]
        return [sorted(str(tuple(row)) for row in session.execute(sa.select(table))) for table in tables]


def checked(case: Case, edition: int = 1) -> Verification:
    """What the check of the certificate says."""
    with case.record.reading() as session:
        code = session.scalars(
            sa.select(Issued.code).where(
                Issued.subject == case.id, Issued.edition == edition, Issued.code.is_not(None)
            )
        ).one()
        return by_code(session, str(code), STAMP, now=case.now)


def made_again(case: Case | School) -> list[tuple[int, bool]]:
    with case.record.reading() as session:
        found = decided_again(session, applications=sa.select(Application.id))
        return [(one.instance, one.same) for one in found]


def told(case: Case | School, template: str) -> list[Mail]:
    with case.record.reading() as session:
        found = sa.select(Mail).where(Mail.template == template).order_by(Mail.reason)
        return list(session.scalars(found))


def goes_on(case: Case, each: int) -> Outcome:
    """Whoever is asked reviews, and the application is decided, as its run does."""
    assert case.conditions()
    outcome = decided(case, each)
    issued(case)
    return outcome


# A conflict of interest -----------------------------------------------------------------------------


def test_a_conflict_found_after_the_decision_says_what_rests_on_it_and_how_to_reopen(case: Case) -> None:
    first, _ = given(awarded_case(case))
    done = says_conflict(case, first)
    assert "decided, and stays so until it is reopened" in done.remark
    assert f"{case.id} is awarded ({first.id})" in done.remark
    assert done.mend == ReopenDecision(case.id, Cause.CONFLICT)
    assert case.row().outcome is Outcome.AWARDED


def test_a_conflict_of_somebody_who_did_not_judge_says_that_nothing_rests_on_it(case: Case) -> None:
    awarded_case(case)
    by = SignedIn(person_at(case.record, COORDINATOR), "mail code", case.now)
    done = case.do(coordinating.declare_conflict(case.id, COORDINATOR, "A neighbour."), by)
    assert done.remark.endswith("No decision rests on a review of theirs.")
    assert done.mend is None


def test_a_coordinator_with_a_conflict_of_interest_decides_nothing_about_that_applicant(case: Case) -> None:
    by = SignedIn(person_at(case.record, COORDINATOR), "mail code", case.now)
    [first, *_] = case.ask()
    case.do(coordinating.declare_conflict(case.id, COORDINATOR, "My cousin applies."), by)
    for act in (
        coordinating.declare_conflict(case.id, first.assignee, "Cousins."),
        coordinating.move_deadline(first.id, case.now + timedelta(days=30), "A fair."),
        coordinating.reassign(first.id, COORDINATOR, "Ill."),
    ):
        refused = case.do(act, by)
        assert isinstance(refused, Refusal)
        assert "has a conflict of interest with this application" in refused.why


def test_after_a_conflict_that_seat_is_filled_anew_and_the_other_review_stays(case: Case) -> None:
    first, second = given(awarded_case(case))
    says_conflict(case, first)
    found = reopen(case, Cause.CONFLICT)
    assert found == [
        ("decision", case.id), ("label", case.id), ("certificate", case.id),
        ("review", first.id), ("review", second.id), ("statistics", "all"),
    ]  # fmt: skip
    row = case.row()
    assert (row.outcome, row.stage, row.instance, row.run, row.runs) == (None, Stage.SUBMITTED, 2, None, 1)
    assert case.conditions()
    [asked] = case.ask()
    assert (asked.kind, asked.seat) == (StepKind.REVIEW, first.seat)
    assert asked.assignee not in (first.assignee, second.assignee)
    case.review(asked, 3)
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    old, new = case.all(Decision)
    assert (old.instance, old.score, new.instance, new.score) == (1, 24, 2, 21)
    assert made_again(case) == [(1, True), (2, True)]


def test_everybody_is_told_and_the_applicant_learns_nobodys_name(case: Case) -> None:
    first, second = given(awarded_case(case))
    says_conflict(case, first)
    reopen(case, Cause.CONFLICT, f"{first.assignee} is a cousin.")
    [to_applicant] = told(case, "decision_reopened")
    assert to_applicant.to_address == "t-1@school.example"
    assert first.assignee not in str(to_applicant.context)
    counts = {
        mail.to_address: (
            mail.context["message"]["review_counts"],
            bool(mail.context["message"]["consequences"]),
        )
        for mail in told(case, "reopening")
    }
    assert counts[first.assignee] == (False, False)
    assert counts[second.assignee] == (True, False)
    assert counts[COORDINATOR] == (None, True)
    [to_colleague] = [mail for mail in told(case, "reopening") if mail.to_address == second.assignee]
    assert first.assignee not in str(to_colleague.context)


def test_the_check_of_a_certificate_says_what_became_of_its_decision(case: Case) -> None:
    first, _ = given(awarded_case(case))
    assert checked(case).state is PaperState.VALID
    says_conflict(case, first)
    reopen(case, Cause.CONFLICT)
    suspended = checked(case)
    assert (suspended.state, suspended.revoked) == (PaperState.SUSPENDED, False)
    assert "was reopened on 2026-03-17 and is being made again. Until then it is not valid." in suspended.why
    assert goes_on(case, 4) is Outcome.AWARDED
    assert (checked(case).state, checked(case, 2).state) == (PaperState.SUPERSEDED, PaperState.VALID)
    assert case.all(Award)[0].revoked_at is None


def test_where_the_new_decision_is_a_refusal_the_certificate_is_void(case: Case) -> None:
    first, _ = given(awarded_case(case))
    says_conflict(case, first)
    reopen(case, Cause.CONFLICT)
    assert goes_on(case, 0) is Outcome.REFUSED
    verdict = checked(case)
    assert (verdict.state, verdict.revoked) == (PaperState.REVOKED, True)
    assert "the label was not awarded" in verdict.why
    assert case.all(Award)[0].revoked_at is not None
    assert made_again(case) == [(1, True), (2, True)]


def test_without_a_known_conflict_nothing_is_reopened_for_one(case: Case) -> None:
    awarded_case(case)
    with pytest.raises(NotAllowed, match="Nobody whose review counts") as refused:
        plan_of(case, Cause.CONFLICT)
    assert refused.value.mend == DeclareConflict(case.id)


def test_a_conflict_counts_too_of_somebody_who_left_the_staff_since(case: Case) -> None:
    first, _ = given(awarded_case(case))
    says_conflict(case, first)
    with case.record.writing() as session:
        session.execute(sa.text(f"DELETE FROM staff WHERE person = '{first.person}'"))
    assert ("review", first.id) in reopen(case, Cause.CONFLICT)
    with case.record.reading() as session:
        assert session.get_one(Review, first.id).void_at is not None


# Other causes ---------------------------------------------------------------------------------------


def test_after_an_appeal_was_granted_other_people_judge_and_nobody_appeals_again(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    former = {one.assignee for one in given(case)}
    reopen(case, Cause.APPEAL, "The ministry upheld the appeal.")
    assert case.conditions()
    asked = case.ask()
    assert len(asked) == 2
    assert former.isdisjoint(one.assignee for one in asked)
    for one in asked:
        case.review(one, 0)
    assert case.do(deciding.decide, case.id) is Outcome.REFUSED
    rights = [one for one in case.all(Step) if one.kind is StepKind.APPEAL]
    assert [one.state for one in rights] == [StepState.VOID], "the right to appeal ended with the reopening"
    assert made_again(case) == [(1, True), (2, True)]


def test_a_decision_that_was_reopened_for_a_conflict_can_still_be_appealed(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    first, _ = given(case)
    says_conflict_in(case, first)
    reopen(case, Cause.CONFLICT)
    assert goes_on(case, 0) is Outcome.REFUSED
    assert case.right(StepKind.APPEAL).state is StepState.OPEN


def says_conflict_in(case: Case, step: Step) -> None:
    with case.record.writing() as session:
        turn = Turn(session, case.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, session.get_one(Application, case.id), step.person, reason="Cousins.")


def test_a_wrong_registry_has_the_conditions_checked_anew_and_the_reviews_stay(case: Case) -> None:
    reviews = given(awarded_case(case))
    with case.record.writing() as session:
        session.get_one(Project, case.row().project).ended_on = None
    found = reopen(case, Cause.REGISTRY, "The project was entered twice.")
    assert ("conditions", case.id) in found
    assert case.conditions()
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    assert [one.id for one in given(case)] == [one.id for one in reviews]
    assert made_again(case) == [(1, True), (2, True)]


def test_what_did_not_meet_the_conditions_is_judged_once_the_registry_is_right(record: Record) -> None:
    case = open_case(record)
    withdrawn(case)
    with case.record.writing() as session:
        schools = {one.id: one.country for one in session.scalars(sa.select(SchoolRow))}
        for one in session.scalars(sa.select(SchoolRow)):
            one.country = "PL"
    again = case.handed_in(again=True)
    case.id = again.application
    assert not case.conditions()
    case.do(ending.close, case.id)
    with case.record.writing() as session:
        for one in session.scalars(sa.select(SchoolRow)):
            one.country = schools[one.id]
    with pytest.raises(NotAllowed, match="Only a wrong registry reopens that"):
        plan_of(case, Cause.APPEAL)
    reopen(case, Cause.REGISTRY, "A school was entered under the wrong country.")
    assert goes_on(case, 4) is Outcome.AWARDED
    assert [one.outcome for one in case.all(Decision) if one.application == case.id] == [
        Outcome.INELIGIBLE, Outcome.AWARDED,
    ]  # fmt: skip


def test_an_award_on_appeal_after_a_reopening_brings_a_new_certificate(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    with record.writing() as session:
        for name in ("r6@nss.example", "r7@nss.example"):
            session.add(Staff(email=name, role="reviewer", name=name, organisation="NSS-RS", language="sr"))
    assert decided(case, 3) is Outcome.AWARDED
    issued(case)
    for step in given(case):
        says_conflict_in(case, step)
    reopen(case, Cause.CONFLICT)
    assert goes_on(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    done = case.do(rights.appeal, case.id, Code(code_of(right), right.assignee), "Not read.")
    assert isinstance(done, Accepted)
    assert decided(case, 3) is Outcome.AWARDED
    issued(case)
    assert told(case, "awarded")[-1].attachment == paper_id(PaperKind.CERTIFICATE, case.id, 2)
    assert (checked(case).state, checked(case, 2).state) == (PaperState.SUPERSEDED, PaperState.VALID)


def second_number(case: Case) -> str:
    """Another number in the registry of the teacher who applies, also in the project."""
    with case.record.writing() as session:
        own = session.get_one(Teacher, "T-1")
        columns = {c.name: getattr(own, c.name) for c in Teacher.__table__.columns}
        session.add(Teacher(**columns | {"id": "T-9"}))
        session.flush()
        session.add(Member(project="P-1", teacher="T-9", role="partner", joined_on=date(2025, 9, 1)))
    return "T-9"


def moved_to(case: Case, number: str) -> str:
    """The case's application is another number's from now on."""
    with case.record.writing() as session:
        session.get_one(Application, case.id).teacher = number
    return case.id


def test_what_was_handed_in_since_under_another_number_of_the_teacher_is_in_the_way(case: Case) -> None:
    assert decided(case, 0) is Outcome.REFUSED
    former, number = case.id, second_number(case)
    later = case.submit(description="Anew.")
    case.id = later
    moved_to(case, number)
    case.id = former
    with pytest.raises(NotAllowed, match=f"{later} was handed in after {former}"):
        plan_of(case, Cause.APPEAL)


def test_a_conflict_says_what_rests_on_it_under_another_number_of_the_teacher_too(case: Case) -> None:
    first, _ = given(awarded_case(case))
    moved_to(case, second_number(case))
    says_conflict_in(case, first)
    with case.record.reading() as session:
        row = session.get_one(Application, case.id)
        asked = Application(teacher="T-1", project="P-1", school=row.school, label=row.label)
        found = redeciding.resting_on(session, asked, first.person)
    assert [(one.application, one.review) for one in found] == [(case.id, first.id)]


# What hangs on it -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_label_that_was_put_forward_falls_out_of_its_year_and_the_central_service_is_told(
    case: Case,
) -> None:
    assert decided(case, 5) is Outcome.AWARDED
    with case.record.writing() as session:
        populate_year(session, populated=True)
        awarded(session)
        assert session.get_one(CyclePlace, (YEAR, OWN, case.id)).screened is Screened.APPROVED
    found = reopen(case, Cause.APPEAL, "Upheld.")
    assert ("nomination", case.id) in found
    with case.record.reading() as session:
        place = session.get_one(CyclePlace, (YEAR, OWN, case.id))
        assert (place.screened, place.reason) == (Screened.STRUCK, f"The decision on {case.id} was reopened.")
    to_central = [mail for mail in told(case, "reopening") if mail.to_address.endswith("@css.example")]
    assert {mail.to_address for mail in to_central} == {
        "ada@css.example",
        "ben@css.example",
        "css@css.example",
    }
    shown = str(to_central[0].context)
    assert "no longer puts it forward" in shown
    assert not any(one.assignee in shown for one in case.all(Step) if one.kind is StepKind.REVIEW)


def test_a_schools_third_condition_and_its_label_are_named_and_stay(case: Case) -> None:
    awarded_case(case)
    with case.record.writing() as session:
        rules = session.get_one(Application, case.id).rules
        session.add(
            SchoolRound(year=2026, rules=rules, on=case.now.date(), due_at=case.now, begun_at=case.now)
        )
        session.flush()
        session.add(
            SchoolOutcome(
                year=2026, school="S-1", country="PL", registered_on=case.now.date(), active="T-1", award=case.id,
                project="P-1", awarded_on=case.now.date(), held=None, eligible=True,
            )
        )  # fmt: skip
        row = session.get_one(Application, case.id)
        columns = {c.name: getattr(row, c.name) for c in Application.__table__.columns}
        session.add(
            Application(
                **columns
                | {"id": "SL-1", "label": "school", "teacher": None, "project": None, "round": "2026"}
            )
        )
        session.flush()
        session.add(
            Award(
                id="SL-1", label="school", school="S-1", organisation="NSS-PL", awarded_on=case.now.date(),
                valid_until=None, revoked_at=None,
            )
        )  # fmt: skip
    found = reopen(case, Cause.APPEAL, "Upheld.")
    assert ("school", "S-1") in found
    assert ("label", "SL-1") in found
    with case.record.reading() as session:
        assert session.get_one(Award, "SL-1").revoked_at is None


def test_a_school_is_judged_again_in_the_seat_of_whoever_had_a_conflict(record: Record) -> None:
    school = School(record)
    school.hand_in()
    school.declare()
    school.review(3)
    assert school.do(school_deciding.decide, school.id) is Outcome.AWARDED
    issued(school)
    school.do(ending.close, school.id)
    step = next(
        one for one in school.rows(Step) if one.kind is StepKind.REVIEW and one.state is StepState.ANSWERED
    )
    with record.writing() as session:
        turn = Turn(session, school.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, session.get_one(Application, school.id), step.person, reason="Cousins.")
    with pytest.raises(NotAllowed, match="yearly round"):
        plan_of(school, Cause.REGISTRY)
    reopen(school, Cause.CONFLICT)
    assert school.mails()[("decision_reopened", "t-1@school.example")] == 1
    school.review(3)
    assert school.do(school_deciding.decide, school.id) is Outcome.AWARDED
    issued(school)
    assert made_again(school) == [(1, True), (2, True)]
    with record.reading() as session:
        assert session.scalars(sa.select(Issued.edition).where(Issued.kind == "certificate", Issued.subject == school.id)
                               .order_by(Issued.edition)).all() == [1, 2]  # fmt: skip


def school_with_a_conflict(record: Record, each: int) -> tuple[School, Outcome]:
    """A school whose decision rests on a review of somebody with a conflict of interest."""
    school = School(record)
    school.hand_in()
    school.declare()
    school.review(each)
    outcome = school.do(school_deciding.decide, school.id)
    issued(school)
    school.do(ending.close, school.id)
    step = next(
        one for one in school.rows(Step) if one.kind is StepKind.REVIEW and one.state is StepState.ANSWERED
    )
    with record.writing() as session:
        turn = Turn(session, school.now, KEY, by=COORDINATOR)
        conflicts.declare(turn, session.get_one(Application, school.id), step.person, reason="Cousins.")
    return school, outcome


def applications_of(school: School) -> list[tuple[str, Outcome | None]]:
    rows = sorted(school.rows(Application), key=lambda one: one.attempt)
    return [(one.id, one.outcome) for one in rows if one.school == "S-1"]


def test_a_refused_school_that_is_invited_again_can_have_its_decision_reopened(record: Record) -> None:
    school, outcome = school_with_a_conflict(record, 0)
    assert outcome is Outcome.REFUSED
    [_, (invitation, _)] = applications_of(school)
    reopen(school, Cause.CONFLICT)
    assert applications_of(school) == [(school.id, None), (invitation, None)]
    school.review(0)
    assert school.do(school_deciding.decide, school.id) is Outcome.REFUSED
    assert applications_of(school) == [(school.id, Outcome.REFUSED), (invitation, None)], "invited already"


@pytest.mark.parametrize("stage", [Stage.SELF_ASSESSMENT, Stage.SUBMITTED])
def test_a_schools_application_of_another_round_is_not_in_the_way(record: Record, stage: Stage) -> None:
    school, outcome = school_with_a_conflict(record, 3)
    assert outcome is Outcome.AWARDED
    another_application(school, stage, round="2027")
    assert ("label", school.id) in reopen(school, Cause.CONFLICT)
    school.review(3)
    assert school.do(school_deciding.decide, school.id) is Outcome.AWARDED


def test_a_schools_application_in_the_same_round_that_is_received_is_in_the_way(record: Record) -> None:
    school, _ = school_with_a_conflict(record, 3)
    another_application(school, Stage.SUBMITTED, attempt=2)
    with pytest.raises(NotAllowed, match=r"SL-2 was handed in after .* under way or awarded"):
        plan_of(school, Cause.CONFLICT)


def another_application(school: School, stage: Stage, **changes: Any) -> None:
    with school.record.writing() as session:
        row = session.get_one(Application, school.id)
        columns = {c.name: getattr(row, c.name) for c in Application.__table__.columns}
        session.add(Application(**columns | {"id": "SL-2", "outcome": None, "stage": stage} | changes))


# All or nothing ---------------------------------------------------------------------------------------


def test_only_what_was_shown_is_done(case: Case) -> None:
    first, _ = given(awarded_case(case))
    says_conflict(case, first)
    before = left_in(case)
    plan = plan_of(case, Cause.CONFLICT)
    assert left_in(case) == before, "showing changes nothing"
    with pytest.raises(NotAllowed, match="is not what was shown"):
        case.do_as(COORDINATOR, redeciding.reopen, Reopened(case.id, Cause.APPEAL), plan, "Other cause.")
    assert left_in(case) == before


@pytest.mark.parametrize(
    ("cause", "why"),
    [(Cause.CONFLICT, "not decided"), (Cause.REGISTRY, "not decided"), (Cause.APPEAL, "not decided")],
)
def test_what_is_not_decided_is_not_reopened(case: Case, cause: Cause, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        plan_of(case, cause)


def test_what_was_withdrawn_is_not_reopened_nor_what_was_handed_in_again(case: Case) -> None:
    withdrawn(case)
    case.do(ending.close, case.id)
    with pytest.raises(NotAllowed, match="Nobody judged"):
        plan_of(case, Cause.APPEAL)
    former = case.id
    case.id = case.handed_in(again=True).application
    assert case.conditions()
    assert decided(case, 0) is Outcome.REFUSED
    assert former != case.id


def test_a_reopened_award_that_its_applicant_withdraws_is_no_refusal(case: Case) -> None:
    awarded_case(case)
    reopen(case, Cause.APPEAL, "Upheld.")
    withdrawn(case)
    case.do(ending.close, case.id)
    assert case.handed_in(again=True).created


class _Killed(BaseException):
    """The process dies here."""


@pytest.mark.slow
@only_sqlite
def test_a_reopening_that_is_interrupted_anywhere_is_whole_or_nothing(case: Case) -> None:
    first, _ = given(awarded_case(case))
    says_conflict(case, first)
    plan, before = plan_of(case, Cause.CONFLICT), left_in(case)
    deaths = 0
    while True:
        count = 0

        def dies(*_: Any, at: int = deaths) -> None:
            nonlocal count
            count += 1
            if count > at:
                raise _Killed

        sa.event.listen(case.record.engine, "before_cursor_execute", dies)
        try:
            case.do_as(COORDINATOR, redeciding.reopen, Reopened(case.id, Cause.CONFLICT), plan, "Cousins.")
        except _Killed:
            pass
        else:
            break
        finally:
            sa.event.remove(case.record.engine, "before_cursor_execute", dies)
        assert left_in(case) == before
        deaths += 1
    assert deaths >= 30
    assert case.row().instance == 2
    assert [one.what for one in case.all(Journal)].count(Event.REOPENED) == 1
