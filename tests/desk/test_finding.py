"""A coordinator finds somebody at the desk, and nothing of another country's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from labels.record.schema import SearchWord, Staff
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from usecases.finding import make_index

Opens = Callable[..., Browser]


@pytest.fixture(autouse=True)
def index(terminal: Terminal) -> None:
    make_index(terminal.here)


@pytest.fixture
def coordinator(browser: Opens) -> Browser:
    return browser().signs_in(COORDINATOR)


def test_a_teacher_is_found_in_any_spelling_with_their_cases(
    terminal: Terminal, coordinator: Browser
) -> None:
    terminal.submitted()
    page = coordinator.opens("/find?q=zazolc")
    assert page.status_code == 200
    assert "Zażółć Gęślą" in words(page)
    assert 'href="/cases?about=T-1"' in page.text
    assert "Nothing is found" in words(coordinator.opens("/find?q=qqqqq"))
    assert coordinator.opens("/find").status_code == 200


def test_a_school_that_is_found_leads_to_why_it_may_apply_or_not(coordinator: Browser) -> None:
    """What a coordinator is asked on the telephone; of another organisation's school there is nothing."""
    assert 'href="/cases/schools/S-1"' in coordinator.opens("/find?q=podstawowa").text
    page = words(coordinator.opens("/cases/schools/S-1"))
    assert "As things stand today" in page
    assert "not all conditions met" in page
    assert "A European project with a National Quality Label" in page
    for school in ("S-2", "S-404"):
        assert coordinator.opens(f"/cases/schools/{school}").status_code == 404


def test_a_page_makes_no_index_and_says_that_it_is_made(terminal: Terminal, coordinator: Browser) -> None:
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(SearchWord))
    assert "being prepared" not in words(coordinator.opens("/find"))
    assert "Finding is being prepared" in words(coordinator.opens("/find?q=zazolc"))
    with terminal.here.record.reading() as session:
        assert session.scalar(sa.select(SearchWord.word).limit(1)) is None


def test_another_countrys_teacher_is_found_with_the_same_bytes_as_nobody(
    terminal: Terminal, coordinator: Browser
) -> None:
    there = coordinator.opens("/find?q=joao").text
    assert there.replace("joao", "QUERY") == coordinator.opens("/find?q=nobodyx").text.replace(
        "nobodyx", "QUERY"
    )


def test_whoever_coordinates_no_more_finds_nothing_at_the_next_click(
    terminal: Terminal, coordinator: Browser, browser: Opens
) -> None:
    assert coordinator.opens("/find").status_code == 200
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "coordinator"))
    assert coordinator.opens("/find?q=zazolc").status_code in (303, 404)
    assert browser().signs_in(TEACHER).opens("/find?q=zazolc").status_code == 404
    assert browser().opens("/find?q=zazolc").status_code == 303


def test_the_words_of_a_search_are_shown_as_text(coordinator: Browser) -> None:
    page = coordinator.opens("/find?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page.text
