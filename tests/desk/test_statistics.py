"""The page of statistics, the report, the files and the command: one country's, the same numbers at every door."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from labels.kinds import LabelKind
from labels.record.schema import Application, Conflict, Organisation, Staff
from labels.registry import search_index
from labels.views.applications import EVERYTHING
from labels.views.counts import Count
from labels.views.statistic_sheet import Figure, figures
from labels.views.statistic_words import DECIDED, HIDDEN, NUMBERS, RECEIVED, Unit
from labels.views.statistics import Filters, statistics
from tests.cli.conftest import COORDINATOR, Terminal
from tests.desk.conftest import Browser, words
from tests.support.past_years import Europe
from tests.support.pdf_report import wrong

Opens = Callable[..., Browser]
CENTRAL = "head@eu.example"


@pytest.fixture
def years(terminal: Terminal) -> None:
    """Ten years of three organisations."""
    here = terminal.here
    with here.record.writing() as session:
        session.add(
            Organisation(
                id="CSS",
                country="EU",
                kind="CSS",
                name="Central Support",
                email="css@eu.example",
                language="en",
            )
        )
        session.flush()
        session.add(
            Staff(
                email=CENTRAL, role="coordinator", name="Ada", organisation="CSS", language="en", school=None
            )
        )
        Europe({"NSS-PL": 30, "NSS-PT": 12, "NSS-AA": 40}, range(2016, 2026), here.now()).fill(session)
        search_index.fill(session.connection())


def told(terminal: Terminal, organisation: str, **filters: Any) -> list[Figure]:
    with terminal.here.record.reading() as session:
        found = statistics(session, EVERYTHING, organisation, terminal.here.now(), Filters(**filters))
        return list(figures(found))


def in_file(figure: Figure) -> Any:
    return "" if figure.cell is None else figure.cell


@pytest.mark.slow
def test_a_coordinator_finds_the_statistics_of_their_country_and_no_others(
    terminal: Terminal, years: None, browser: Opens
) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    page = coordinator.opens("/statistics")
    assert page.status_code == 200
    assert "Narodowe Biuro" in words(page)
    assert "Statistics 2025/26" in words(page)
    for kind in ("", ".pdf", ".csv", ".xlsx"):
        for other in ("NSS-PT", "CSS", "NSS-ZZ"):
            assert coordinator.opens(f"/statistics{kind}?organisation={other}").status_code == 404
    assert 'href="/statistics"' in coordinator.opens("/overview").text
    assert browser().signs_in("t-1@school.example").opens("/statistics").status_code == 404


def test_the_central_support_service_has_all_and_each(
    terminal: Terminal, years: None, browser: Opens
) -> None:
    central = browser().signs_in(CENTRAL)
    everything = words(central.opens("/statistics"))
    assert "All organisations" in everything
    assert "Poland" in everything
    assert "Portugal" in everything
    assert "Agency NSS-AA" in words(central.opens("/statistics?organisation=NSS-AA"))


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?year=2022", "?label=national", "?year=2024&label=school"])
def test_page_report_files_and_command_give_the_same_numbers(
    terminal: Terminal, years: None, browser: Opens, query: str
) -> None:
    asked = dict(one.split("=") for one in query[1:].split("&") if one)
    filters = {name: int(value) if name == "year" else LabelKind(value) for name, value in asked.items()}
    expected = told(terminal, "NSS-PL", **filters)
    options = [word for name, value in asked.items() for word in (f"--{name}", value)]

    printed = terminal.json("statistics", "NSS-PL", "--as", COORDINATOR, *options)["figures"]
    assert [(one["number"], one["year"], one["value"]) for one in printed] == [
        (one.number.id, one.year, one.value) for one in expected
    ]

    coordinator = browser().signs_in(COORDINATOR)
    files = {kind: coordinator.opens(f"/statistics.{kind}{query}").content for kind in ("csv", "xlsx", "pdf")}
    for kind in ("csv", "xlsx"):
        result = terminal.run("statistics", "NSS-PL", "--as", COORDINATOR, "--file", f"own.{kind}", *options)
        assert result.exit_code == 0, result.output
        for content in (files[kind], (terminal.folder / f"own.{kind}").read_bytes()):
            rows = _rows(kind, content)[2:]
            assert [row[5] for row in rows] == [str(one.number.name) for one in expected]
            assert [_number(row[6]) for row in rows] == [_number(in_file(one)) for one in expected]

    page = words(coordinator.opens(f"/statistics{query}"))
    paper = _text(files["pdf"])
    year = filters.get("year", 2025)
    seen = 0
    for one in expected:
        if (one.table, one.year, one.number.unit) == (
            "years",
            year,
            Unit.COUNT,
        ) and one.number not in _SELDOM:
            text = HIDDEN if one.hidden else "–" if one.value is None else f"{one.value:,.0f}"
            row = f"{text} {one.number.name}" if one.number in _TILES else f"{one.number.name} {text}"
            assert row in page
            assert row.replace(" ", "") in paper
            seen += 1
    assert seen > 15


_TILES = (RECEIVED, DECIDED)
"""Whose number stands above its name."""
_SELDOM = [one for one in NUMBERS if one.count is Count.EXPIRED]


def _rows(kind: str, content: bytes) -> list[list[Any]]:
    if kind == "xlsx":
        return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return list(csv.reader(io.StringIO(content[2:].decode("utf-16-le")), delimiter="\t"))


def _number(cell: Any) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def _text(pdf: bytes) -> str:
    """What a report says, without spaces: a reader does not see all of them."""
    whole = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s", "", whole)


@pytest.mark.slow
def test_the_report_is_pdf_ua_and_the_same_each_time(terminal: Terminal, years: None, browser: Opens) -> None:
    central = browser().signs_in(CENTRAL)
    once, again = (central.opens("/statistics.pdf").content for _ in range(2))
    assert once == again
    found = PdfReader(io.BytesIO(once))
    assert found.metadata is not None
    assert found.metadata.title == "Yearly report 2025/26 – Central Support"
    assert wrong(once) == []


@pytest.mark.slow
def test_the_page_says_how_many_are_left_out(terminal: Terminal, years: None, browser: Opens) -> None:
    coordinator = browser().signs_in(COORDINATOR)
    assert "left out" not in words(coordinator.opens("/statistics"))
    with terminal.here.record.writing() as session:
        [who] = session.scalars(sa.select(Staff.person).where(Staff.email == COORDINATOR)).all()
        of = session.scalars(
            sa.select(Application.project)
            .where(Application.organisation == "NSS-PL", Application.school_year == 2025)
            .where(Application.label == LabelKind.NATIONAL)
            .limit(2)
        )
        for project in of.all():
            session.add(
                Conflict(
                    person=who, kind="project", target=project or "", reason="a friend", declared_by="c",
                    declared_at=terminal.here.now(),
                )
            )  # fmt: skip
    assert "2 applications are left out of all these numbers" in words(coordinator.opens("/statistics"))
    assert "2 applications are left out" in terminal.run("statistics", "NSS-PL", "--as", COORDINATOR).stderr
    assert "left out" not in terminal.run("statistics", "NSS-PL").stderr
    assert "2applicationsareleftout" in _text(coordinator.opens("/statistics.pdf").content)


def test_numbers_are_explained_where_they_stand(terminal: Terminal, years: None, browser: Opens) -> None:
    page = words(browser().signs_in(COORDINATOR).opens("/statistics"))
    for number in NUMBERS:
        assert str(number.name) in page
        assert str(number.means) in page


@pytest.mark.slow
def test_a_table_in_the_terminal_says_what_is_not_shown(terminal: Terminal, years: None) -> None:
    result = terminal.run("statistics", "NSS-PT")
    assert result.exit_code == 0
    assert HIDDEN in result.stdout
    assert "fewer than five people" in result.stderr
    assert "By organisation" in terminal.run("statistics", "CSS").stdout
    assert "is none of .csv, .xlsx and .pdf" in terminal.fails(2, "statistics", "NSS-PL", "--file", "x.ods")
    assert "no organisation NSS-PT" in terminal.fails(4, "statistics", "NSS-PT", "--as", COORDINATOR)
