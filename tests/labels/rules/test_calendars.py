"""When applications are taken and by when they are decided: working days, rounds, and the nights between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.clock import BRUSSELS, brussels_day
from labels.rules.calendars import add_working_days, is_working_day, next_round, place, school_year
from labels.rules.dates import read_moment
from labels.rules.loading import load_rules
from labels.rules.model import CalendarRules

TODAY = date(2026, 3, 16)


def calendar(organisation: str) -> CalendarRules:
    return load_rules(organisation, TODAY).national.calendar


def rounds(*dates: tuple[str, str], late: str = "refuse") -> CalendarRules:
    """A calendar of rounds that open and close as told, decided by the end of the year."""
    named = [
        {"name": f"Round {n}", "opens": opens, "closes": closes, "decided_by": "12-31"}
        for n, (opens, closes) in enumerate(dates, 1)
    ]
    return CalendarRules.model_validate(
        {
            "kind": {"value": "rounds", "source": "assumption"},
            "rounds": {"value": named, "source": "assumption"},
            "late": {"value": late, "source": "assumption"},
        }
    )


def brussels(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS, fold=fold)


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
countries = st.sampled_from(["PL", "IT", "FI", "JO", "GE", "HU", "XX"])
with_rounds = st.sampled_from(["NSS-IT", "NSS-CZ", "NSS-DE", "NSS-FI", "PSA-MD"])


# Working days -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "day", "works"),
    [
        ("PL", "2026-03-16", True),  # a Monday
        ("PL", "2026-03-14", False),  # a Saturday
        ("PL", "2026-05-01", False),  # Labour Day
        ("PL", "2026-11-11", False),  # Independence Day
        ("CZ", "2026-11-11", True),
        ("CZ", "2026-11-17", False),
        ("RS", "2026-01-07", False),  # Christmas by the Julian calendar
        ("JO", "2026-03-13", False),  # a Friday: the weekend is Friday and Saturday
        ("JO", "2026-03-15", True),  # a Sunday
        ("HU", "2026-08-08", True),  # a Saturday that is worked in place of another day
        ("XX", "2026-05-01", True),  # no calendar is known: weekends only
        ("XX", "2026-05-02", False),
    ],
)
def test_working_days_are_those_of_the_country(country: str, day: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day), country) is works


@pytest.mark.parametrize(
    ("start", "days", "country", "end"),
    [
        ("2026-03-16 10:00", 1, "PL", "2026-03-17"),
        ("2026-03-13 10:00", 1, "PL", "2026-03-16"),  # over the weekend
        ("2026-03-14 10:00", 1, "PL", "2026-03-16"),  # from a Saturday
        ("2026-04-30 10:00", 1, "PL", "2026-05-04"),  # 1 May is a holiday, then a weekend
        ("2026-12-23 10:00", 2, "PL", "2026-12-29"),  # 24 to 26 December and a Sunday
        ("2026-03-16 10:00", 0, "PL", "2026-03-16"),
        ("2026-03-16 23:59", 1, "PL", "2026-03-17"),
        ("2026-03-12 10:00", 1, "JO", "2026-03-15"),
    ],
)
def test_a_deadline_is_the_end_of_a_working_day_in_brussels(
    start: str, days: int, country: str, end: str
) -> None:
    assert add_working_days(brussels(start), days, country) == brussels(f"{end} 23:59:59")


def test_the_day_of_a_submission_is_that_of_brussels_and_not_of_greenwich() -> None:
    shortly_before_midnight = datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
    assert add_working_days(shortly_before_midnight, 1, "XX") == brussels("2026-07-01 23:59:59")
    assert add_working_days(shortly_before_midnight + timedelta(minutes=1), 1, "XX") == brussels(
        "2026-07-02 23:59:59"
    )


@given(start=moments, days=st.integers(1, 90), country=countries)
def test_a_deadline_falls_on_a_working_day_after_so_many_of_them(
    start: datetime, days: int, country: str
) -> None:
    end = add_working_days(start, days, country)
    first, last = brussels_day(start), brussels_day(end)
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(is_working_day(day, country) for day in between) == days
    assert is_working_day(last, country)
    assert (end.tzinfo, f"{end.astimezone(BRUSSELS):%H:%M:%S}") == (UTC, "23:59:59")


@given(start=moments, later=st.integers(0, 10**7), days=st.integers(0, 90), more=st.integers(0, 30))
def test_who_starts_later_or_has_more_days_is_never_due_earlier(
    start: datetime, later: int, days: int, more: int
) -> None:
    due = add_working_days(start, days, "PL")
    assert add_working_days(start + timedelta(seconds=later), days, "PL") >= due
    assert add_working_days(start, days + more, "PL") >= due


# School years -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "year"),
    [
        ("2025-08-31", 2024),
        ("2025-09-01", 2025),
        ("2025-12-31", 2025),
        ("2026-01-01", 2025),
        ("2024-02-29", 2023),
    ],
)
def test_a_school_year_goes_from_september_to_august(day: str, year: int) -> None:
    assert school_year(date.fromisoformat(day)) == year


# All year round ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submitted", "days"),
    [
        ("2026-04-30 23:59:59", 30),
        ("2026-05-01 00:00:00", 60),
        ("2026-08-31 23:59:59", 60),
        ("2026-09-01 00:00:00", 30),
    ],
)
def test_poland_answers_in_30_working_days_and_in_60_from_may_to_august(submitted: str, days: int) -> None:
    placed = place(brussels(submitted), calendar("NSS-PL"), "PL")
    assert placed.decide_by == add_working_days(brussels(submitted), days, "PL")
    assert (placed.round, placed.late, placed.refused, placed.rolled_over) == (None, False, False, False)


def test_where_labels_are_awarded_all_year_there_is_no_next_round() -> None:
    assert next_round(brussels("2026-05-01"), calendar("NSS-PL")) is None


# Rounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("organisation", "submitted", "round_", "rolled_over"),
    [
        ("NSS-IT", "2026-06-30 23:59:00", "Annual round 2026", False),
        ("NSS-IT", "2026-06-30 23:59:59", "Annual round 2026", False),
        ("NSS-IT", "2026-06-30 23:59:59.999999", "Annual round 2026", False),
        ("NSS-IT", "2026-07-01 00:00:00", "Annual round 2027", True),
        ("NSS-IT", "2026-08-31 23:59:59", "Annual round 2027", True),
        ("NSS-IT", "2026-09-01 00:00:00", "Annual round 2027", False),
        ("NSS-CZ", "2026-02-28 23:59:59", "Annual round 2026", False),
        ("NSS-CZ", "2026-03-01 00:00:00", "Annual round 2027", True),
        ("NSS-CZ", "2028-02-29 12:00:00", "Annual round 2029", True),  # the rule says 28, in leap years too
        ("NSS-CZ", "2026-12-31 23:59:59", "Annual round 2027", False),
        ("NSS-FI", "2026-01-21 23:59:59.5", "January cut-off 2026", False),
        ("NSS-FI", "2026-01-22 00:00:00", "May cut-off 2026", False),
        ("NSS-FI", "2026-05-13 23:59:59", "May cut-off 2026", False),
        ("NSS-FI", "2026-05-14 00:00:00", "September cut-off 2026", False),
        ("NSS-FI", "2026-09-11 00:00:00", "January cut-off 2027", False),
        ("PSA-MD", "2026-05-15 12:00:00", "Spring session 2026", False),
        ("PSA-MD", "2026-05-16 00:00:00", "Autumn session 2026", False),
    ],
)
def test_an_application_belongs_to_the_round_that_is_open_or_rolls_over(
    organisation: str, submitted: str, round_: str, rolled_over: bool
) -> None:
    placed = place(brussels(submitted), calendar(organisation), organisation[-2:])
    assert (placed.round, placed.rolled_over, placed.late) == (round_, rolled_over, rolled_over)
    assert not placed.refused


@pytest.mark.parametrize(
    ("organisation", "submitted", "opens"),
    [
        ("NSS-DE", "2026-06-01 00:00:00", "2026-12-01"),
        ("NSS-DE", "2026-11-30 23:59:59", "2026-12-01"),
        ("PSA-MD", "2026-09-11 00:00:00", "2026-10-01"),
    ],
)
def test_where_late_is_refused_it_is_said_when_the_next_round_opens(
    organisation: str, submitted: str, opens: str
) -> None:
    placed = place(brussels(submitted), calendar(organisation), organisation[-2:])
    assert (placed.refused, placed.late, placed.rolled_over) == (True, True, False)
    assert placed.opens_at == brussels(opens)
    assert (placed.round, placed.decide_by, placed.closes_at) == (None, None, None)


def test_a_round_is_decided_after_it_closed() -> None:
    italy = place(brussels("2026-02-01"), calendar("NSS-IT"), "IT")
    assert italy.decide_by == brussels("2026-10-15 23:59:59")
    finland = place(brussels("2026-12-01"), calendar("NSS-FI"), "FI")
    assert (finland.closes_at, finland.decide_by) == (
        brussels("2027-01-21 23:59:59"),
        brussels("2027-03-31 23:59:59"),
    )
    turned = rounds(("06-01", "12-31"))  # decided on 31 December: at the closing is too early
    assert place(brussels("2026-07-01"), turned, "XX").decide_by == brussels("2027-12-31 23:59:59")


@pytest.mark.parametrize(
    ("organisation", "after", "name"),
    [
        ("NSS-FI", "2026-03-31 12:00", "May cut-off 2026"),  # it is open already
        ("NSS-FI", "2026-05-13 23:59:59.9", "May cut-off 2026"),
        ("NSS-FI", "2026-05-14 00:00", "September cut-off 2026"),
        ("NSS-DE", "2026-07-01 12:00", "Annual round 2027"),
        ("NSS-IT", "2026-10-15 12:00", "Annual round 2027"),
    ],
)
def test_the_next_round_is_the_first_that_one_can_still_hand_in_for(
    organisation: str, after: str, name: str
) -> None:
    window = next_round(brussels(after), calendar(organisation))
    assert window is not None
    assert window.name == name


@given(moment=moments, organisation=with_rounds)
def test_a_closing_is_exact_to_the_second(moment: datetime, organisation: str) -> None:
    window = next_round(moment, calendar(organisation))
    assert window is not None
    second, tick = timedelta(seconds=1), timedelta(microseconds=1)
    for inside in (window.opens_at, window.closes_at, window.closes_at + second - tick):
        placed = place(inside, calendar(organisation), "XX")
        assert (placed.round, placed.late) == (window.name, False)
    for outside in (window.opens_at - tick, window.closes_at + second):
        placed = place(outside, calendar(organisation), "XX")
        assert placed.round != window.name or placed.rolled_over


@given(moment=moments, organisation=with_rounds)
def test_a_moment_is_placed_alike_in_whatever_zone_it_is_told(moment: datetime, organisation: str) -> None:
    there = calendar(organisation)
    assert place(moment, there, "XX") == place(moment.astimezone(BRUSSELS), there, "XX")


@given(moment=moments, later=st.integers(0, 10**8), organisation=st.sampled_from(["NSS-IT", "NSS-CZ"]))
def test_who_hands_in_later_never_gets_an_earlier_round(
    moment: datetime, later: int, organisation: str
) -> None:
    there = calendar(organisation)
    first, second = place(moment, there, "XX"), place(moment + timedelta(seconds=later), there, "XX")
    assert first.decide_by is not None
    assert second.decide_by is not None
    assert first.decide_by <= second.decide_by
    assert moment < first.decide_by


@given(moment=moments, organisation=with_rounds)
def test_an_application_is_in_a_round_or_refused_with_a_date_to_come(
    moment: datetime, organisation: str
) -> None:
    placed = place(moment, calendar(organisation), "XX")
    if placed.refused:
        assert placed.opens_at is not None
        assert placed.opens_at > moment
    else:
        assert placed.closes_at is not None
        assert placed.decide_by is not None
        assert moment < placed.closes_at + timedelta(seconds=1) <= placed.decide_by + timedelta(seconds=1)


# The nights in which the clocks change, and 29 February -----------------------------------------


@pytest.mark.parametrize(
    ("text", "year", "ends", "utc"),
    [
        ("06-30", 2026, True, "2026-06-30 21:59:59"),
        ("06-30", 2026, False, "2026-06-29 22:00:00"),
        ("06-30 23:59", 2026, True, "2026-06-30 21:59:59"),
        ("01-21 12:00", 2026, True, "2026-01-21 11:00:59"),
        ("01-21 12:00", 2026, False, "2026-01-21 11:00:00"),
        # 29 March 2026: from 02:00 straight to 03:00
        ("03-29 01:59", 2026, True, "2026-03-29 00:59:59"),
        ("03-29 02:30", 2026, True, "2026-03-29 01:30:59"),
        ("03-29 03:00", 2026, False, "2026-03-29 01:00:00"),
        ("03-29", 2026, True, "2026-03-29 21:59:59"),
        # 25 October 2026: from 03:00 back to 02:00
        ("10-25 02:30", 2026, False, "2026-10-25 00:30:00"),
        ("10-25 02:30", 2026, True, "2026-10-25 01:30:59"),
        ("10-25", 2026, False, "2026-10-24 22:00:00"),
        ("10-25", 2026, True, "2026-10-25 22:59:59"),
        ("02-29", 2028, True, "2028-02-29 22:59:59"),
        ("02-29", 2026, True, "2026-02-28 22:59:59"),
        ("02-29", 2100, False, "2100-02-27 23:00:00"),
    ],
)
def test_a_date_of_a_rule_is_a_moment_in_brussels(text: str, year: int, ends: bool, utc: str) -> None:
    assert read_moment(text, year, ends=ends) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "6-30", "31-06", "06-31", "02-30", "13-01", "00-10", "06-30 24:00", "06-30 23:60", "06-30T12:00",
     "06-30 12", "06-30 12:00:30", "06-30 12:00+02:00", "2026-06-30", " 06-30", "06-30\n", "٠٦-٣٠"],
)  # fmt: skip
def test_what_is_no_date_of_a_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (date|time)"):
        read_moment(text, 2026, ends=True)


def test_a_closing_in_the_hour_that_comes_twice_ends_with_its_second_coming() -> None:
    there = rounds(("01-01", "10-25 02:30"))
    assert not place(brussels("2026-10-25 02:30:59", fold=0), there, "XX").late
    assert not place(brussels("2026-10-25 02:45:00", fold=0), there, "XX").late  # before the second 02:30
    assert not place(brussels("2026-10-25 02:30:59", fold=1), there, "XX").late
    assert place(brussels("2026-10-25 02:31:00", fold=1), there, "XX").late


def test_a_closing_on_29_february_is_that_of_the_last_day_in_other_years() -> None:
    there = rounds(("01-01", "02-29"))
    assert not place(brussels("2028-02-29 23:59:59"), there, "XX").late
    assert not place(brussels("2026-02-28 23:59:59"), there, "XX").late
    assert place(brussels("2026-03-01 00:00:00"), there, "XX").late


@given(
    month=st.integers(1, 12), day=st.integers(1, 28), hour=st.integers(0, 23), minute=st.integers(0, 59),
    year=st.integers(2020, 2040),
)  # fmt: skip
def test_a_moment_reads_in_brussels_as_it_is_written_unless_the_clock_leaves_it_out(
    month: int, day: int, hour: int, minute: int, year: int
) -> None:
    written = f"{month:02}-{day:02} {hour:02}:{minute:02}"
    opens, closes = (read_moment(written, year, ends=ends).astimezone(BRUSSELS) for ends in (False, True))
    if f"{opens:%m-%d %H:%M}" == written:
        assert f"{closes:%m-%d %H:%M:%S}" == f"{written}:59"
    else:
        assert (month, hour) == (3, 2)  # the night in which an hour is left out
        assert f"{opens:%H:%M}" == f"03:{minute:02}"
