"""What is another country's is not there for a coordinator, at every address of the desk that names something of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.routing import Route

from desk.app import public_app
from labels.answering.own_staff import entry_id
from labels.record.schema import Staff
from tests.cli.conftest import COORDINATOR, Terminal
from tests.desk.conftest import Browser
from tests.desk.test_many import WHY, planned
from tests.desk.test_rehearsals import ready

Opens = Callable[..., Browser]
ELSEWHERE = "c@pt.example"

OF_A_COUNTRY = ("/cases/", "/staff/", "/rehearsals/")
"""How addresses begin that name something of one country; those of the European year: `test_year.py`."""
NOWHERE = {
    "application": "NQL-0000000000",
    "plan": "PLN-0000000000",
    "organisation": "NSS-XX",
    "school": "S-0",
    "entry": "0000000000000000",
    "name": "20200101T000000-00000000",
    "file": "1-3-reviewers/mail/none.eml",
}
"""Names of what is not there at all."""
CHOSEN = (
    "/rules", "/staff", "/staff.csv", "/staff/new", "/rehearsals",
    "/statistics", "/statistics.csv", "/statistics.xlsx", "/statistics.pdf",
)  # fmt: skip
"""Pages of an organisation that their query names."""


@pytest.fixture
def there(terminal: Terminal, browser: Opens) -> dict[str, str]:
    """Names of what there is in Poland."""
    application = terminal.submitted()
    terminal.asked(application)
    with terminal.here.record.writing() as session:
        session.add(
            Staff(email=ELSEWHERE, role="coordinator", name="Inês", organisation="NSS-PT", language="en")
        )
    plan = planned(browser().signs_in(COORDINATOR), act="remind", chosen=[application])
    return {
        "application": application,
        "plan": plan.rpartition("/")[2],
        "organisation": "NSS-PL",
        "school": "S-1",
        "entry": entry_id("r1@nss.example", "reviewer"),
        "name": ready(terminal.here).name,
        "file": "1-3-reviewers/mail/20260401 awarded.eml",
    }


def addresses(terminal: Terminal, method: str) -> list[str]:
    """The desk's own routes for something of a country, as patterns for `str.format`."""
    return [
        one.path.replace("{file:path}", "{file}")
        for one in public_app(terminal.here).routes
        if isinstance(one, Route)
        and one.path.startswith(OF_A_COUNTRY)
        and "{" in one.path
        and method in (one.methods or ())
    ]


def without_names(answer: Any, path: str) -> tuple[int, str]:
    """What was answered, but for the address that stands in the page."""
    return answer.status_code, re.sub(r'back=[^"]*', "back=PATH", answer.text.replace(path, "PATH"))


@pytest.mark.slow
def test_every_page_of_another_country_answers_as_one_that_is_not_there(
    terminal: Terminal, browser: Opens, there: dict[str, str]
) -> None:
    own, other = browser().signs_in(COORDINATOR), browser().signs_in(ELSEWHERE)
    pages = addresses(terminal, "GET")
    assert len(pages) >= 11
    for pattern in pages:
        path, none = pattern.format(**there), pattern.format(**NOWHERE)
        if not pattern.endswith("/reopen"):  # of a case that is not decided there is none, for anybody
            assert own.opens(path).status_code == 200, path
        found, absent = other.opens(path), other.opens(none)
        assert found.status_code == 404, path
        assert without_names(found, path) == without_names(absent, none), path
    for page in CHOSEN:
        assert own.opens(f"{page}?organisation=NSS-PL").status_code == 200, page
        assert other.opens(f"{page}?organisation=NSS-PL").status_code == 404, page
    assert there["application"] not in other.opens("/cases?organisation=NSS-PL").text
    assert there["application"] not in other.opens("/cases.csv").text
    assert there["application"] not in other.opens(f"/find?q={there['application']}").text.replace(
        f'value="{there["application"]}"', ""
    )


def test_no_form_does_anything_to_what_is_another_countrys(
    terminal: Terminal, browser: Opens, there: dict[str, str]
) -> None:
    other = browser().signs_in(ELSEWHERE)
    before = terminal.everything()
    step = terminal.open_reviews()[0].id
    fields = {
        "confirmed": "1", "step": step, "act": "remind", f"reason-{step}": WHY, "reason": WHY, "cause": "registry",
        "name": "Somebody", "email": "r1@nss.example", "role": "reviewer", "language": "pl", "on": "2026-03-16",
    }  # fmt: skip
    forms = addresses(terminal, "POST")
    assert len(forms) >= 8
    for pattern in forms:
        assert other.sends(pattern.format(**there), fields).status_code == 404, pattern
    assert terminal.everything() == before
