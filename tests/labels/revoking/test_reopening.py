"""Taking back what is decided: what hangs on it is shown, and then all of it is done or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed, NotFound
from labels.european_label import awarding
from labels.european_label.gallery import gallery
from labels.record import Record
from labels.record.schema import (
    Award,
    Awarded,
    Conflict,
    CyclePlace,
    CycleProject,
    Document,
    Journal,
    Mail,
    PupilClass,
    Screened,
    Staff,
)
from labels.revoking import reopening
from labels.revoking.reopening import Revoked, Struck
from labels.turn import Turn
from tests.support.european import (
    BEGINS,
    OTHER,
    OWN,
    YEAR,
    awarded,
    begun,
    label_id,
    nomination_of,
    populate_year,
    screen,
)
from tests.support.people import KEY

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
A1, A2 = label_id("T-A1", "P-A"), label_id("T-A2", "P-A")


@pytest.fixture
def year(record: Record) -> Iterator[Session]:
    """A session on the registry of a small year."""
    with record.writing() as session:
        populate_year(session)
        yield session


def everything(session: Session) -> list[object]:
    tables = (Award, CyclePlace, CycleProject, Journal, Mail)
    return [tuple(map(str, row)) for table in tables for row in session.execute(sa.select(table.__table__))]


def kinds(found: reopening.Consequences) -> list[str]:
    return [one.kind for one in found.found]


def european(session: Session, project: str, *, valid: bool = True) -> list[str | None]:
    return list(
        session.scalars(
            sa.select(Award.teacher)
            .where(
                Award.label == "european",
                Award.project == project,
                Award.revoked_at.is_(None) if valid else Award.revoked_at.is_not(None),
            )
            .order_by(Award.teacher)
        )
    )


@pytest.mark.slow
def test_a_revoked_label_takes_nomination_awards_certificates_and_gallery_with_it(year: Session) -> None:
    identifier = awarded(year)
    for award in year.scalars(sa.select(Award).where(Award.label == "european")):
        year.add(
            Document(
                application=identifier, kind="certificate", name=f"certificate-{award.id}.pdf",
                key="k", media_type="application/pdf", size=1, stored_at=BEGINS, award=award.id,
            )
        )  # fmt: skip
    year.flush()
    before = everything(year)
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Revoked(A1))
    assert everything(year) == before, "looking changes nothing"
    assert kinds(shown) == [
        "label", "nomination", "project", "award", "certificate", "award", "certificate", "gallery", "statistics",
    ]  # fmt: skip
    assert "only 1 of at least 2 labelled partners" in shown.found[2].what
    assert {one.project for country in gallery(year, YEAR).countries for one in country.projects} == {
        "P-A", "P-C", "P-D",
    }  # fmt: skip
    with pytest.raises(NotAllowed, match="Nothing was done"), year.begin_nested():
        reopening.reopen(Turn(year, BEGINS, KEY).acting("c@x.example"), Revoked(A1), "another", "Copied.")
    year.expire_all()
    assert everything(year) == before
    year.add(
        PupilClass(
            id="PQL-1", award=A1, number=1, teacher="T-A1", pupils=24, left_out=0, attempt=1, begun_at=BEGINS, made_at=BEGINS
        )
    )  # fmt: skip
    year.flush()
    with pytest.raises(NotAllowed, match="Nothing was done"), year.begin_nested():
        reopening.reopen(Turn(year, BEGINS, KEY).acting("c@x.example"), Revoked(A1), shown.plan, "Copied.")
    year.expire_all()
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Revoked(A1))
    assert "24 pupils’ certificates" in shown.found[1].what
    done = reopening.reopen(Turn(year, BEGINS, KEY).acting("c@x.example"), Revoked(A1), shown.plan, "Copied.")
    year.flush()
    assert (done.years, identifier in done.touched) == ([YEAR], True)
    assert european(year, "P-A") == []
    assert european(year, "P-A", valid=False) == ["T-A1", "T-A2"]
    assert year.get_one(CycleProject, (YEAR, "P-A")).awarded is Awarded.REVOKED
    assert year.get_one(CyclePlace, (YEAR, OWN, A1)).screened is Screened.STRUCK
    assert "P-A" not in {one.project for country in gallery(year, YEAR).countries for one in country.projects}
    told = year.scalars(sa.select(Mail).where(Mail.template == "label_revoked")).all()
    assert sorted(mail.to_address for mail in told) == [
        "t-a1@school.example", "t-a1@school.example", "t-a2@school.example",
    ]  # fmt: skip
    with pytest.raises(NotAllowed, match="revoked already"):
        reopening.consequences(Turn(year, BEGINS, KEY), Revoked(A1))


@only_sqlite
def test_where_enough_partners_are_left_only_the_teacher_loses_the_award(year: Session) -> None:
    from tests.support.european import add_label

    add_label(year, "T-B2", "P-A", 19, organisation=OTHER)
    awarded(year)
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Revoked(A2))
    assert kinds(shown) == ["label", "nomination", "award", "gallery", "statistics"]
    reopening.reopen(Turn(year, BEGINS, KEY).acting("c@x.example"), Revoked(A2), shown.plan, "Copied.")
    year.flush()
    assert european(year, "P-A") == ["T-A1", "T-B2"]
    assert year.get_one(CycleProject, (YEAR, "P-A")).proposed_by == OWN


@only_sqlite
def test_a_nomination_struck_too_late_costs_a_project_that_nobody_else_put_forward(year: Session) -> None:
    awarded(year)
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Struck(nomination_of(OWN), A1))
    assert kinds(shown) == ["nomination", "statistics"], "another organisation put it forward too"
    d = label_id("T-D1", "P-D")
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Struck(nomination_of(OWN), d))
    assert kinds(shown) == ["nomination", "project", "award", "award", "gallery", "statistics"]
    with pytest.raises(NotAllowed, match="was not put forward"):
        reopening.consequences(Turn(year, BEGINS, KEY), Struck(nomination_of(OWN), label_id("T-E1", "P-E")))
    with pytest.raises(NotFound):
        reopening.consequences(Turn(year, BEGINS, KEY), Struck("NOM-NO", d))


@only_sqlite
def test_before_the_award_a_project_simply_stops_qualifying(year: Session) -> None:
    identifier = begun(year)
    screen(year, OWN)
    screen(year, OTHER)
    awarding.merge_nominations(Turn(year, BEGINS, KEY), identifier)
    shown = reopening.consequences(Turn(year, BEGINS, KEY), Revoked(A2))
    assert kinds(shown) == ["label", "nomination", "project", "statistics"]
    reopening.reopen(Turn(year, BEGINS, KEY).acting("c@x.example"), Revoked(A2), shown.plan, "Copied.")
    assert not year.get_one(CycleProject, (YEAR, "P-A")).qualifies
    assert reopening.authority(year, Revoked(A2)) == nomination_of(OTHER)


@only_sqlite
def test_one_european_award_can_be_taken_back_alone_and_the_last_one_takes_its_project(year: Session) -> None:
    identifier = awarded(year)
    one, two = year.scalars(
        sa.select(Award).where(Award.label == "european", Award.project == "P-C").order_by(Award.teacher)
    )
    assert reopening.authority(year, Revoked(one.id)) == identifier
    for award, expected in (
        (one, ["award", "gallery", "statistics"]),
        (two, ["award", "gallery", "project", "statistics"]),
    ):
        shown = reopening.consequences(Turn(year, BEGINS, KEY), Revoked(award.id))
        assert kinds(shown) == expected
        reopening.reopen(
            Turn(year, BEGINS, KEY).acting("ada@css.example"), Revoked(award.id), shown.plan, "Wrong name."
        )
    assert year.get_one(CycleProject, (YEAR, "P-C")).awarded is Awarded.REVOKED


@only_sqlite
def test_who_has_a_conflict_of_interest_with_a_label_neither_revokes_nor_strikes_it(year: Session) -> None:
    awarded(year)
    person = year.scalars(sa.select(Staff.person).where(Staff.email == "coordinator@nss.example")).one()
    year.add(
        Conflict(
            person=person, kind="teacher", target="T-A1", reason="Cousins.", declared_by="x", declared_at=BEGINS
        )
    )  # fmt: skip
    year.flush()
    for subject in (Revoked(A1), Struck(nomination_of(OWN), A1)):
        plan = reopening.consequences(Turn(year, BEGINS, KEY), subject).plan
        turn = Turn(year, BEGINS, KEY).acting("coordinator@nss.example", person)
        with pytest.raises(NotAllowed, match=f"conflict of interest with {A1}: has a declared conflict"):
            reopening.reopen(turn, subject, plan, "A mistake.")
        assert reopening.consequences(Turn(year, BEGINS, KEY), subject).plan == plan
    other = Turn(year, BEGINS, KEY).acting("zofia@nss.example")
    assert reopening.reopen(other, Revoked(A1), reopening.consequences(other, Revoked(A1)).plan, "A mistake.")
