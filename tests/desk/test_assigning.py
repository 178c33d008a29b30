"""Reviewers for all that wait, at the desk: the plan with its reasons, and one confirmation."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from labels.record.schema import Staff, Step, StepKind, StepState
from labels.reviews import coordinating
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from usecases import assigning

Opens = Callable[..., Browser]
PATH = "/cases/reviewers/NSS-PL"


@pytest.fixture
def waits(terminal: Terminal) -> str:
    """An application that nobody could review when it came, and of which a coordinator was asked to find somebody."""
    with terminal.here.record.writing() as session:
        staff = session.scalars(sa.select(Staff).where(Staff.role == "reviewer")).all()
        away = [(one.email, one.role, one.name, one.organisation, one.language) for one in staff]
        session.execute(sa.delete(Staff).where(Staff.role == "reviewer"))
    application = terminal.submitted()
    terminal.asked(application)
    with terminal.here.record.writing() as session:
        for email, role, name, organisation, language in away:
            session.add(
                Staff(
                    email=email,
                    role=role,
                    name=name,
                    organisation=organisation,
                    language=language,
                    school=None,
                )
            )
    return str(application)


def open_steps(terminal: Terminal, kind: StepKind) -> list[Step]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(Step).where(Step.kind == kind, Step.state == StepState.OPEN)))


def word_of(page: str) -> str:
    found = re.search(r'name="plan" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.slow
def test_a_coordinator_sees_the_plan_and_has_everybody_asked(
    terminal: Terminal, browser: Opens, waits: str
) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    assert PATH in coordinator.opens("/overview").text
    page = coordinator.opens(PATH)
    assert "Nothing is changed yet" in words(page)
    assert "No plan is better by what the rules weigh." in words(page)
    assert "2 reviews are asked for, all of them or none." in words(page)
    assert open_steps(terminal, StepKind.REVIEW) == []
    done = coordinator.sends(PATH, {"plan": word_of(page.text), "confirmed": "1"})
    assert done.status_code == 303
    asked = open_steps(terminal, StepKind.REVIEW)
    assert {one.application for one in asked} == {waits}
    assert len({one.person for one in asked}) == 2
    assert open_steps(terminal, StepKind.ASSIGNMENT) == []
    after = words(coordinator.opens(str(done.headers["location"])))
    assert "It is carried out." in after
    assert "No application waits for a reviewer." in after


def test_a_plan_that_something_changed_since_is_refused_and_shown_anew(
    terminal: Terminal, browser: Opens, waits: str
) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    former = word_of(coordinator.opens(PATH).text)
    person = assigning.plan(terminal.here, "NSS-PL").plans[0].choices[0].person
    with terminal.here.record.writing() as session:
        turn = terminal.here.turn(session).acting(COORDINATOR)
        coordinating.declare_conflict(turn, waits, person, "cousins")
    refused = coordinator.sends(PATH, {"plan": former, "confirmed": "1"})
    assert refused.status_code == 409
    assert "since the plan was shown" in words(refused)
    assert word_of(refused.text) != former
    assert open_steps(terminal, StepKind.REVIEW) == []


@pytest.mark.parametrize("who", [TEACHER, COORDINATOR])
def test_another_organisations_reviewers_are_nobodys_to_see(browser: Opens, waits: str, who: str) -> None:
    somebody = browser().signs_in(who)
    absent = somebody.opens("/cases/nothing/of/that/kind")
    for path in ("/cases/reviewers/NSS-PT", "/cases/reviewers/NSS-XX"):
        answer = somebody.opens(path)
        assert answer.status_code == absent.status_code == 404
    if who == TEACHER:
        assert somebody.opens(PATH).status_code == 404
