"""`labels dates`: whom a moved date concerns, and all of it or nothing by a code."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from labels.clock import end_of_day
from labels.record.schema import Journal, Organisation, OrganisationCode, SchoolRound, Staff
from labels.rules.loading import load_school_rules
from labels.school_label import rounds
from labels.steps.codes import review_code
from tests.cli.conftest import Terminal

ADA = "ada@css.example"


@pytest.fixture
def school_round(terminal: Terminal) -> Terminal:
    """A round that has begun and has invited nobody yet."""
    with terminal.here.record.writing() as session:
        if session.get(Organisation, "CSS") is None:
            session.add(
                Organisation(
                    id="CSS", country="EU", kind="CSS", name="Central", email="css@css.example", language="en"
                )
            )
            session.flush()
        session.add(
            Staff(email=ADA, role="coordinator", name="Ada", organisation="CSS", language="en", school=None)
        )
        turn = terminal.here.turn(session)
        rounds.begin(turn, terminal.here.now().date(), lambda who: load_school_rules(who, date(2026, 3, 16)))
    return terminal


def due_at(terminal: Terminal) -> object:
    with terminal.here.record.reading() as session:
        return session.scalars(sa.select(SchoolRound)).one().due_at


def test_a_rounds_date_is_shown_and_then_moved_by_a_code(school_round: Terminal) -> None:
    terminal, year = school_round, str(school_round.here.now().year)
    words = ("dates", "self-assessment", year, "--until", f"{int(year)}-06-19")
    before = due_at(terminal)
    shown = terminal.json(*words)
    assert {one["organisation"] for one in shown["parts"]} >= {"NSS-PL"}
    assert f"--plan {shown['plan']}" in terminal.run(*words).output.replace("\n", " ")
    assert due_at(terminal) == before
    assert "--reason" in terminal.fails(2, *words, "--plan", shown["plan"], "--as", ADA, "--code", "X")
    assert terminal.run("code", "CSS", "--as", ADA).exit_code == 0
    with terminal.here.record.reading() as session:
        one = session.scalars(sa.select(OrganisationCode)).one()
        code = review_code(terminal.here.key, f"{one.organisation}/{one.person}", one.number)
    proof = ("--as", ADA, "--code", code, "--reason", "The platform was away.")
    assert "Something has changed" in terminal.fails(3, *words, *proof, "--plan", "OTHER")
    done = terminal.run(*words, *proof, "--plan", shown["plan"])
    assert done.exit_code == 0, done.output
    assert "The date is moved; 0 people are told by mail." in done.output
    assert due_at(terminal) == end_of_day(date(int(year), 6, 19))
    with terminal.here.record.reading() as session:
        told = session.scalars(sa.select(Journal).where(Journal.what == "moved a date for all")).all()
    assert [one.details["because"] for one in told] == ["The platform was away."]


def test_a_date_that_is_none_or_is_past_is_told(school_round: Terminal) -> None:
    year = str(school_round.here.now().year)
    assert "--until" in school_round.fails(2, "dates", "self-assessment", year, "--until", "soon")
    assert "is past" in school_round.fails(3, "dates", "self-assessment", year, "--until", "2020-01-01")
    assert "no round of 2019" in school_round.fails(
        4, "dates", "self-assessment", "2019", "--until", "2026-12-18"
    )
