"""Many at once at the desk: ticked rows or a whole list, a plan, one confirmation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import many
from labels.record.schema import BulkPlan, Journal, SavedList, Staff, Step
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.support.many import copied

Opens = Callable[..., Browser]
WHY = "She is ill until May."


@pytest.fixture
def applications(terminal: Terminal) -> list[str]:
    application = terminal.submitted()
    terminal.asked(application)
    with terminal.here.record.writing() as session:
        return copied(session, application, 4)


@pytest.fixture
def coordinator(browser: Opens, applications: list[str]) -> Browser:
    return browser().signs_in(COORDINATOR)


def entries(terminal: Terminal, what: str) -> list[Journal]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(Journal).where(Journal.what == what)))


def planned(browser: Browser, **fields: Any) -> str:
    """The page of the plan that a form leads to."""
    answer = browser.sends("/cases/many", {"reason": WHY, **fields})
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["location"])


@pytest.mark.slow
def test_the_whole_of_somebody_goes_to_others_in_three_pages(
    terminal: Terminal, coordinator: Browser, applications: list[str]
) -> None:
    ill = terminal.open_reviews()[0].person
    listed = coordinator.opens(f"/cases?part=open&reviewer={ill}")
    assert 'name="act" value="reassign"' in listed.text
    asked = coordinator.opens(f"/cases/many?act=reassign&reviewer={ill}")
    assert "4 applications are chosen." in words(asked)
    assert f'<option value="{ill}" selected>' in asked.text
    plan = planned(coordinator, act="reassign", reviewer=ill, whose=ill)
    page = coordinator.opens(plan)
    assert "Nothing is changed yet" in words(page)
    assert "1 to 4 of 4." in words(page)
    assert "4 tasks are changed, all of them or none." in words(page)
    assert ill in {one.person for one in terminal.open_reviews()}
    done = coordinator.sends(plan, {"confirmed": "1"})
    assert done.headers["location"].partition("?")[0] == plan
    assert ill not in {one.person for one in terminal.open_reviews()}
    assert "It is carried out." in words(coordinator.opens(plan))
    assert {one.details["because"] for one in entries(terminal, "reassigned")} == {WHY}
    assert len(entries(terminal, "reassigned")) == 4
    coordinator.sends(plan, {"confirmed": "1"})
    assert len(entries(terminal, "reassigned")) == 4, "a double click does it once"


@pytest.mark.slow
def test_others_write_while_a_plan_is_made(
    terminal: Terminal, coordinator: Browser, applications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    plan = many.plan

    def writes(*args: Any) -> many.Plan:
        with terminal.here.record.writing() as session:
            session.add(
                SavedList(person=args[1], name=f"list {len(made)}", query="", saved_at=terminal.here.now())
            )
        made.append(True)
        return plan(*args)

    monkeypatch.setattr(many, "plan", writes)
    page = planned(coordinator, act="remind", kind="review")
    anew = coordinator.sends(page, {"again": "1"})
    assert anew.status_code == 303
    assert made == [True, True]


def test_of_ticked_rows_alone(terminal: Terminal, coordinator: Browser, applications: list[str]) -> None:
    two = applications[:2]
    page = coordinator.opens(f"/cases/many?act=deadline&chosen={two[0]}&chosen={two[1]}")
    assert "2 applications are chosen." in words(page)
    plan = planned(coordinator, act="deadline", chosen=two, kind="review", until="2026-04-27")
    coordinator.sends(plan, {"confirmed": "1"})
    moved = {one.application for one in terminal.open_reviews() if str(one.due_at).startswith("2026-04-27")}
    assert moved == set(two)


def test_what_is_missing_is_said_and_nothing_is_lost(coordinator: Browser, applications: list[str]) -> None:
    fields = {"act": "deadline", "until": "soon", "reason": "", "chosen": applications[0]}
    answer = coordinator.sends("/cases/many", fields)
    assert answer.status_code == 422
    assert "Say why" in words(answer)
    assert "write it as 2026-04-20" in words(answer)
    assert f'name="chosen" value="{applications[0]}"' in answer.text
    answer = coordinator.sends("/cases/many", fields | {"until": "2020-01-01", "reason": WHY})
    assert answer.status_code == 409
    assert "is past" in words(answer)
    assert WHY in answer.text
    answer = coordinator.sends("/cases/many", fields | {"until": "", "reason": WHY})
    assert answer.status_code == 422
    assert "Say until when" in words(answer)


@pytest.mark.slow
def test_a_stale_plan_is_refused_with_the_difference_and_made_anew(
    terminal: Terminal, coordinator: Browser, applications: list[str]
) -> None:
    ill = terminal.open_reviews()[0]
    plan = planned(coordinator, act="reassign", whose=ill.person)
    with terminal.here.record.writing() as session:
        session.execute(
            sa.update(Step).where(Step.id == ill.id).values(due_at=terminal.here.now() + timedelta(days=30))
        )
    refused = coordinator.sends(plan, {"confirmed": "1"})
    assert refused.status_code == 409
    assert "Nothing was done: something has changed" in words(refused)
    assert f"{ill.application} : {ill.id} is due" in words(refused)
    assert entries(terminal, "reassigned") == []
    anew = coordinator.sends(plan, {"again": "1"}).headers["location"]
    assert anew != plan
    assert coordinator.sends(anew, {"confirmed": "1"}).status_code == 303
    assert len(entries(terminal, "reassigned")) == 4


@pytest.mark.slow
def test_a_file_with_one_bad_row_plans_nothing_and_names_the_row(
    terminal: Terminal, coordinator: Browser, applications: list[str]
) -> None:
    rows = "\n".join(["application,until", f"{applications[0]},2026-04-27", "NQL-NOWHERE,2026-04-27"])
    file = {"file": ("rows.csv", rows.encode(), "text/csv")}
    answer = coordinator.sends("/cases/many", {"act": "deadline", "reason": WHY}, files=file)
    assert answer.status_code == 422
    assert "rows.csv:3" in words(answer)
    assert "NQL-NOWHERE is unknown" in words(answer)
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(BulkPlan)).all() == []
    good = {"file": ("rows.csv", rows.replace("NQL-NOWHERE", applications[1]).encode(), "text/csv")}
    answer = coordinator.sends(
        "/cases/many", {"act": "deadline", "reason": WHY, "kind": "review"}, files=good
    )
    assert answer.status_code == 303
    coordinator.sends(answer.headers["location"], {"confirmed": "1"})
    assert len(entries(terminal, "moved a deadline")) == 4


@pytest.mark.slow
def test_another_country_finds_nothing_here(
    terminal: Terminal, browser: Opens, coordinator: Browser, applications: list[str]
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="c@pt.example", role="coordinator", name="Inês", organisation="NSS-PT", language="pt",
                school=None,
            )
        )  # fmt: skip
    plan = planned(coordinator, act="remind", chosen=applications)
    other = browser().signs_in("c@pt.example")
    assert other.opens(plan).status_code == 404
    assert other.sends(plan, {"confirmed": "1"}).status_code == 404
    there = other.sends("/cases/many", {"act": "remind", "reason": WHY, "chosen": applications[0]})
    nowhere = other.sends("/cases/many", {"act": "remind", "reason": WHY, "chosen": "NQL-0000000000"})
    assert there.status_code == nowhere.status_code == 404
    everything = other.sends("/cases/many", {"act": "remind", "reason": WHY})
    assert everything.status_code == 409
    assert "No application is chosen" in words(everything)
    for who in (TEACHER, "r1@nss.example"):
        assert browser().signs_in(who).opens("/cases/many?act=remind").status_code == 404
    assert entries(terminal, "reminded") == []
    assert coordinator.opens("/cases/many?act=erase").status_code == 404


def test_a_long_plan_is_shown_a_page_at_a_time(
    terminal: Terminal, coordinator: Browser, applications: list[str]
) -> None:
    with terminal.here.record.writing() as session:
        copied(session, applications[0], 1)
    plan = planned(coordinator, act="remind")
    page = coordinator.opens(plan + "?from=3")
    assert "4 to 8 of 8." in words(page)
    assert re.search(r'href="/cases/plans/[^"]*">To the beginning', page.text.replace("\n", ""))
