"""The conditions of an application, checked against the record."""

from __future__ import annotations

from datetime import timedelta

from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Decision, Journal, Member, Outcome, Stage
from labels.rules.loading import load_rules
from tests.support.case import Case, decided, open_case
from tests.support.people import NOW, TODAY, populate


def test_every_failed_condition_is_reported_at_once_and_ends_the_application(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(
        record,
        project="P-2",
        description="",
        preconditions={
            "shared_plan": False,
            "finished": True,
            "contributed": True,
            "collaborative": True,
            "safe": True,
        },
    )
    assert not case.conditions()
    [decision] = case.all(Decision)
    codes = {condition["code"] for condition in decision.verdict["conditions"]}
    assert {"member", "european", "precondition.shared_plan", "description"} <= codes
    assert all(condition["remedy"] for condition in decision.verdict["conditions"])
    assert not case.conditions()
    assert case.ask() == []


def test_conditions_that_are_met_are_noted_once_however_often_they_are_checked(case: Case) -> None:
    assert case.row().stage is Stage.REVIEW
    assert case.conditions()
    assert [entry.what for entry in case.all(Journal)] == [Event.SUBMITTED, Event.MET_ALL_CONDITIONS]


def test_a_refused_teacher_applies_again_once_naming_the_criteria_in_spain(record: Record) -> None:
    case = open_case(record, "NSS-ES", "ES")
    assert decided(case, 1) is Outcome.REFUSED
    first, case.id = case.id, case.submit(description="Now better.")
    assert case.id != first
    assert not case.conditions()
    again = case.submit(
        description="Better still.", reapplication={"criteria": {"technology": "See pages 3 to 5."}}
    )
    case.id = again
    assert case.conditions()


def test_four_applications_a_year_count_whichever_is_checked_first(record: Record) -> None:
    with record.writing() as session:
        populate(session)
        from labels.record.schema import Project

        for n in range(10, 15):
            session.add(Project(id=f"P-{n}", title=f"Project {n}", started_on=TODAY, ended_on=None))
            session.flush()
            for teacher in ("T-1", "T-2"):
                session.add(Member(project=f"P-{n}", teacher=teacher, role="founder", joined_on=TODAY))
    cases = []
    for n in range(10, 15):
        case = Case.__new__(Case)
        case.record, case.organisation = record, "NSS-PL"
        case.now, case.edition = NOW + timedelta(seconds=n), load_rules("NSS-PL", TODAY)
        case.id = case.submit(project=f"P-{n}")
        cases.append(case)
    met = [case.conditions() for case in reversed(cases)]
    assert met == [False, True, True, True, True]
