"""A year of an agency through the pages of its desk: the benchmark's, small; it compares the record with what was done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import agency
from benchmarks.year import checking
from labels.record.schema import Decision, Journal, Mail

APPLICATIONS = 40


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> agency.Played:
    home = tmp_path_factory.mktemp("agency")
    return agency.play(home, APPLICATIONS, days=60, papers=0.0, looks=timedelta(weeks=2))


@pytest.fixture
def session(played: agency.Played) -> Iterator[Session]:
    """What is changed here is thrown away."""
    with played.year.here.record.reading() as session:
        yield session


def test_everything_that_is_handed_in_at_the_desk_is_decided_once_and_told_once(
    played: agency.Played,
) -> None:
    counts = played.counts
    assert counts["applications"] == APPLICATIONS
    assert counts["awarded"] + counts["refused"] + counts.get("withdrawn", 0) == APPLICATIONS
    assert counts["certificates"] == counts["awarded"]
    assert counts["stuck"] == 0


def test_whatever_anybody_did_they_did_on_a_page(played: agency.Played, session: Session) -> None:
    doors = set(
        session.scalars(sa.select(Journal.details["door"].as_string()).where(Journal.who.contains("@")))
    )
    assert doors - {None} == {"desk"}
    done = {what for what, times in played.year.pages.times.items() if times}
    assert {"hand in", "send the review", "give to another", "list: late", "sign in"} <= done


@pytest.mark.parametrize("lost", [Decision, Mail])
def test_what_is_missing_in_the_end_is_found(
    played: agency.Played, session: Session, lost: type[Any]
) -> None:
    found = session.scalars(
        sa.select(lost).where(Mail.template == "receipt") if lost is Mail else sa.select(lost)
    )
    session.delete(found.first())
    session.flush()
    with pytest.raises((agency.Wrong, checking.NotSo)):
        agency.compared_in(session, played.year.here.now(), APPLICATIONS)
