"""A date moved for all: of a round of the School Label, of a year of the European one; a plan first, and all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering import dates, deadlines
from labels.answering.dates import Subject
from labels.clock import brussels_day, end_of_day
from labels.errors import NotAllowed, NotFound
from labels.european_label import awarding, screening
from labels.identifiers import short_digest
from labels.kinds import LabelKind
from labels.mail.message import Template
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Application, Journal, Mail, SchoolRound, Step, StepKind, StepState
from labels.school_label import inviting, rounds
from labels.steps.step import open_step
from labels.turn import Turn
from tests.labels.school_label.test_inviting import NOW, Europe, rules_for
from tests.support.european import (
    BEGINS,
    CENTRAL,
    OTHER,
    OWN,
    YEAR,
    begun,
    nomination_of,
    populate_year,
    screen,
)
from tests.support.people import KEY

ROUND = Subject(StepKind.SELF_ASSESSMENT, 2026)
WHY = "The platform was away for a week."
GOOD_FRIDAY = date(2026, 4, 3)
"""A holiday in Portugal, and a working day in Poland."""


@pytest.fixture
def school_round(record: Record) -> Iterator[Session]:
    """A round in which two schools, of Poland and of Portugal, are invited."""
    with record.writing() as session:
        Europe(4).write(session)
        rounds.begin(Turn(session, NOW, KEY), brussels_day(NOW), rules_for)
        rounds.check(Turn(session, NOW, KEY), 2026)
        inviting.invite(Turn(session, NOW, KEY), 2026, rules_for)
        session.flush()
        yield session


@pytest.fixture
def cycle(record: Record) -> Iterator[Session]:
    """A year of the European Quality Label that is being screened."""
    with record.writing() as session:
        populate_year(session)
        begun(session)
        yield session


def moved(session: Session, subject: Subject, until: datetime, now: datetime = NOW) -> dates.Plan:
    found = dates.plan(session, subject, until, now)
    turn = Turn(session, now, KEY, by="c@css.example")
    return dates.move(turn, subject, until, found.digest, WHY)


def due(session: Session, kind: StepKind = StepKind.SELF_ASSESSMENT) -> dict[str, set[date]]:
    found: dict[str, set[date]] = {}
    for organisation, at in session.execute(
        sa.select(Application.organisation, Step.due_at)
        .join(Step, Step.application == Application.id)
        .where(Step.kind == kind, Step.state == StepState.OPEN)
    ).tuples():
        assert at is not None
        found.setdefault(organisation, set()).add(brussels_day(at))
    return found


def entries(session: Session, event: Event) -> list[Journal]:
    return list(session.scalars(sa.select(Journal).where(Journal.what == event).order_by(Journal.id)))


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(sa.select(Mail).where(Mail.template == Template.CHANGED_TOGETHER)))


# The School Label ---------------------------------------------------------------------------------


def test_a_rounds_date_is_moved_for_all_to_the_end_of_a_working_day_of_each_country(
    school_round: Session,
) -> None:
    before = {one.id: one.revision for one in school_round.scalars(sa.select(Application))}
    done = moved(school_round, ROUND, end_of_day(GOOD_FRIDAY))
    assert due(school_round) == {"NSS-PL": {GOOD_FRIDAY}, "NSS-PT": {date(2026, 4, 6)}}
    assert [(one.organisation, one.applications, one.people) for one in done.parts] == [
        ("NSS-PL", 1, 3),
        ("NSS-PT", 1, 3),
    ]
    told = mails(school_round)
    assert len(told) == len({one.person for one in told}) == 6, "one message a person"
    assert {one.context["message"]["reason"] for one in told} == {WHY}
    assert [one.details["steps"] for one in entries(school_round, Event.MOVED_A_DEADLINE)] == [3, 3]
    [whole] = entries(school_round, Event.MOVED_A_DATE_FOR_ALL)
    assert (whole.details["people"], whole.details["because"]) == (6, WHY)
    after = {one.id: one.revision for one in school_round.scalars(sa.select(Application))}
    assert {one: after[one] - before[one] for one in before} == dict.fromkeys(before, 1), (
        "their runs show the new date"
    )


def test_what_waits_for_the_old_date_goes_by_the_new_one(school_round: Session) -> None:
    former = max(step.due_at for step in school_round.scalars(sa.select(Step)) if step.due_at)
    moved(school_round, ROUND, former + timedelta(days=21))
    assert deadlines.over(school_round, former + timedelta(days=1)) == []
    assert len(deadlines.over(school_round, former + timedelta(days=30))) == 6


def test_one_countrys_part_of_a_round_is_moved_alone_and_schools_invited_later_have_its_date(
    record: Record,
) -> None:
    with record.writing() as session:
        Europe(4).write(session)
        rounds.begin(Turn(session, NOW, KEY), brussels_day(NOW), rules_for)
        rounds.check(Turn(session, NOW, KEY), 2026)
        whole = session.get_one(SchoolRound, 2026).due_at
        done = moved(session, Subject(StepKind.SELF_ASSESSMENT, 2026, "NSS-PL"), end_of_day(GOOD_FRIDAY))
        assert [(one.organisation, one.people) for one in done.parts] == [("NSS-PL", 0)]
        inviting.invite(Turn(session, NOW, KEY), 2026, rules_for)
        assert due(session) == {"NSS-PL": {GOOD_FRIDAY}, "NSS-PT": {brussels_day(whole)}}


def test_whoever_was_given_more_time_keeps_it(school_round: Session) -> None:
    [first, *_] = school_round.scalars(
        sa.select(Step)
        .join(Application, Application.id == Step.application)
        .where(Application.organisation == "NSS-PL")
        .order_by(Step.id)
    )
    longer = end_of_day(date(2026, 7, 1))
    deadlines.move_deadline(
        Turn(school_round, NOW, KEY, by="c@nss.example"), first.id, longer, "She was ill."
    )
    done = moved(school_round, ROUND, end_of_day(date(2026, 6, 10)))
    assert due(school_round)["NSS-PL"] == {date(2026, 6, 10), date(2026, 7, 1)}
    assert {one.organisation: one.longer for one in done.parts} == {"NSS-PL": 1, "NSS-PT": 0}
    assert first.person not in {one.person for one in mails(school_round)}


def test_a_principal_is_given_the_same_time_and_so_is_what_they_send_back(school_round: Session) -> None:
    step = school_round.scalars(sa.select(Step).order_by(Step.id)).first()
    assert step is not None
    application = school_round.get_one(Application, step.application)
    step.state, step.closed_at = StepState.ANSWERED, NOW
    turn = Turn(school_round, NOW, KEY)
    asked = open_step(turn, application, StepKind.DECLARATION, step.person, due=step.due_at, asked_by=step.id)
    school_round.flush()
    moved(school_round, ROUND, end_of_day(date(2026, 6, 10)))
    assert {brussels_day(one.due_at) for one in (step, asked) if one.due_at} == {date(2026, 6, 10)}
    deadlines.move_deadline(turn, asked.id, end_of_day(date(2026, 6, 12)), "She was ill.")
    assert step.due_at == asked.due_at, "also where a coordinator moves that of one"


def test_a_plan_is_named_once_however_many_it_concerns(
    school_round: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = dates.plan(school_round, ROUND, end_of_day(GOOD_FRIDAY), NOW).digest
    named: list[object] = []

    def counted(*parts: object) -> str:
        named.append(parts)
        return short_digest(*parts)

    monkeypatch.setattr("labels.answering.dates.short_digest", counted)
    turn = Turn(school_round, NOW, KEY, by="c@css.example")
    dates.move(turn, ROUND, end_of_day(GOOD_FRIDAY), shown, WHY)
    assert len(named) == 1, "it takes as long as all the rest, for thousands of schools each"


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (end_of_day(brussels_day(NOW) - timedelta(days=1)), "is past"),
        (end_of_day(date(9999, 1, 1)), "more than two years ahead"),
    ],
)
def test_a_date_that_is_past_or_a_slip_of_the_hand_is_refused(
    school_round: Session, until: datetime, why: str
) -> None:
    with pytest.raises(NotAllowed, match=why):
        dates.plan(school_round, ROUND, until, NOW)


def test_what_is_not_there_has_no_date(school_round: Session) -> None:
    until = end_of_day(date(2026, 6, 10))
    with pytest.raises(NotFound, match="no round of 2025"):
        dates.plan(school_round, Subject(StepKind.SELF_ASSESSMENT, 2025), until, NOW)
    with pytest.raises(NotFound, match="has not begun"):
        dates.plan(school_round, Subject(StepKind.SCREENING, 2026), until, NOW)
    with pytest.raises(NotFound, match="Is NSS-PL or NSS-PT meant"):
        dates.plan(school_round, Subject(StepKind.SELF_ASSESSMENT, 2026, "NSS-PX"), until, NOW)
    moved(school_round, ROUND, until)
    with pytest.raises(NotAllowed, match="due then already"):
        dates.plan(school_round, ROUND, until, NOW)
    school_round.execute(sa.update(Step).values(state=StepState.EXPIRED))
    school_round.get_one(SchoolRound, 2026).invited_at = NOW
    with pytest.raises(NotAllowed, match="Nothing is due there any more"):
        dates.plan(school_round, ROUND, until + timedelta(days=40), until + timedelta(days=30))


def test_a_plan_is_carried_out_only_as_it_was_shown(school_round: Session) -> None:
    until = end_of_day(date(2026, 6, 10))
    shown = dates.plan(school_round, ROUND, until, NOW)
    school_round.execute(sa.update(Step).where(Step.id == shown.due[0].step).values(state=StepState.EXPIRED))
    turn = Turn(school_round, NOW, KEY, by="c@css.example")
    with pytest.raises(NotAllowed, match="Something has changed"):
        dates.move(turn, ROUND, until, shown.digest, WHY)
    assert entries(school_round, Event.MOVED_A_DATE_FOR_ALL) == []


# The European Quality Label -----------------------------------------------------------------------


def test_the_screening_is_moved_for_every_organisation_and_follows_for_who_is_asked_later(
    cycle: Session,
) -> None:
    screening.ask(Turn(cycle, BEGINS, KEY), nomination_of(OWN))
    until = end_of_day(date(2026, 11, 20))
    done = moved(cycle, Subject(StepKind.SCREENING, YEAR), until, BEGINS)
    assert {one.organisation for one in done.parts} == {OWN, OTHER}
    screening.ask(Turn(cycle, BEGINS, KEY), nomination_of(OTHER))
    assert due(cycle, StepKind.SCREENING) == {OWN: {date(2026, 11, 20)}, OTHER: {date(2026, 11, 20)}}
    assert len(mails(cycle)) == len({one.person for one in done.due})


def test_an_organisation_that_was_given_more_time_to_screen_keeps_it(cycle: Session) -> None:
    [step, *_] = screening.ask(Turn(cycle, BEGINS, KEY), nomination_of(OWN))
    longer = end_of_day(date(2026, 12, 18))
    deadlines.move_deadline(Turn(cycle, BEGINS, KEY, by="c@css.example"), step.id, longer, "A strike.")
    subject = Subject(StepKind.SCREENING, YEAR)
    done = moved(cycle, subject, end_of_day(date(2026, 11, 20)), BEGINS)
    assert cycle.get_one(Application, nomination_of(OWN)).decide_by == longer
    assert {one.organisation: one.longer for one in done.parts} == {OWN: 1, OTHER: 0}
    until = end_of_day(date(2026, 12, 21))
    moved(cycle, subject, until, BEGINS)
    assert {cycle.get_one(Application, nomination_of(one)).decide_by for one in (OWN, OTHER)} == {until}


def test_the_award_is_moved_before_and_while_it_is_asked_for(cycle: Session) -> None:
    subject = Subject(StepKind.AWARDING, YEAR)
    first = end_of_day(date(2026, 12, 11))
    done = moved(cycle, subject, first, BEGINS)
    assert (done.people, [one.former for one in done.parts]) == (0, [None])
    now = BEGINS + timedelta(days=1)
    for organisation in (OWN, OTHER):
        screen(cycle, organisation)
    [award] = cycle.scalars(sa.select(Application.id).where(Application.label == LabelKind.EUROPEAN))
    awarding.merge_nominations(Turn(cycle, now, KEY), award)
    asked = awarding.ask(Turn(cycle, now, KEY), award)
    assert {step.due_at for step in asked} == {first}
    moved(cycle, subject, end_of_day(date(2026, 12, 18)), now)
    assert due(cycle, StepKind.AWARDING) == {CENTRAL: {date(2026, 12, 18)}}
    with pytest.raises(NotAllowed, match="name no other organisation"):
        dates.plan(cycle, Subject(StepKind.AWARDING, YEAR, OWN), first, now)
