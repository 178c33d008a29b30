"""From when until when a School Label is valid, who may renew one, and until when each country's schools answer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from labels.clock import brussels_day, end_of_day
from labels.mail import messages
from labels.papers.due import due_papers
from labels.papers.facts import CertificateFacts
from labels.record.engine import Record
from labels.record.schema import Application, Award, Mail, School, Step
from labels.rules.loading import load_rules, load_school_rules
from labels.rules.model import RuleEdition, SchoolRules, Validity, ValidityBy
from labels.school_label import deciding, inviting, rounds
from labels.school_label.preselection import check_schools
from labels.school_label.validity import Span, held_from, over_if_awarded_by, span
from labels.turn import Turn
from tests.labels.school_label.test_inviting import TODAY as CHECKED_ON
from tests.labels.school_label.test_inviting import Europe
from tests.support.mails import told_by
from tests.support.people import KEY, STAMP
from tests.support.school import TODAY
from tests.support.school import School as Applying


def school_rules(**changes: Any) -> SchoolRules:
    """The default rules of schools with other values for some names; None takes a rule away."""
    body = load_rules("default", TODAY).school.model_dump(mode="json")
    for name, value in changes.items():
        body[name] = None if value is None else {"value": value, "source": "assumption"}
    return SchoolRules.model_validate(body)


JUNE = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("validity", "expected"),
    [
        ({"by": "award"}, Span(JUNE, date(2028, 6, 9))),
        ({"by": "calendar_years"}, Span(date(2026, 1, 1), date(2027, 12, 31))),
        ({"by": "school_years"}, Span(date(2026, 9, 1), date(2028, 8, 31))),
        (
            {"by": "dates", "begins": "2026-11-01", "ends": "2028-10-31"},
            Span(date(2026, 11, 1), date(2028, 10, 31)),
        ),
    ],
    ids=lambda value: value.get("by", "") if isinstance(value, dict) else "",
)
def test_label_years_are_counted_as_the_rules_say(validity: dict[str, str], expected: Span) -> None:
    assert span(school_rules(validity=validity), 2026, JUNE) == expected


def test_a_renewed_label_begins_when_the_former_ends_without_a_gap_or_an_overlap() -> None:
    renewed = span(school_rules(), 2026, JUNE, former_ends=date(2026, 7, 31))
    assert renewed == Span(date(2026, 8, 1), date(2028, 7, 31))
    assert span(school_rules(), 2026, JUNE, former_ends=date(2025, 7, 31)).begins == JUNE
    assert span(school_rules(renewal=False), 2026, JUNE, former_ends=date(2026, 7, 31)).begins == JUNE


def test_who_holds_a_label_that_ends_before_those_of_the_round_begin_may_apply() -> None:
    january = date(2026, 1, 15)
    by_school_years = school_rules(validity={"by": "school_years"})
    assert held_from(by_school_years, january) == date(2026, 9, 1), (
        "one that ends on 31 August may be renewed"
    )
    assert held_from(school_rules(validity={"by": "calendar_years"}), january) == january, "2024–25 is over"
    assert held_from(school_rules(answer_days=14, decision_days=20), january) == date(2026, 2, 26)
    assert held_from(school_rules(renewal=False), january) == january
    assert held_from(school_rules(renewal=None, validity=None), january) == january, "as it was"


def test_a_label_without_a_last_day_is_over_when_those_of_its_year_are() -> None:
    by_school_years = school_rules(validity={"by": "school_years"})
    assert span(by_school_years, 2024, date(2024, 10, 1)).ends == date(2026, 8, 31)
    assert over_if_awarded_by(by_school_years, date(2026, 3, 1)) == date(2023, 12, 31)
    assert over_if_awarded_by(by_school_years, date(2026, 8, 31)) == date(2023, 12, 31)
    assert over_if_awarded_by(by_school_years, date(2026, 9, 1)) == date(2024, 12, 31)
    assert over_if_awarded_by(school_rules(validity={"by": "calendar_years"}), date(2026, 3, 1)) == date(
        2024, 12, 31
    )
    assert over_if_awarded_by(school_rules(), date(2026, 3, 1)) == date(2024, 3, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": ValidityBy.DATES},
        {"by": ValidityBy.DATES, "begins": date(2026, 1, 1)},
        {"by": ValidityBy.DATES, "begins": date(2026, 1, 2), "ends": date(2026, 1, 1)},
        {"by": ValidityBy.AWARD, "begins": date(2026, 1, 1), "ends": date(2027, 1, 1)},
    ],
)
def test_dates_of_labels_are_named_together_and_with_dates_alone(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Validity.model_validate(wrong)


def test_rules_that_were_kept_before_labels_could_be_renewed_have_the_digest_that_they_had() -> None:
    now = load_rules("default", TODAY)
    body = now.to_json()
    for name in ("validity", "renewal"):
        del body["school"][name]
    kept = RuleEdition.from_json(body)
    assert kept.to_json() == body
    assert kept.digest != now.digest


def label_of_s_1(ends: date | None) -> Award:
    return Award(
        id="SCH-FORMER", label="school", teacher=None, project=None, school="S-1", organisation="NSS-PL",
        awarded_on=date(2024, 5, 2), score=None, valid_until=ends, revoked_at=None,
    )  # fmt: skip


def _columns(award: Award) -> dict[str, Any]:
    return {name: value for name, value in vars(award).items() if not name.startswith("_")}


def test_a_school_renews_its_label_and_is_never_without_one(record: Record) -> None:
    school = Applying(record)
    with record.writing() as session:
        session.add(label_of_s_1(date(2026, 5, 1)))
        session.flush()
        dates = rounds.cut_offs(session, rounds.round_of(session, 2026))
        [check] = check_schools(session, dates, "S-1")
        assert check.holds is None, "its label ends before those of the round begin"
    school.hand_in()
    school.declare()
    school.review(4)
    school.do(deciding.decide, school.id)
    with record.writing() as session:
        session.add(
            Award(
                **(
                    _columns(label_of_s_1(date(2030, 1, 1)))
                    | {"id": "SCH-LATER", "awarded_on": date(2028, 1, 2)}
                )
            )
        )
    with record.reading() as session:
        later = deciding._span(session, session.get_one(Application, school.id), TODAY)
        assert later.begins == date(2026, 5, 2), (
            "a label that was won later is not renewed, where this is decided again"
        )
        won = session.get_one(Award, school.id)
        assert (won.awarded_on, won.valid_from, won.valid_until) == (
            TODAY,
            date(2026, 5, 2),
            date(2028, 5, 1),
        )
        certificate = due_papers(session, school.id, STAMP)[0].facts
        assert isinstance(certificate, CertificateFacts)
        assert (certificate.awarded_on, certificate.valid_from) == (TODAY, date(2026, 5, 2))
        mail = session.scalars(sa.select(Mail).where(Mail.template == "school_awarded")).first()
        assert mail is not None
        assert told_by(mail, messages.SchoolAwarded).valid_from == date(2026, 5, 2)


def test_a_renewed_label_also_begins_after_a_former_one_without_a_last_day(record: Record) -> None:
    school = Applying(record)
    with record.writing() as session:
        former = label_of_s_1(None)
        former.awarded_on = date(TODAY.year - 2, TODAY.month, TODAY.day) + timedelta(days=10)
        session.add(former)
    with record.reading() as session:
        renewed = deciding._span(session, session.get_one(Application, school.id), TODAY)
    assert renewed.begins == TODAY + timedelta(days=10), (
        "valid for two years from its award, as those of today are"
    )


def test_the_schools_of_each_country_have_its_own_deadline_within_one_round(record: Record) -> None:
    published = CHECKED_ON + timedelta(days=20)

    def rules_for(whose: str) -> RuleEdition:
        edition = load_school_rules(whose, CHECKED_ON)
        if whose != "NSS-PT":
            return edition
        body = edition.to_json()
        body["school"]["national_answer_by"] = {
            "value": published.isoformat(),
            "source": "found: 2024, PL and IT",
        }
        return RuleEdition.from_json(body)

    now = end_of_day(CHECKED_ON)
    with record.writing() as session:
        Europe(4).write(session)
        turn = Turn(session, now, KEY)
        one = rounds.begin(turn, CHECKED_ON, rules_for)
        rounds.check(turn, 2026)
        inviting.invite(turn, 2026, rules_for)
        due = {
            country: brussels_day(at)
            for country, at in session.execute(
                sa.select(School.country, Step.due_at)
                .join(Application, Application.id == Step.application)
                .join(School, School.id == Application.school)
            ).tuples()
            if at is not None
        }
        assert due == {"PL": brussels_day(one.due_at), "PT": date(2026, 4, 6)}, "the day after Easter Sunday"


def test_a_national_deadline_of_an_earlier_round_does_not_count_any_more(record: Record) -> None:
    with record.writing() as session:
        Europe(4).write(session)
        one = rounds.begin(
            Turn(session, end_of_day(CHECKED_ON), KEY), CHECKED_ON, lambda whose: load_rules(whose, TODAY)
        )
        former = school_rules(national_answer_by=(CHECKED_ON - timedelta(days=300)).isoformat())
        assert rounds.due_at(session, one, "NSS-PL", former) == one.due_at
