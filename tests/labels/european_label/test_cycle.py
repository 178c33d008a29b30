"""A year of the European Quality Label in the record: frozen, screened, merged and awarded, each once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from labels.answering import deadlines, leaving, own_staff
from labels.answering import deadlines as deadlines_answering
from labels.errors import InvalidInput, NotAllowed
from labels.european_label import awarding, freezing, screening
from labels.european_label.frozen import FrozenLabel, list_digest
from labels.european_label.gallery import gallery
from labels.identifiers import nomination_id
from labels.mail import messages
from labels.mail.context import message_of
from labels.people.persons import behind
from labels.record import Record
from labels.record.schema import (
    Application,
    Award,
    Awarded,
    Conflict,
    Cycle,
    CycleLabel,
    CyclePlace,
    CycleProject,
    Decision,
    FormerSchool,
    Mail,
    Member,
    Organisation,
    Outcome,
    School,
    Screened,
    Staff,
    Stage,
    StepKind,
    Teacher,
)
from labels.registry.letters import nothing_missing
from labels.rules.kept import keep_rules
from labels.rules.loading import RULES
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import void_open
from labels.turn import Door, Turn
from tests.support.european import (
    BEGINS,
    CENTRAL,
    OTHER,
    OWN,
    YEAR,
    add_label,
    answered,
    awarded,
    begun,
    edition,
    european_rules,
    label_id,
    nomination_of,
    populate_year,
    screen,
)
from tests.support.mails import told_by
from tests.support.people import KEY, populate
from tests.support.people import _school as school

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def year(record: Record) -> Iterator[Session]:
    """A session on the registry of a small year."""
    with record.writing() as session:
        populate_year(session)
        yield session


def places(session: Session, organisation: str = OWN) -> list[tuple[int, str, bool]]:
    return [
        (row.place, row.project, row.proposed) for row in screening.ranking_of(session, YEAR, organisation)
    ]


def passed(session: Session, now: datetime) -> list[str]:
    """The applications in which a deadline has passed and something came of it."""
    done = [deadlines.pass_deadline(Turn(session, now, KEY), step) for step in deadlines.over(session, now)]
    return sorted({one.application for one in done if one})


def refused(result: Accepted | Refusal) -> str:
    assert isinstance(result, Refusal)
    return result.why


# Freezing -----------------------------------------------------------------------------------------


def test_the_labels_of_the_window_are_frozen_and_ranked_and_can_be_ranked_again(year: Session) -> None:
    identifier = begun(year)
    assert places(year) == [
        (1, "P-A", True), (2, "P-B", True), (3, "P-C", True), (3, "P-D", True),
        (5, "P-E", False), (6, "P-F", False), (7, "P-G", False),
    ]  # fmt: skip
    cycle = year.get_one(Cycle, YEAR)
    assert (cycle.begins, cycle.ends) == (date(2025, 10, 1), date(2026, 9, 30))
    older = year.get_one(CycleLabel, (YEAR, label_id("T-D2", "P-D")))
    assert not older.ranked, "it counts as a partner's only"
    assert (older.country, older.score) == ("PT", 30)
    year.get_one(Award, label_id("T-A1", "P-A")).score = 3.0
    year.get_one(Teacher, "T-C2").school = "S-1"
    year.flush()
    assert freezing.repeat(year, YEAR).same
    assert freezing.begin(Turn(year, BEGINS, KEY), YEAR, edition) == identifier
    assert freezing.freeze(Turn(year, BEGINS, KEY), identifier, edition) == cycle.list_digest
    year.get_one(CycleLabel, (YEAR, label_id("T-A1", "P-A"))).score = 1.0
    year.flush()
    assert freezing.repeat(year, YEAR) == freezing.Repeated(False, (OWN,))


def test_both_databases_freeze_one_list(year: Session) -> None:
    begun(year, european_only=False)
    assert year.get_one(Cycle, YEAR).list_digest == (
        "61f77a582cba36cef1b2ad10219f17b4b4669f53f38209418c165e07f55534d7"
    )


@only_sqlite
def test_a_cycle_begins_only_when_its_window_is_over_and_mixes_no_two_years(year: Session) -> None:
    last_evening = datetime(2026, 9, 30, 21, 59, tzinfo=UTC)  # 23:59 in Brussels
    with pytest.raises(NotAllowed, match="from 2025-10-01 to 2026-09-30"):
        freezing.begin(Turn(year, last_evening, KEY), YEAR, edition)
    add_label(year, "T-E1", "P-A", 30, on=date(2026, 10, 1))
    add_label(year, "T-F1", "P-A", 30, on=date(2025, 9, 30))
    begun(year)
    assert len(places(year)) == 7
    assert year.get(CycleLabel, (YEAR, label_id("T-E1", "P-A"))) is None
    before = freezing.latest_year(lambda _: european_rules(), last_evening)
    after = freezing.latest_year(lambda _: european_rules(), last_evening + timedelta(minutes=1))
    assert (before, after) == (2025, 2026)
    with pytest.raises(InvalidInput, match="no year of eTwinning"):
        freezing.begin(Turn(year, BEGINS, KEY), 26, edition)


@pytest.mark.slow
@only_sqlite
def test_a_leap_day_lies_in_its_window(record: Record) -> None:
    with record.writing() as session:
        populate_year(session)
        add_label(session, "T-E1", "P-A", 30, on=date(2024, 2, 29))
        identifier = freezing.begin(Turn(session, BEGINS, KEY), 2024, edition)
        freezing.freeze(Turn(session, BEGINS, KEY), identifier, edition)
        assert [row.project for row in screening.ranking_of(session, 2024, OWN)] == ["P-A"]


@only_sqlite
def test_a_year_without_labels_ends_without_an_award(record: Record) -> None:
    with record.writing() as session:
        populate(session)
        with pytest.raises(InvalidInput, match="no organisation of the kind CSS"):
            freezing.begin(Turn(session, BEGINS, KEY), YEAR, edition)
        session.add(
            Organisation(id=CENTRAL, country="EU", kind="CSS", name="C", email="c@c.example", language="en")
        )
        session.flush()
        with pytest.raises(InvalidInput, match="two different people"):
            freezing.begin(Turn(session, BEGINS, KEY), YEAR, lambda name: edition(name, four_eyes=True))
        identifier = begun(session)
        assert awarding.merge_nominations(Turn(session, BEGINS, KEY), identifier) == 0
        assert awarding.ask(Turn(session, BEGINS, KEY), identifier) == []
        assert awarding.award(Turn(session, BEGINS, KEY), identifier) is Outcome.REFUSED


@only_sqlite
def test_projects_are_ranked_by_the_average_of_all_their_labels(year: Session) -> None:
    begun(year, unit="projects", share="25%", above=20)
    ranked = {
        row.candidate: (row.place, row.score, row.proposed) for row in screening.ranking_of(year, YEAR, OWN)
    }
    assert ranked["P-A"] == (1, 27.5, True)
    assert ranked["P-B"] == (2, 26, True)
    assert ranked["P-C"] == (4, 22, False)
    assert [row.candidate for row in screening.ranking_of(year, YEAR, OTHER)] == ["P-A", "P-C"]


@only_sqlite
def test_each_country_counts_the_same_in_an_average_over_countries(year: Session) -> None:
    add_label(year, "T-B1", "P-A", 22)
    begun(year, unit="projects", average="countries")
    scores = {row.candidate: row.score for row in screening.ranking_of(year, YEAR, OWN)}
    assert scores["P-A"] == (25 + 27) / 2, "(28 + 22) / 2 in one country, 27 in the other"
    assert freezing.repeat(year, YEAR).same


def newest_rule() -> dict[str, Any]:
    """The newest rule, as it ships."""
    variant = (RULES / "variants" / "european-by-countries.yaml").read_text("utf-8")
    return {name: rule["value"] for name, rule in yaml.safe_load(variant)["european"].items()}


@only_sqlite
def test_a_year_goes_by_the_newest_rule_as_it_ships(year: Session) -> None:
    founded(year, "P-A", "T-A1", "T-A2")
    founded(year, "P-B", "T-B1", "T-C1")
    add_label(year, "T-A1", "P-B", 26)
    identifier = begun(year, **newest_rule())
    ranking = {row.project: row for row in screening.ranking_of(year, YEAR, OWN)}
    assert [name for name, row in ranking.items() if row.proposed] == ["P-A", "P-D"], (
        "a quarter of seven, without national ones"
    )
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert isinstance(
        answered(year, steps, {"approve": ["P-D"], "strike": {"P-A": "Not this year."}}), Accepted
    ), "up to a quarter"
    screening.put_forward(Turn(year, BEGINS, KEY), nomination_of(OWN))
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    merged = projects(year)["P-A"]
    assert (merged.proposed_by, merged.qualifies) == (OTHER, True)
    assert freezing.repeat(year, YEAR).same


@only_sqlite
def test_a_teacher_who_is_labelled_for_one_project_in_two_years_is_one_partner_and_awarded_once(
    year: Session,
) -> None:
    awarded(year)
    again = {"label": "national", "teacher": "T-A1", "project": "P-A", "school": "S-1", "organisation": OWN}
    year.add(Award(id="NQL-AGAIN", awarded_on=date(2027, 3, 1), score=29, **again))
    add_label(year, "T-B2", "P-A", 25, organisation=OTHER, on=date(2027, 3, 1))
    now = BEGINS.replace(year=2027)
    turn = Turn(year, now, KEY)
    identifier = freezing.begin(turn, 2027, edition)
    freezing.freeze(turn, identifier, edition)
    for organisation in (OWN, OTHER):
        nomination = nomination_id(organisation, 2027)
        answered(year, screening.ask(turn, nomination), {"approve": ["all"]}, now)
        screening.ask(turn, nomination)
        screening.put_forward(turn, nomination)
    awarding.merge_nominations(turn, identifier)
    merged = year.get_one(CycleProject, (2027, "P-A"))
    assert (merged.qualifies, merged.labelled_partners) == (True, 2), (
        "of two schools, with those of the year before"
    )
    answered(year, awarding.ask(turn, identifier), {"approve": ["all"]}, now)
    assert awarding.award(turn, identifier) is Outcome.AWARDED
    won = (
        sa.select(Award.teacher, sa.func.count())
        .where(Award.label == "european", Award.project == "P-A")
        .group_by(Award.teacher)
    )
    assert dict(year.execute(won).tuples().all()) == {"T-A1": 1, "T-A2": 1, "T-B2": 1}
    assert freezing.repeat(year, YEAR).same
    assert freezing.repeat(year, 2027).same


def founded(session: Session, project: str, *teachers: str) -> None:
    """The founders of a project."""
    for teacher in teachers:
        session.add(Member(project=project, teacher=teacher, role="founder", joined_on=date(2025, 9, 1)))
    session.flush()


def test_a_national_project_is_neither_put_forward_nor_qualifies_where_the_rules_say_so(
    year: Session,
) -> None:
    founded(year, "P-B", "T-A1", "T-B1")
    founded(year, "P-C", "T-C1", "T-C2")
    begun(year)
    ranking = {row.project: row for row in screening.ranking_of(year, YEAR, OWN)}
    assert [name for name, row in ranking.items() if row.proposed] == ["P-A", "P-C", "P-D"]
    assert ranking["P-B"].why.startswith("It is a national project: its founders are all of one country")
    assert ranking["P-B"].score == 26, "its points are shown all the same"
    assert freezing.repeat(year, YEAR).same
    assert founded_in(year)["P-B"] == 1
    assert founded_in(year)["P-C"] == 2
    assert founded_in(year)["P-A"] == 0


def test_a_project_is_not_national_where_one_founder_alone_is_known_or_a_label_is_of_another_country(
    year: Session,
) -> None:
    founded(year, "P-A", "T-A1")
    founded(year, "P-C", "T-B1", "T-C1")
    founded(year, "P-E", "T-E1")
    begun(year)
    assert founded_in(year)["P-A"] == 0, "labels of two countries, and one founder known"
    assert founded_in(year)["P-C"] == 2, "both founders of one country, and a label of another"
    assert founded_in(year)["P-E"] == 0, "one founder known, and one label"
    proposed = [row.project for row in screening.ranking_of(year, YEAR, OWN) if row.proposed]
    assert proposed == ["P-A", "P-B", "P-C", "P-D"]


def founded_in(session: Session) -> dict[str, int | None]:
    """In how many countries the projects of the frozen list are."""
    return dict(session.execute(sa.select(CycleLabel.project, CycleLabel.founded_in)).tuples().all())


@only_sqlite
def test_a_national_project_does_not_qualify_even_if_its_organisation_puts_it_forward(year: Session) -> None:
    founded(year, "P-B", "T-A1", "T-B1")
    add_label(year, "T-A1", "P-B", 25)
    rules = {
        CENTRAL: edition(CENTRAL, together="partners"),
        OWN: edition(OWN, european_only=False),
        OTHER: edition(OTHER, european_only=False),
    }
    turn = Turn(year, BEGINS, KEY)
    identifier = freezing.begin(turn, YEAR, rules.__getitem__)
    freezing.freeze(turn, identifier, rules.__getitem__)
    for organisation in (OWN, OTHER):
        screen(year, organisation)
    awarding.merge_nominations(turn, identifier)
    merged = projects(year)["P-B"]
    assert (merged.proposed_by, merged.labelled_partners, merged.qualifies) == ("NSS-PL", 2, False)
    assert "It is a national project" in merged.why


@only_sqlite
def test_whoever_coordinates_two_organisations_is_told_of_the_labels_without_points_of_each(
    year: Session,
) -> None:
    coordinator = year.scalars(
        sa.select(Staff.person).where(Staff.role == "coordinator", Staff.organisation == OWN)
    )
    year.get_one(Organisation, OTHER).person = coordinator.one()
    add_label(year, "T-D2", "P-E", None)
    add_label(year, "T-B2", "P-B", None, organisation=OTHER)
    begun(year)
    told = year.scalars(sa.select(Mail).where(Mail.template == "points_missing")).all()
    assert len({told_by(one, messages.PointsMissing).of_organisation for one in told}) == 2
    assert len({one.to_address for one in told}) == 1


@only_sqlite
def test_an_average_is_shown_to_an_organisation_once_everybody_has_decided(year: Session) -> None:
    decided(year, "T-A2", "P-A", {})
    waiting = year.get_one(Application, label_id("T-A2", "P-A"))
    waiting.outcome, waiting.stage, waiting.submitted_at = (
        None,
        Stage.REVIEW,
        datetime(2026, 6, 1, tzinfo=UTC),
    )
    late = {"id": "NQL-LATE", "project": "P-B", "submitted_at": BEGINS}
    kept = {c.name: getattr(waiting, c.name) for c in Application.__table__.c}
    year.execute(sa.insert(Application).values(kept | late))
    begun(year, unit="projects", await_others=True)
    ranking = {row.project: row for row in screening.ranking_of(year, YEAR, OWN)}
    assert (ranking["P-A"].score, ranking["P-A"].proposed) == (None, False)
    assert "is not decided yet: its average is shown once all are" in ranking["P-A"].why
    assert ranking["P-B"].proposed, "what came in after the year's labels ended keeps nobody waiting"
    assert freezing.repeat(year, YEAR).same


def decided(session: Session, teacher: str, project: str, points: dict[str, float]) -> None:
    """The application behind a label, as far as the freezing looks at it."""
    kept = keep_rules(session, edition(OWN))
    session.add(
        Application(
            id=label_id(teacher, project), label="national", teacher=teacher, project=project, organisation=OWN,
            country="PL", language="pl", attempt=1, instance=2, content={}, content_digest="x", rules=kept,
            submitted_at=BEGINS, school_year=2025, stage=Stage.CLOSED, stage_since=BEGINS, outcome=Outcome.AWARDED,
        )
    )  # fmt: skip
    session.flush()
    lines = [{"criterion": name, "points": number} for name, number in points.items()]
    for instance, verdict in ((1, {"lines": []}), (2, {"lines": lines})):
        session.add(
            Decision(
                application=label_id(teacher, project), instance=instance, outcome=Outcome.AWARDED,
                verdict=verdict, inputs_digest="x", rules=kept, decided_at=BEGINS,
            )
        )  # fmt: skip
    session.flush()


def test_equals_are_told_apart_by_the_points_of_their_last_decision(year: Session) -> None:
    decided(year, "T-C1", "P-C", {"collaboration": 4, "results": 3.5})
    decided(year, "T-D1", "P-D", {"results": 4, "collaboration": 4})
    begun(year, ties="chain")
    assert places(year)[:4] == [(1, "P-A", True), (2, "P-B", True), (3, "P-D", True), (4, "P-C", False)]
    frozen_label = year.get_one(CycleLabel, (YEAR, label_id("T-C1", "P-C")))
    assert (frozen_label.criteria, frozen_label.submitted_at) == (
        {"collaboration": 4, "results": 3.5},
        BEGINS,
    )
    assert freezing.repeat(year, YEAR).same
    shown = freezing.preview(year, YEAR, lambda name: edition(name, ties="chain"))
    assert [place.why for place in shown.rankings[OWN]] == [
        row.why for row in screening.ranking_of(year, YEAR, OWN)
    ]


@only_sqlite
def test_criteria_are_frozen_only_where_so_many_are_equal_that_they_are_told_apart_by_them(
    year: Session,
) -> None:
    for letter in "ABCDEFG":
        year.get_one(Award, label_id(f"T-{letter}1", f"P-{letter}")).score = 24
    decided(year, "T-G1", "P-G", {"collaboration": 5, "results": 5})
    begun(year)
    assert places(year)[0] == (1, "P-G", True)
    assert year.get_one(CycleLabel, (YEAR, label_id("T-G1", "P-G"))).criteria == {
        "collaboration": 5,
        "results": 5,
    }
    assert freezing.repeat(year, YEAR).same
    assert freezing.preview(year, YEAR, edition).rankings[OWN][0].candidate.project == "P-G"


frozen = st.builds(
    FrozenLabel, st.uuids().map(str), st.text(max_size=3), st.text(max_size=3), st.none(), st.text(max_size=3),
    st.just("PL"), st.dates().map(str), st.none() | st.floats(0, 30), st.none(), st.none(), st.booleans(),
)  # fmt: skip


@pytest.mark.slow
@given(
    st.lists(frozen, max_size=6, unique_by=lambda row: row.award),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_the_digest_of_a_list_depends_on_its_rows_and_not_on_their_order(
    rows: list[FrozenLabel], chance: random.Random, data: st.DataObject
) -> None:
    before = list_digest(rows)
    chance.shuffle(rows)
    assert list_digest(rows) == before
    if rows:
        place = data.draw(st.integers(0, len(rows) - 1))
        other = rows[place]._replace(score=(rows[place].score or 0) + 1)
        assert list_digest([*rows[:place], other, *rows[place + 1 :]]) != before
        assert list_digest(rows[1:]) != before


# Screening ----------------------------------------------------------------------------------------


def test_a_coordinator_approves_and_strikes_what_is_proposed_and_nothing_else(year: Session) -> None:
    begun(year)
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN)) == steps
    a, b, c, d = (label_id(f"T-{p}1", f"P-{p}") for p in "ABCD")
    wrong = refused(
        answered(year, steps, {"approve": [a, label_id("T-E1", "P-E"), "NQL-NO"], "strike": {a: "x", b: " "}})
    )
    for said in (
        "“NQL-NO” is not in the ranking of NSS-PL: nothing can be added from outside.",
        "is not proposed. Place 5 of 7 with 22 points: the share",
        "is approved too",
        f"strike · {b}: has no reason",
        f"{c}, {d}: neither approved nor struck",
    ):
        assert said in wrong
    assert isinstance(
        answered(year, steps, {"approve": ["all"], "strike": {b: "An advertisement."}}), Accepted
    )
    assert "already answered by" in refused(answered(year, steps, {"approve": ["all"]}))
    assert screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN)) == []
    assert screening.put_forward(Turn(year, BEGINS, KEY), nomination_of(OWN)) is Outcome.NOMINATED
    struck = year.get_one(CyclePlace, (YEAR, OWN, b))
    assert (struck.screened, struck.reason) == (Screened.STRUCK, "An advertisement.")
    assert screening.still_screening(year, YEAR) == [OTHER]


@only_sqlite
def test_what_a_coordinator_approves_of_their_own_school_is_told_to_who_awards(year: Session) -> None:
    begun(year)
    year.get_one(Staff, ("coordinator@nss.example", "coordinator")).school = "S-1"
    year.flush()
    screen(year, OWN, {"approve": ["all"], "strike": {label_id("T-B1", "P-B"): "No."}})
    assert screening.decided_on_their_own(year, YEAR) == [
        ("coordinator@nss.example", label_id(f"T-{p}1", f"P-{p}")) for p in "ABCD"
    ], "what they struck too"
    screen(year, OTHER)
    assert len(screening.decided_on_their_own(year, YEAR)) == 4


def declared(session: Session, email: str, teacher: str) -> None:
    """A conflict of interest of somebody with a teacher, as they or a coordinator declared it of any application."""
    person = session.scalars(sa.select(Staff.person).where(Staff.email == email)).one()
    session.add(
        Conflict(
            person=person, kind="teacher", target=teacher, reason="Cousins.", declared_by=email, declared_at=BEGINS
        )
    )  # fmt: skip
    session.flush()


def colleague(session: Session, email: str = "zofia@nss.example", **changes: str) -> None:
    """Another coordinator of an organisation."""
    row = {
        "email": email,
        "role": "coordinator",
        "name": "Zofia",
        "organisation": OWN,
        "language": "pl",
        "school": None,
    }
    session.add(Staff(**(row | changes)))
    session.flush()


def moved(session: Session, teacher: str, school: str, until: date) -> None:
    """A teacher left a school on a day."""
    session.add(FormerSchool(teacher=teacher, school=session.get_one(Teacher, teacher).school, until=until))
    session.get_one(Teacher, teacher).school = school
    session.flush()


def near_a_label(session: Session, how: str) -> None:
    """Makes the coordinator of an organisation near to the label of T-A1."""
    coordinator = session.get_one(Staff, ("coordinator@nss.example", "coordinator"))
    match how:
        case "declared with its teacher":
            declared(session, coordinator.email, "T-A1")
        case "declared with a member of the project":
            session.add(Member(project="P-A", teacher="T-2", role="partner", joined_on=date(2025, 9, 1)))
            declared(session, coordinator.email, "T-2")
        case "a former school of its teacher":
            session.add(school("S-3", "Nowa", "PL", OWN))
            session.flush()
            for one in "BCDEFG":
                session.get_one(Teacher, f"T-{one}1").school = "S-3"
            session.execute(
                sa.update(CycleLabel).where(CycleLabel.award != label_id("T-A1", "P-A")).values(school="S-3")
            )
            moved(session, "T-A1", "S-3", date(2026, 8, 1))
            session.execute(sa.update(CycleLabel).values(school="S-3"))
            coordinator.school = "S-1"
        case "the same person as a member":
            teacher = session.get_one(Teacher, "T-3")
            session.add(Member(project="P-A", teacher="T-3", role="partner", joined_on=date(2025, 9, 1)))
            teacher.person, teacher.school = coordinator.person, "S-9"
    session.flush()


NEAR = (
    "declared with its teacher",
    "declared with a member of the project",
    "a former school of its teacher",
    "the same person as a member",
)


@only_sqlite
@pytest.mark.parametrize("how", NEAR)
def test_who_has_a_conflict_of_interest_with_a_label_is_not_asked_to_screen_it_where_a_colleague_can(
    year: Session, how: str
) -> None:
    begun(year)
    near_a_label(year, how)
    colleague(year)
    [step] = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert step.assignee == "zofia@nss.example"


@only_sqlite
@pytest.mark.parametrize("how", NEAR)
def test_who_has_a_conflict_of_interest_with_a_label_screens_it_where_nobody_else_can_and_it_is_told(
    year: Session, how: str
) -> None:
    begun(year)
    near_a_label(year, how)
    screen(year, OWN)
    assert screening.decided_on_their_own(year, YEAR) == [
        ("coordinator@nss.example", label_id("T-A1", "P-A"))
    ]


@only_sqlite
def test_a_conflict_that_is_declared_once_somebody_was_asked_leaves_it_to_the_others(year: Session) -> None:
    begun(year)
    colleague(year)
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    declared(year, steps[0].assignee, "T-B1")
    told = refused(answered(year, steps, {"approve": ["all"]}))
    assert f"{label_id('T-B1', 'P-B')}: has a declared conflict of interest" in told
    assert "Somebody else is asked, too: zofia@nss.example." in told
    assert isinstance(answered(year, steps[1:], {"approve": ["all"]}), Accepted)


@only_sqlite
def test_of_two_who_both_have_a_conflict_neither_waits_for_the_other_to_screen(year: Session) -> None:
    begun(year)
    colleague(year)
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    declared(year, steps[0].assignee, "T-B1")
    declared(year, steps[1].assignee, "T-A1")
    assert isinstance(answered(year, steps, {"approve": ["all"]}), Accepted)
    assert screening.decided_on_their_own(year, YEAR) == [(steps[0].assignee, label_id("T-B1", "P-B"))]


@only_sqlite
def test_of_two_who_both_have_a_conflict_neither_waits_for_the_other_to_award(year: Session) -> None:
    identifier = begun(year)
    for organisation in (OWN, OTHER):
        screen(year, organisation)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    steps = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert len(steps) == 2
    for step in steps:
        declared(year, step.assignee, "T-A2")
    assert isinstance(answered(year, steps, {"approve": ["all"]}), Accepted)


@only_sqlite
def test_a_conflict_of_the_central_support_service_counts_for_the_award(year: Session) -> None:
    identifier = begun(year)
    for organisation in (OWN, OTHER):
        screen(year, organisation)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    declared(year, "ada@css.example", "T-A2")
    [step] = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert step.assignee == "ben@css.example"
    declared(year, "ben@css.example", "T-C1")
    assert isinstance(answered(year, [step], {"approve": ["all"]}), Accepted), "nobody else is asked"
    assert screening.decided_on_their_own(year, YEAR) == [("ben@css.example", "P-C")]


@only_sqlite
def test_a_conflict_that_comes_up_while_the_award_is_asked_for_leaves_it_to_the_other(year: Session) -> None:
    identifier = begun(year)
    for organisation in (OWN, OTHER):
        screen(year, organisation)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    steps = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    declared(year, steps[0].assignee, "T-A2")
    assert "P-A: has a declared conflict of interest" in refused(answered(year, steps, {"approve": ["all"]}))
    assert isinstance(answered(year, steps[1:], {"approve": ["all"]}), Accepted)


@only_sqlite
def test_any_coordinator_may_screen_and_the_first_answers_for_all(year: Session) -> None:
    begun(year)
    second = "zofia@nss.example"
    year.add(
        Staff(email=second, role="coordinator", name="Zofia", organisation=OWN, language="pl", school=None)
    )
    one, two = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert two.assignee == second
    answered(year, [two], {"approve": ["all"]})
    assert "taken back" in refused(answered(year, [one], {"approve": ["all"]}))
    assert f"{second} screened the proposal" in refused(answered(year, [one], {"approve": ["all"]}))


@only_sqlite
def test_an_organisation_without_a_coordinator_is_asked_at_its_own_address(year: Session) -> None:
    begun(year)
    [step] = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OTHER))
    assert step.assignee == "nss@pt.example"
    assert isinstance(answered(year, [step], {"approve": ["all"]}), Accepted)


@only_sqlite
def test_who_coordinates_no_longer_screens_nothing_and_awards_nothing(year: Session) -> None:
    identifier = begun(year)
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    former = year.get_one(Staff, (steps[0].assignee, "coordinator"))
    former.role = "reviewer"
    year.flush()
    assert refused(answered(year, steps, {"approve": ["all"]})) == (
        f"{steps[0].assignee} no longer coordinates {OWN}."
    )
    former.role = "coordinator"
    year.flush()
    for organisation in (OWN, OTHER):
        screen(year, organisation)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    steps = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    year.delete(year.get_one(Staff, (steps[0].assignee, "coordinator")))
    year.flush()
    assert refused(answered(year, steps, {"approve": ["all"]})) == (
        f"{steps[0].assignee} no longer coordinates {CENTRAL}."
    )


@only_sqlite
def test_who_moved_up_is_screened_in_turn(year: Session) -> None:
    begun(year, move_up=True)
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    b = label_id("T-B1", "P-B")
    result = answered(year, steps, {"approve": ["all"], "strike": {b: "No."}})
    assert isinstance(result, Accepted)
    assert "1 moved up" in result.remark
    [again] = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert again.id != steps[0].id
    assert again.due_at == steps[0].due_at
    e = label_id("T-E1", "P-E")
    assert isinstance(answered(year, [again], {"approve": [e]}), Accepted)
    assert screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN)) == []
    assert year.get_one(CyclePlace, (YEAR, OWN, e)).moved_up


@only_sqlite
@pytest.mark.parametrize(
    ("rule", "outcome", "left"),
    [("nothing", Outcome.EXPIRED, Screened.LAPSED), ("proposal", Outcome.NOMINATED, Screened.APPROVED)],
)
def test_at_the_deadline_counts_what_the_rules_say(
    year: Session, rule: str, outcome: Outcome, left: Screened
) -> None:
    begun(year, at_deadline=rule)
    [step] = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert step.due_at == datetime(2026, 10, 15, 21, 59, 59, tzinfo=UTC), "ten working days"
    late = step.due_at + timedelta(seconds=1)
    assert "deadline" in refused(answered(year, [step], {"approve": ["all"]}, now=late))
    assert screening.ask(Turn(year, late, KEY), nomination_of(OWN)) == []
    assert screening.put_forward(Turn(year, late, KEY), nomination_of(OWN)) is outcome
    assert year.get_one(CyclePlace, (YEAR, OWN, label_id("T-A1", "P-A"))).screened is left
    assert year.scalar(sa.select(sa.func.count()).where(Mail.template == "screening_lapsed")) == 1


@only_sqlite
def test_upkeep_ends_what_nobody_answered_and_a_moved_deadline_is_everybodys(year: Session) -> None:
    begun(year)
    year.add(
        Staff(
            email="zofia@nss.example",
            role="coordinator",
            name="Z",
            organisation=OWN,
            language="pl",
            school=None,
        )
    )
    one, two = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert one.due_at
    later = one.due_at + timedelta(days=3)
    deadlines_answering.move_deadline(
        Turn(year, BEGINS, KEY).acting("coordinator@nss.example"), one.id, later, "A holiday."
    )
    assert (two.due_at, year.get_one(Application, nomination_of(OWN)).decide_by) == (later, later)
    assert passed(year, later) == []
    seen = year.get_one(Application, nomination_of(OWN)).revision
    assert passed(year, later + timedelta(seconds=1)) == [nomination_of(OWN)]
    assert passed(year, later + timedelta(seconds=1)) == []
    assert year.get_one(Application, nomination_of(OWN)).revision > seen, "its run is woken"
    assert screening.ask(Turn(year, later + timedelta(seconds=1), KEY), nomination_of(OWN)) == []


@only_sqlite
@pytest.mark.parametrize("one_was_asked_in_time", [True, False])
def test_a_mailbox_that_takes_nothing_keeps_no_year_waiting_where_a_colleague_was_asked_in_time(
    year: Session, one_was_asked_in_time: bool
) -> None:
    begun(year)
    year.add(
        Staff(
            email="zofia@nss.example",
            role="coordinator",
            name="Z",
            organisation=OWN,
            language="pl",
            school=None,
        )
    )
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert steps[0].due_at
    for step, sent_at in zip(steps, (BEGINS if one_was_asked_in_time else None, None), strict=True):
        year.execute(
            sa.update(Mail).where(Mail.step == step.id).values(attempts=3, last_error="550", sent_at=sent_at)
        )
    late = steps[0].due_at + timedelta(seconds=1)
    assert passed(year, late) == ([nomination_of(OWN)] if one_was_asked_in_time else [])
    left = screening.ask(Turn(year, late, KEY), nomination_of(OWN))
    assert left == ([] if one_was_asked_in_time else steps)


@only_sqlite
def test_a_label_revoked_since_the_freezing_can_only_be_struck(year: Session) -> None:
    begun(year)
    a = label_id("T-A1", "P-A")
    year.get_one(Award, a).revoked_at = BEGINS
    steps = screening.ask(Turn(year, BEGINS, KEY), nomination_of(OWN))
    assert f"approve · {a}: was revoked on" in refused(answered(year, steps, {"approve": ["all"]}))
    assert isinstance(answered(year, steps, {"approve": ["all"], "strike": {a: "revoked"}}), Accepted)


# Merging and awarding -----------------------------------------------------------------------------


def projects(session: Session) -> dict[str, CycleProject]:
    return {row.project: row for row in session.scalars(sa.select(CycleProject))}


def test_the_award_goes_to_every_labelled_teacher_of_what_qualifies_and_once(year: Session) -> None:
    identifier = begun(year)
    with pytest.raises(NotAllowed, match="NSS-PL, NSS-PT have not screened"):
        awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    screen(year, OWN)
    screen(year, OTHER)
    assert awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier) == 3
    merged = projects(year)
    assert merged["P-B"].why == "Proposed by NSS-PL, but it has only 1 of at least 2 labelled partners."
    assert merged["P-A"].proposed_by == "NSS-PL NSS-PT"
    assert merged["P-D"].labelled_partners == 2, "one of them a year earlier"
    ada, ben = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert "does not qualify" in refused(answered(year, [ada], {"approve": ["all", "P-B"]}))
    answered(year, [ada], {"approve": ["P-A", "P-D"], "strike": {"P-C": "Copied."}})
    assert "has answered" in refused(answered(year, [ben], {"approve": ["all"]}))
    assert awarding.award(Turn(year, BEGINS, KEY), identifier) is Outcome.AWARDED
    assert awarding.award(Turn(year, BEGINS, KEY), identifier) is Outcome.AWARDED
    given_to = (
        year.execute(sa.select(Award.teacher, Award.project).where(Award.label == "european")).tuples().all()
    )
    assert sorted(given_to) == [("T-A1", "P-A"), ("T-A2", "P-A"), ("T-D1", "P-D"), ("T-D2", "P-D")]
    mails = year.scalars(sa.select(Mail).where(Mail.template == "european_awarded")).all()
    assert len(mails) == 4
    assert all(mail.attachment == f"certificate/{message_of(mail).subject}/1" for mail in mails)
    results = year.scalars(sa.select(Mail).where(Mail.template == "european_result")).all()
    assert {mail.to_address: told_by(mail, messages.EuropeanResult).won for mail in results} == {
        "coordinator@nss.example": 2, "nss@pt.example": 1,
    }  # fmt: skip
    assert projects(year)["P-C"].reason == "Copied."


@only_sqlite
def test_four_eyes_award_only_what_two_different_people_say(year: Session) -> None:
    identifier = begun(year, four_eyes=True)
    screen(year, OWN)
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    asked = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert [step.assignee for step in asked] == ["ada@css.example", "ben@css.example"]
    result = answered(year, asked, {"approve": ["all"]})
    assert isinstance(result, Accepted)
    assert "second person" in result.remark
    [ben] = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert ben.assignee == "ben@css.example"
    answered(year, [ben], {"approve": ["all"], "strike": {"P-C": "Copied."}})
    [ada] = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert ada.assignee == "ada@css.example", "they said different things: back to the other"
    answered(year, [ada], {"approve": ["all"], "strike": {"P-C": "Ben is right."}})
    assert awarding.ask(Turn(year, BEGINS, KEY), identifier) == []


@only_sqlite
def test_four_eyes_are_not_those_of_whom_a_colleague_entered_or_readdressed_after_the_freeze(
    year: Session,
) -> None:
    """Ada could read the mail there herself; the operator's word is that they are somebody."""
    identifier = begun(year, four_eyes=True)
    screen(year, OWN)
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)

    def acts(address: str) -> Turn:
        [who] = behind(year, address)
        return Turn(year, BEGINS + timedelta(days=1), KEY, Door.DESK).acting(address, who.id)

    def entry(address: str) -> own_staff.Entry:
        [found] = [one for one in own_staff.entries(year, CENTRAL) if one.email == address]
        return found

    cleo = own_staff.Entry("cleo@css.example", "Cleo", "coordinator", "en")
    own_staff.enter(acts("ada@css.example"), CENTRAL, cleo, nothing_missing)
    ben, ada = entry("ben@css.example"), entry("ada@css.example")
    to_ada = replace(ben, email="ada+ben@css.example")
    own_staff.change(acts("ada@css.example"), CENTRAL, ben, to_ada, nothing_missing)
    her_own = replace(ada, email="ada@new.example")
    own_staff.change(acts("ada@css.example"), CENTRAL, ada, her_own, nothing_missing)
    asked = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert [step.assignee for step in asked] == ["ada@new.example"], "she changed her own"
    assert isinstance(answered(year, asked, {"approve": ["all"]}), Accepted)
    [css] = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert css.assignee == "css@css.example", "the organisation's own mailbox"
    void_open(Turn(year, BEGINS, KEY), year.get_one(Application, identifier), StepKind.AWARDING, "a test")
    operator = Turn(year, BEGINS + timedelta(days=2), KEY, Door.COMMAND_LINE)
    leaving.leave(operator, leaving.Whose("cleo@css.example"), BEGINS.date())
    leaving.rejoin(operator, leaving.Whose("cleo@css.example"))
    [new] = awarding.ask(Turn(year, BEGINS, KEY), identifier)
    assert new.assignee == "cleo@css.example"


@only_sqlite
def test_countries_are_those_in_which_the_labels_were_won(year: Session) -> None:
    year.get_one(Teacher, "T-A2").school = "S-1"
    year.get_one(Teacher, "T-C1").school = "S-2"
    year.add(
        School(
            id="S-X", name="X", country="PL", organisation=OWN, city="Łódź", registered_on=date(2015, 1, 1),
            principal_name="D", principal_email="d@s.example",
        )
    )  # fmt: skip
    year.flush()
    identifier = begun(year, together="countries")
    screen(year, OWN)
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    assert projects(year)["P-A"].countries == 2


@pytest.mark.slow
@only_sqlite
def test_a_label_revoked_before_the_award_takes_its_project_with_it(year: Session) -> None:
    identifier = begun(year)
    screen(year, OWN)
    screen(year, OTHER)
    year.get_one(Award, label_id("T-A2", "P-A")).revoked_at = BEGINS
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    merged = projects(year)["P-A"]
    assert (merged.qualifies, merged.proposed_by) == (False, OWN)
    assert "only 1 of at least 2" in merged.why


@only_sqlite
def test_a_label_that_falls_after_the_answer_keeps_its_project_from_the_award(year: Session) -> None:
    identifier = begun(year)
    screen(year, OWN)
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    answered(year, awarding.ask(Turn(year, BEGINS, KEY), identifier), {"approve": ["all"]})
    year.get_one(Award, label_id("T-A2", "P-A")).revoked_at = BEGINS
    awarding.award(Turn(year, BEGINS, KEY), identifier)
    assert projects(year)["P-A"].awarded is None
    assert "only 1 of at least 2" in projects(year)["P-A"].why
    assert projects(year)["P-C"].awarded is Awarded.AWARDED


@only_sqlite
def test_who_won_for_the_same_project_before_gets_no_second_and_is_shown_all_the_same(year: Session) -> None:
    for teacher in ("T-A1", "T-A2"):
        year.add(
            Award(
                id=f"EQL-{teacher}", label="european", teacher=teacher, project="P-A", organisation=CENTRAL,
                awarded_on=date(2025, 10, 20),
            )
        )  # fmt: skip
    others = {"P-C": "No.", "P-D": "No."}
    identifier = awarded(year, {"approve": ["P-A"], "strike": others})
    assert year.get_one(Application, identifier).outcome is Outcome.AWARDED
    held = year.scalars(sa.select(Award.id).where(Award.label == "european"))
    assert sorted(held) == ["EQL-T-A1", "EQL-T-A2"]
    assert projects(year)["P-A"].awarded is Awarded.AWARDED
    shown = gallery(year, YEAR)
    assert (shown.projects, [country.country for country in shown.countries]) == (1, ["PL", "PT"])
