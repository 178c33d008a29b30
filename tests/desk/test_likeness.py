"""What a case reads like: shown to whoever coordinates it, side by side, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from labels.record.schema import Application, Organisation, Staff
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.desk.test_applications import central
from tests.support.people import CRITERIA
from usecases.likeness import look_for_likeness

Opens = Callable[..., Browser]

COPIED = (
    "Pupils of three countries measured the quality of their rivers every month, compared the results in mixed teams "
    "and wrote an atlas that none of the schools could have made alone"
)
SECTIONS = {name: f"What we did about {name} was all our own idea, of our own school." for name in CRITERIA}
OWN = {
    name: f"Nobody else ever thought of our {name}: it came up in class one rainy day." for name in CRITERIA
}


@pytest.fixture
def case(terminal: Terminal) -> tuple[str, str]:
    """Two partners' applications, of which one section is the same, but for its beginning and end."""
    first = terminal.submitted(sections=SECTIONS | {"results": COPIED + "."})
    terminal.asked(first)
    look_for_likeness(terminal.here, first)
    second = terminal.submitted(
        teacher="T-3", sections=OWN | {"results": f"It was fun. {COPIED.upper()} & <b>more</b>."}
    )
    terminal.asked(second)
    look_for_likeness(terminal.here, second)
    return first, second


def test_the_passages_of_both_stand_side_by_side(browser: Opens, case: tuple[str, str]) -> None:
    first, second = case
    page = browser().signs_in(COORDINATOR).opens(f"/cases/{second}/likeness")
    assert page.status_code == 200
    assert f"<mark>{COPIED.upper()}</mark> &amp; &lt;b&gt;more&lt;/b&gt;." in page.text
    assert f"<mark>{COPIED}</mark>." in page.text
    shown = words(page)
    assert "Results, impact and documentation" in shown
    assert "A partner in the same project" in shown
    assert f'href="/cases/{first}"' in page.text
    assert page.text.count("<mark>") == 2, "only what is alike as the rules have it"


@pytest.mark.slow
def test_the_case_leads_there_and_says_what_was_found_when_it_came_in(
    browser: Opens, case: tuple[str, str]
) -> None:
    first, second = case
    coordinator = browser().signs_in(COORDINATOR)
    told = coordinator.opens(f"/cases/{second}")
    assert f'href="/cases/{second}/likeness"' in told.text
    assert "It read like 1 other application when it came in." in words(told)
    before = coordinator.opens(f"/cases/{first}")
    assert f'href="/cases/{first}/likeness"' in before.text
    assert "It read like" not in words(before)
    assert first in coordinator.opens(f"/cases/{second}/likeness").text
    assert second in coordinator.opens(f"/cases/{first}/likeness").text


def test_where_nothing_is_alike_the_page_says_so(terminal: Terminal, browser: Opens) -> None:
    alone = terminal.submitted(sections=SECTIONS)
    look_for_likeness(terminal.here, alone)
    page = browser().signs_in(COORDINATOR).opens(f"/cases/{alone}/likeness")
    assert "No section reads like one of another application." in words(page)


@pytest.mark.slow
def test_of_a_partner_with_another_organisation_the_page_says_so_without_the_text(
    terminal: Terminal, browser: Opens, case: tuple[str, str]
) -> None:
    first, second = case
    with terminal.here.record.writing() as session:
        other = session.scalars(
            sa.select(Organisation.id).where(Organisation.kind == "NSS", Organisation.id != "NSS-PL")
        ).first()
        assert other
        session.get_one(Application, first).organisation = other
    page = browser().signs_in(COORDINATOR).opens(f"/cases/{second}/likeness")
    shown = words(page)
    assert "It reads like the application of a partner that is with another organisation" in shown
    assert "No section reads like one of another application." not in shown
    assert first not in page.text
    assert COPIED not in page.text


@pytest.mark.slow
def test_nobody_else_finds_the_page(terminal: Terminal, browser: Opens, case: tuple[str, str]) -> None:
    _, second = case
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="c@pt.example", role="coordinator", name="Inês", organisation="NSS-PT", language="pt",
                school=None,
            )
        )  # fmt: skip
    reviewer = terminal.open_reviews()[-1].assignee
    foreign = browser().signs_in("c@pt.example")
    there, nowhere = (
        foreign.opens(f"/cases/{second}/likeness"),
        foreign.opens("/cases/NQL-0000000000/likeness"),
    )
    assert there.status_code == 404
    assert there.text.replace(second, "N") == nowhere.text.replace("NQL-0000000000", "N")
    for who in (TEACHER, "t-3@school.example", reviewer):
        assert browser().signs_in(who).opens(f"/cases/{second}/likeness").status_code == 404, who


def test_the_central_service_sees_it_for_all(
    terminal: Terminal, browser: Opens, case: tuple[str, str]
) -> None:
    central(terminal)
    page = browser().signs_in("head@eu.example").opens(f"/cases/{case[1]}/likeness")
    assert f"<mark>{COPIED}</mark>" in page.text
    assert "Only applications that are with your organisation are shown." not in words(page)
