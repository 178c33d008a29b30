"""The yearly report on paper: what belongs together stands on one page."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

from pypdf import PdfReader

from adapters.papers.reports import render_report
from labels.record import Record
from labels.record.schema import Organisation
from labels.views.applications import EVERYTHING
from labels.views.statistics import YEARS, statistics
from tests.support.past_years import Europe

NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)
COUNTRIES = [f"X{letter}" for letter in "ABCDEFGHIJLMNOPQRSTUVWXYZ"]  # no country has these


def test_no_page_ends_with_the_head_of_a_table_and_a_single_row(record: Record) -> None:
    with record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="Central", email="c@eu.example", language="en"
            )
        )
        session.flush()
        Europe({f"NSS-{one}": 6 for one in COUNTRIES}, range(NOW.year - YEARS, NOW.year), NOW).fill(session)
    with record.reading() as session:
        report = render_report(statistics(session, EVERYTHING, "CSS", NOW), "en")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(report)).pages]
    rows = [number for page in pages if (number := len(set(re.findall(r"\bX[A-Z]\b", page))))]
    assert sum(rows) == len(COUNTRIES)
    assert min(rows) >= 2
