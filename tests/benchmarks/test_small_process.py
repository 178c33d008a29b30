"""The small process that peers are compared by: its check finds what an engine loses or does twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.peers.driving import Order, drive
from benchmarks.peers.environment import versions
from benchmarks.peers.small_process import Office, Rows, application
from benchmarks.peers.without_engine import Table


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.open()
    return office


def carried(office: Office, *numbers: int) -> None:
    """The whole process, a step after the other."""
    for form in map(application, numbers):
        office.validate(form)
        office.store(form)
        office.decide(form["id"], approved=True)
        office.notify(form["id"])


def test_applications_are_the_same_for_the_same_number() -> None:
    assert application(3) == application(3) != application(4)


def test_the_floor_carries_every_application_once(office: Office, tmp_path: Path) -> None:
    order = Order(applications=12, alone=2, clients=3, home=tmp_path, database_pid=0, engine_url="")
    measured = drive(order, office, Table(office, Rows(tmp_path / "table.db")))
    assert measured.applications == 12
    assert len(measured.alone) == 2
    assert sum(office.notifications().values()) == order.total


def test_whoever_is_told_twice_is_found(office: Office) -> None:
    carried(office, 0, 1)
    office.check(range(2))
    office.notify(application(1)["id"])
    with pytest.raises(AssertionError, match=r"told of more than once: .'application-000001'"):
        office.check(range(2))


def test_a_decision_that_was_lost_is_found(office: Office) -> None:
    carried(office, 0)
    office.store(application(1))
    office.notify(application(1)["id"])
    with pytest.raises(AssertionError, match=r"decided: .'application-000001'"):
        office.check(range(2))


def test_every_peer_is_locked() -> None:
    assert {"dbos", "spiffworkflow", "django-viewflow"} <= set(versions())
