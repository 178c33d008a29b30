"""The list of applications and the first page of a coordinator: what is theirs, filtered, sorted, and taken along."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from desk.overview import BUSIEST
from labels.people import saved_lists
from labels.record.schema import Application, Organisation, Project, Staff, Stage, Step, StepState, Teacher
from labels.views.applications import EVERYTHING, Scope
from labels.views.load import load
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words

Opens = Callable[..., Browser]

ELSEWHERE = "coordinator@pt.example"


@pytest.fixture
def application(terminal: Terminal) -> str:
    application = terminal.submitted()
    terminal.asked(application)
    return application


@pytest.fixture
def coordinator(browser: Opens, application: str) -> Browser:
    return browser().signs_in(COORDINATOR)


@pytest.fixture
def elsewhere(terminal: Terminal, browser: Opens, application: str) -> Browser:
    """A coordinator of another country."""
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email=ELSEWHERE, role="coordinator", name="Inês", organisation="NSS-PT", language="pt", school=None
            )
        )  # fmt: skip
    return browser().signs_in(ELSEWHERE)


def central(terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="CSS", email="css@eu.example", language="en"
            )
        )
        session.flush()
        session.add(
            Staff(
                email="head@eu.example", role="coordinator", name="Ada", organisation="CSS", language="en",
                school=None,
            )
        )  # fmt: skip


def as_rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xff\xfe")
    return list(csv.reader(io.StringIO(content[2:].decode("utf-16-le")), delimiter="\t"))


def test_the_first_page_says_what_is_urgent_and_who_has_how_much(
    terminal: Terminal, coordinator: Browser
) -> None:
    page = coordinator.opens("/overview")
    assert page.status_code == 200
    assert "1 application is open." in words(page)
    assert "0 wait for somebody who is late" in words(page)
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Step).values(due_at=terminal.here.now() - timedelta(days=1)))
    page = coordinator.opens("/overview")
    assert "1 waits for somebody who is late" in words(page)
    assert 'href="/cases?urgent=late&amp;order=due"' in page.text
    assert "Recenzent" in words(page)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("urgent", "changes", "said"),
    [
        ("unassigned", {"stage": Stage.ASSIGNMENT}, "1 needs a reviewer"),
        ("question", {"stage": Stage.INFORMATION}, "1 waits for an applicant’s answer"),
        ("decision", {"decide_by": datetime(2026, 3, 1, tzinfo=UTC)}, "1 should be decided already"),
    ],
)
def test_each_kind_of_what_is_urgent_is_counted_and_leads_to_its_cases(
    terminal: Terminal,
    coordinator: Browser,
    application: str,
    urgent: str,
    changes: dict[str, Any],
    said: str,
) -> None:
    before = coordinator.opens("/overview")
    assert said not in words(before)
    assert f"/cases?urgent={urgent}" not in before.text
    assert application not in coordinator.opens(f"/cases?urgent={urgent}").text
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Application).values(**changes))
    page = coordinator.opens("/overview")
    assert said in words(page)
    assert f'href="/cases?urgent={urgent}&amp;order=due"' in page.text
    assert application in coordinator.opens(f"/cases?urgent={urgent}").text


def test_what_is_urgent_is_so_by_the_instance_that_is_judged_now(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    def there(urgent: str) -> bool:
        return application in coordinator.opens(f"/cases?urgent={urgent}").text

    assert not there("disagreement")
    with terminal.here.record.writing() as session:
        second = max(session.scalars(sa.select(Step).where(Step.kind == "review")), key=lambda one: one.seat)
        second.seat = 3
        session.execute(sa.update(Step).values(due_at=terminal.here.now() - timedelta(days=1)))
    assert there("disagreement")
    assert there("late")
    with terminal.here.record.writing() as session:
        session.get_one(Application, application).instance = 2
    assert not there("disagreement")
    assert not there("late")


def test_what_each_reviewer_has_is_counted_by_how_far_it_is(terminal: Terminal, application: str) -> None:
    now = terminal.here.now()
    with terminal.here.record.writing() as session:
        first, second = session.scalars(sa.select(Step).where(Step.kind == "review").order_by(Step.seat))
        first.due_at = now - timedelta(days=1)
        second.state, second.closed_at = StepState.ANSWERED, now
    with terminal.here.record.reading() as session:
        found = {one.person: one for one in load(session, EVERYTHING, now)}
        nobody_s = load(session, Scope(None, frozenset({"NSS-PT"})), now)
    busy, done = found.pop(first.person), found.pop(second.person)
    assert (busy.open, busy.late, busy.waiting, busy.given) == (1, 1, 0, 0)
    assert (done.open, done.late, done.waiting, done.given) == (0, 0, 0, 1)
    assert {(one.open, one.late, one.waiting, one.given) for one in found.values()} == {(0, 0, 0, 0)}
    assert nobody_s == ()


@pytest.mark.slow
def test_of_a_large_staff_the_first_page_names_the_busiest_and_all_if_asked(
    terminal: Terminal, coordinator: Browser
) -> None:
    with terminal.here.record.writing() as session:
        session.add_all(
            Staff(
                email=f"many-{n}@nss.example", role="reviewer", name=f"Osoba {n}", organisation="NSS-PL",
                language="pl", school=None,
            )
            for n in range(BUSIEST)
        )  # fmt: skip
    [open_] = re.findall(
        r'href="(/overview[^"]+)"', coordinator.opens("/overview").text.replace("&amp;", "&")
    )
    for path, shown in (("/overview", BUSIEST), (open_, BUSIEST + 5)):
        rows = coordinator.opens(path).text.partition('id="load"')[2].count("<tr role=") - 1
        assert rows == shown
    assert "Recenzent" in words(coordinator.opens("/overview")), "whoever has reviews is among the busiest"


@pytest.mark.slow
def test_another_country_sees_nothing_of_it_anywhere(elsewhere: Browser, application: str) -> None:
    for path in ("/overview", "/cases", "/cases?about=T-1", "/find?q=zazolc", "/cases?organisation=NSS-PL"):
        page = elsewhere.opens(path)
        assert page.status_code == 200
        assert application not in page.text
        assert "Zażółć" not in page.text
        assert "Recenzent" not in page.text
    for path in ("/cases.csv", "/cases.xlsx"):
        assert application.encode("utf-16-le") not in elsewhere.opens(path).content
    assert len(as_rows(elsewhere.opens("/cases.csv?organisation=NSS-PL").content)) == 2


def test_only_coordinators_have_these_pages(browser: Opens, coordinator: Browser) -> None:
    teacher = browser().signs_in(TEACHER)
    for path in ("/overview", "/cases", "/cases.csv", "/cases.xlsx"):
        assert teacher.opens(path).status_code == 404
        assert browser().opens(path).status_code == 303


@pytest.mark.slow
def test_the_central_support_service_sees_all_and_no_reviewers_name(
    terminal: Terminal, browser: Opens, application: str
) -> None:
    central(terminal)
    page = browser().signs_in("head@eu.example")
    for path in ("/cases", "/overview"):
        assert application in page.opens(path).text
        assert "Recenzent" not in page.opens(path).text
    assert "Recenzent" not in str(as_rows(page.opens("/cases.csv").content))
    with terminal.here.record.reading() as session:
        reviewer = session.scalars(sa.select(Step.person).where(Step.kind == "review")).first()
    assert application not in page.opens(f"/cases?reviewer={reviewer}").text, (
        "by whom it is reviewed is not told"
    )


@pytest.mark.slow
def test_filters_stand_in_the_address_and_what_is_none_is_left_out(
    coordinator: Browser, application: str
) -> None:
    def there(query: str) -> bool:
        page = coordinator.opens(f"/cases?{query}")
        assert page.status_code == 200
        return application in page.text

    assert there("part=open")
    assert not there("part=ended")
    assert there("label=national&stage=review&year=2025")
    assert not there("year=2024")
    assert there("about=P-1")
    assert not there("about=P-2")
    assert not there("urgent=late")
    assert there("urgent=nonsense&label=&year=20x6&after=x&order=zzz&columns=none")
    page = coordinator.opens("/cases?part=open&columns=points,days")
    assert "Applicant" not in page.text.partition("<table")[2].partition("</thead>")[0]


@pytest.mark.slow
def test_each_label_is_there_once_to_choose_and_means_all_that_people_call_so(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    def choices(page: Any) -> list[tuple[str, str]]:
        select = page.text.partition('name="label"')[2].partition("</select>")[0]
        return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', select)

    named = [name for _, name in choices(coordinator.opens("/cases"))]
    assert named == ["all", "National Quality Label", "eTwinning School Label", "European Quality Label"]
    for kind in ("nomination", "european"):
        with terminal.here.record.writing() as session:
            session.execute(sa.update(Application).values(label=kind))
        for asked in ("nomination", "european"):
            page = coordinator.opens(f"/cases?label={asked}")
            assert application in page.text, (kind, asked)
            assert re.search(r"<option[^>]*selected[^>]*>European Quality Label", page.text)
        assert application not in coordinator.opens("/cases?label=national").text


@pytest.mark.slow
def test_pages_go_on_by_key_and_show_each_once(
    terminal: Terminal, coordinator: Browser, application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal.here.record.writing() as session:
        one = session.get_one(Application, application)
        values = {c.name: getattr(one, c.name) for c in Application.__table__.columns}
        for n in range(40):
            session.add(Project(id=f"P-{n + 900}", title=f"Project {n}", started_on=one.submitted_at.date()))
        session.flush()
        for n in range(40):
            session.add(Application(**values | {"id": f"NQL-{n:04}", "project": f"P-{n + 900}"}))
    for order, dated in (("newest", 40), ("oldest", 40), ("due", 35), ("due", 2)):
        undated = {f"NQL-{n:04}" for n in range(dated, 40)}
        with terminal.here.record.writing() as session:
            session.execute(sa.update(Application).where(Application.id.in_(undated)).values(decide_by=None))
        seen: list[str] = []
        path = f"/cases?order={order}"
        while path:
            page = coordinator.opens(path).text
            seen += [
                line.partition("<")[0] for line in page.split('<span class="sub"><span class="code">')[1:]
            ]
            path = (
                page.rpartition('<a class="btn btn-quiet" href="')[2].partition('"')[0].replace("&amp;", "&")
            )
            path = path if "after=" in path else ""
        assert len(seen) == 41 == len(set(seen)), order
        if undated:
            assert seen[-len(undated) :] == sorted(undated), "what has no day is last"
    assert len(as_rows(coordinator.opens("/cases.csv").content)) == 43


def test_what_is_taken_along_opens_in_any_spreadsheet_and_holds_no_formula(
    terminal: Terminal, coordinator: Browser, application: str
) -> None:
    with terminal.here.record.writing() as session:
        session.get_one(Project, "P-1").title = '=HYPERLINK("http://a.example")'
        session.get_one(Teacher, "T-1").name = "@Zażółć\tليلى"
    opening, heads, row = as_rows(coordinator.opens("/cases.csv").content)
    assert "NSS-PL" in opening[0]
    assert "2026" in opening[0]
    found = dict(zip(heads, row, strict=True))
    assert found["Number"] == application
    assert found["Project or school"] == '\'=HYPERLINK("http://a.example")'
    assert found["Applicant"] == "'@Zażółć ليلى"
    assert found["Received"].startswith("2026-03-16 ")
    assert found["Points"] == ""
    book = coordinator.opens("/cases.xlsx?columns=title,applicant,submitted,days")
    assert book.headers["content-disposition"].startswith("attachment")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert rows[1] == ["Project or school", "Applicant", "Received", "Days"]
    assert rows[2][:2] == ['=HYPERLINK("http://a.example")', "@Zażółć\tليلى"]
    assert str(rows[2][2]).startswith("2026-03-16")
    assert rows[2][3] == 0
    assert b"<f>" not in book.content


@pytest.mark.slow
def test_a_list_is_kept_under_a_name_with_its_filters_and_columns(
    terminal: Terminal, coordinator: Browser, browser: Opens
) -> None:
    address = "/cases?urgent=late&order=due&columns=points%2Cdays"
    kept = coordinator.sends(address, {"name": "Late in spring"})
    assert (kept.status_code, kept.headers["location"]) == (303, address)
    page = coordinator.opens("/cases")
    assert f'href="{address.replace("&", "&amp;")}"' in page.text
    assert "Late in spring" in words(page)
    refused = coordinator.sends(address, {"name": " "})
    assert refused.status_code == 422
    assert "A list needs a name." in words(refused)
    with terminal.here.record.writing() as session:
        session.add(
            Staff(
                email="c2@nss.example", role="coordinator", name="Ewa", organisation="NSS-PL", language="pl",
                school=None,
            )
        )  # fmt: skip
    other = browser().signs_in("c2@nss.example")
    assert "Late in spring" not in other.opens("/cases").text
    other.sends("/cases", {"forget": "Late in spring"})
    assert "Late in spring" in coordinator.opens("/cases").text
    coordinator.sends("/cases", {"forget": "Late in spring"})
    assert "Late in spring" not in coordinator.opens("/cases").text


@pytest.mark.slow
def test_a_person_has_so_many_lists_and_no_more(
    coordinator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_lists, "MOST", 1)
    assert coordinator.sends("/cases", {"name": "one"}).status_code == 303
    assert coordinator.sends("/cases?part=open", {"name": "one"}).status_code == 303, "another of that name"
    refused = coordinator.sends("/cases", {"name": "two"})
    assert refused.status_code == 422
    assert "You have 1 lists" in words(refused)
