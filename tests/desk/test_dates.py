"""A date moved for all at the desk: whom it concerns is shown, then it is done; each coordinator moves what is theirs."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.european_label import screening
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Application, Journal, Mail
from labels.settings import Settings
from labels.turn import Turn
from tests.desk.conftest import Browser, words
from tests.support import european
from tests.support.european import BEGINS, OTHER, OWN, YEAR, at_the_beginning, populate_year
from tests.support.people import KEY

COORDINATOR, ADA = "coordinator@nss.example", "ada@css.example"
FIELDS = {
    "date": f"screening-{YEAR}",
    "until": "2026-11-21",
    "reason": "Autumn holidays in eleven countries.",
}


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    """A year of the European Quality Label that is being screened."""
    with record.writing() as session:
        populate_year(session)
        european.begun(session)
        for organisation in (OWN, OTHER):
            screening.ask(Turn(session, BEGINS, KEY), european.nomination_of(organisation))
    return at_the_beginning(settings, record)


def due(here: Workspace) -> dict[str, str]:
    """When the nominations are due, by their organisations."""
    with here.record.reading() as session:
        rows = session.execute(
            sa.select(Application.organisation, Application.decide_by).where(
                Application.label == "nomination"
            )
        )
        return {row.organisation: f"{row.decide_by:%Y-%m-%d}" for row in rows if row.decide_by}


def plan_in(page: str) -> str:
    found = re.search(r'name="plan" value="(\w+)"', page)
    assert found, page
    return found[1]


def test_the_central_support_service_moves_the_screening_of_all(here: Workspace) -> None:
    css = Browser(here).signs_in(ADA)
    before = due(here)
    assert 'href="/dates"' in css.opens(f"/year/{YEAR}").text
    asked = css.opens("/dates")
    assert f"European Quality Label {YEAR}: until when organisations screen" in asked.text
    assert "all organisations" in asked.text
    shown = css.sends("/dates", FIELDS)
    assert "Narodowe Biuro" in words(shown)
    assert "23 November 2026" in words(shown), "a Saturday is no working day"
    assert due(here) == before, "nothing is changed before it is confirmed"
    done = css.sends("/dates", {**FIELDS, "plan": plan_in(shown.text)})
    assert done.headers["location"].startswith("/dates?sent=1")
    assert "The date is moved." in words(css.opens("/dates?sent=1"))
    assert due(here) == {OWN: "2026-11-23", OTHER: "2026-11-23"}
    with here.record.reading() as session:
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.MOVED_A_DATE_FOR_ALL))
        told = session.scalars(sa.select(Mail).where(Mail.template == "changed_together")).all()
    assert entry.details["because"] == FIELDS["reason"]
    assert {one.context["message"]["organisation_name"] for one in told} == {"Central Support Service"}
    again = css.sends("/dates", {**FIELDS, "plan": plan_in(shown.text)})
    assert again.status_code == 409, "a double click does it once"


def test_an_organisation_moves_its_own_part_and_no_other(here: Workspace) -> None:
    own = Browser(here).signs_in(COORDINATOR)
    asked = own.opens("/dates")
    assert "all organisations" not in asked.text
    assert f"award-{YEAR}" not in asked.text
    for fields in (
        {},
        {"organisation": OTHER},
        {"organisation": OWN, "date": f"award-{YEAR}"},
        {"organisation": OWN, "date": "screening-2031"},
    ):
        assert own.sends("/dates", {**FIELDS, **fields}).status_code == 404
    shown = own.sends("/dates", {**FIELDS, "organisation": OWN})
    own.sends("/dates", {**FIELDS, "organisation": OWN, "plan": plan_in(shown.text)})
    assert due(here)[OWN] == "2026-11-23"
    assert due(here)[OTHER] != "2026-11-23"


def test_what_is_wrong_is_said_beside_its_field(here: Workspace) -> None:
    css = Browser(here).signs_in(ADA)
    for fields, status, said in (
        ({"until": "soon"}, 422, "This is no day"),
        ({"reason": " – "}, 422, "Say why"),
        ({"until": "2026-09-01"}, 409, "is past"),
        ({"until": "9999-01-01"}, 409, "more than two years ahead"),
    ):
        answer = css.sends("/dates", {**FIELDS, **fields})
        assert answer.status_code == status
        assert said in words(answer)


def test_who_coordinates_nothing_finds_no_such_page(here: Workspace) -> None:
    assert Browser(here).signs_in("t-a1@school.example").opens("/dates").status_code == 404
