"""A case's page: what a coordinator may do there, each by the use case of every door, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from labels.record.schema import Journal, Staff, Step, StepKind, StepState
from labels.turn import Door
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words

Opens = Callable[..., Browser]


@pytest.fixture
def application(terminal: Terminal) -> str:
    application = terminal.submitted()
    terminal.asked(application)
    return application


@pytest.fixture
def coordinator(browser: Opens, application: str) -> Browser:
    return browser().signs_in(COORDINATOR)


def reviews(terminal: Terminal) -> list[Step]:
    with terminal.here.record.reading() as session:
        return list(
            session.scalars(
                sa.select(Step)
                .where(Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN)
                .order_by(Step.seat)
            )
        )


def test_a_review_is_given_to_somebody_else(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = reviews(terminal)
    page = f"/cases/{application}"
    with terminal.here.record.reading() as session:
        taken = {first.person, second.person}
        free = session.scalars(
            sa.select(Staff.person).where(Staff.role == "reviewer", Staff.person.not_in(taken))
        ).first()
    assert f'value="{free}"' in coordinator.opens(page).text
    fields = {
        "step": first.id,
        "act": "reassign",
        f"to-{first.id}": free,
        f"reason-{first.id}": "She is ill.",
    }
    answer = coordinator.sends(page, fields)
    assert (answer.status_code, answer.headers["location"].partition("&")[0]) == (303, f"{page}?sent=1")
    assert [one.person for one in reviews(terminal)] == [free, second.person]
    with terminal.here.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what.contains("reassigned"))).one()
    assert (entry.details["because"], entry.details["door"]) == ("She is ill.", Door.DESK.value)
    assert "She is ill." in words(coordinator.opens(page))
    assert coordinator.sends(page, fields).status_code == 404, "the step is no longer awaited"


def test_what_is_missing_or_refused_is_said_and_nothing_is_lost(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = reviews(terminal)
    page = f"/cases/{application}"
    answer = coordinator.sends(page, {"step": first.id, "act": "reassign", f"to-{first.id}": "me"})
    assert answer.status_code == 422
    fields = {f"reason-{first.id}": "Because of that.", "step": first.id}
    answer = coordinator.sends(page, fields | {"act": "reassign", f"to-{first.id}": second.person})
    assert answer.status_code == 409
    assert "judges or judged this application already" in words(answer)
    assert "Because of that." in answer.text
    for until, status in (("2020-01-01", 409), ("soon", 422), ("", 422)):
        answer = coordinator.sends(page, fields | {"act": "deadline", f"until-{first.id}": until})
        assert answer.status_code == status, until
    assert [one.id for one in reviews(terminal)] == [first.id, second.id]


def test_what_is_no_day_is_said_beside_its_field_and_what_the_domain_refuses_is_marked_as_english(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    first, second = reviews(terminal)
    page = f"/cases/{application}"
    fields = {"step": first.id, f"reason-{first.id}": "Easter."}
    wrong = coordinator.sends(page, fields | {"act": "deadline", f"until-{first.id}": "soon"})
    assert wrong.status_code == 422
    assert f'id="until-{first.id}-error"' in wrong.text
    assert "write it as 2026-04-20" in wrong.text
    coordinator.client.cookies.set("language", "pl")
    refused = coordinator.sends(page, fields | {"act": "reassign", f"to-{first.id}": second.person})
    assert refused.status_code == 409
    assert f'id="to-{first.id}-error"' in refused.text
    assert '<span lang="en" dir="ltr">' in refused.text


def test_a_deadline_is_moved(terminal: Terminal, coordinator: Browser, application: str) -> None:
    first, _ = reviews(terminal)
    answer = coordinator.sends(
        f"/cases/{application}",
        {
            "step": first.id,
            "act": "deadline",
            f"until-{first.id}": "2026-04-27",
            f"reason-{first.id}": "Easter.",
        },
    )
    assert answer.status_code == 303
    assert str(terminal.step(first.id).due_at).startswith("2026-04-27")


def test_another_countrys_case_answers_as_one_that_is_not_there(
    terminal: Terminal, browser: Opens, application: str
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="c@pt.example", role="coordinator", name="Inês", organisation="NSS-PT", language="pt",
                school=None,
            )
        )  # fmt: skip
    first, _ = reviews(terminal)
    other = browser().signs_in("c@pt.example")
    there, nowhere = other.opens(f"/cases/{application}"), other.opens("/cases/NQL-0000000000")
    assert there.status_code == 404
    assert there.text.replace(application, "N") == nowhere.text.replace("NQL-0000000000", "N")
    fields = {"step": first.id, "act": "reassign", f"to-{first.id}": "me", f"reason-{first.id}": "Mine."}
    assert other.sends(f"/cases/{application}", fields).status_code == 404
    assert browser().signs_in(TEACHER).opens(f"/cases/{application}").status_code == 404
