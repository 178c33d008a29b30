"""Whose runs of Prefect somebody may see."""

from __future__ import annotations

import sqlalchemy as sa

from labels.record.schema import Application, Person, Staff
from labels.sessions.accounts import account_of
from labels.views.prefect_access import access_of
from tests.support.case import COORDINATOR, Case

RUN = "00000000-0000-4000-8000-000000000001"


def seen_by(case: Case, address: str, person: str = "") -> tuple[set[str], set[str]]:
    """The organisations and runs of whoever has signed in with an address and said who they are."""
    with case.record.reading() as session:
        account = account_of(session, address, person)
        access = access_of(session, account, ()) if account else None
    return (set(access.organisations), set(access.runs)) if access else (set(), set())


def test_of_two_people_with_one_mailbox_each_sees_their_own_runs_and_only_after_saying_who_they_are(
    case: Case,
) -> None:
    assert case.conditions()
    [step, _] = case.ask()
    with case.record.writing() as session:
        session.get_one(Application, case.id).run = RUN
        coordinator = session.scalars(sa.select(Staff).where(Staff.email == COORDINATOR)).one()
    assert seen_by(case, step.assignee) == (set(), {RUN})
    assert seen_by(case, COORDINATOR) == ({"NSS-PL"}, set())

    with case.record.writing() as session:
        session.get_one(Person, coordinator.person).address = step.assignee
    assert seen_by(case, step.assignee) == (set(), set())
    assert seen_by(case, step.assignee, step.person) == (set(), {RUN})
    assert seen_by(case, step.assignee, coordinator.person) == ({"NSS-PL"}, set())
