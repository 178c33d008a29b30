"""A school's own people at the desk: may it apply and why, who is invited, its place in the process, its papers (A15)."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.schema import (
    Application,
    Award,
    Document,
    Journal,
    Mail,
    Person,
    School,
    SchoolOutcome,
    SchoolRound,
    StepKind,
    Teacher,
)
from labels.settings import Settings
from labels.turn import Door
from tests.desk.conftest import Browser, words
from tests.desk.school_scene import FIRST, OUTSIDER, PRINCIPAL, SECOND, SchoolDesk
from tests.desk.test_signing_in import at

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(record: Record, settings: Settings) -> SchoolDesk:
    return SchoolDesk(record, settings)


@pytest.mark.slow
def test_a15_a_school_sees_its_eligibility_with_the_reasons_before_and_after_the_check(
    desk: SchoolDesk,
) -> None:
    page = words(desk.person(FIRST).opens("/schools/S-1"))
    after, _, today = page.partition("As things stand today")
    assert "What the round of 2026 found, by the registry of 16 March 2026" in after
    for told in (after, today):
        assert "Registered on 1 January 2015, before 16 March 2024." in told
        assert "teachers were active between" in told
        assert "received a National Quality Label on 10 March 2026." in told
    assert "Its teachers were invited." in after
    other = words(desk.person(OUTSIDER).opens("/schools/S-2"))
    assert "not met" in other
    assert "One teacher was active between" in other


def test_a15_before_any_check_a_school_sees_how_it_stands_today_and_when_the_next_round_begins(
    desk: SchoolDesk,
) -> None:
    with desk.school.record.writing() as session:
        session.execute(sa.delete(SchoolOutcome))
        session.execute(sa.update(SchoolRound).values(checked_at=None))
    page = words(desk.person(OUTSIDER).opens("/schools/S-2"))
    assert "What the round of" not in page
    assert "not all conditions met" in page
    assert re.search(r"The next round begins on \d+ \w+ 202\d\.", page)


@pytest.mark.slow
def test_a15_an_invitation_is_sent_again_to_oneself_or_to_a_colleague(desk: SchoolDesk) -> None:
    first, second = desk.school.open(StepKind.SELF_ASSESSMENT)
    before = desk.school.mails()
    teacher = desk.person(FIRST)
    answer = teacher.sends("/schools/S-1", {"again": first.id})
    assert (answer.status_code, answer.headers["location"]) == (303, "/schools/S-1?again=1")
    assert at(teacher, timedelta(minutes=1)).sends("/schools/S-1", {"again": second.id}).status_code == 303
    more = desk.school.mails() - before
    assert more == {("school_invited", FIRST): 1, ("school_invited", SECOND): 1}
    with desk.school.record.reading() as session:
        mails = session.scalars(
            sa.select(Mail).where(Mail.template == "school_invited", Mail.step == first.id)
        ).all()
        assert len({one.reason for one in mails}) == len(mails) == 2
        entries = session.scalars(sa.select(Journal).where(Journal.what == "asked for a code")).all()
    assert {one.details["door"] for one in entries} == {Door.DESK.value}


@pytest.mark.slow
def test_a15_an_invitation_is_sent_again_five_times_an_hour_at_most(desk: SchoolDesk) -> None:
    teacher = desk.person(FIRST)
    for minute in range(5):
        sent = at(teacher, timedelta(minutes=minute)).sends("/schools/S-1", {"again": desk.step})
        assert sent.status_code == 303
    refused = at(teacher, timedelta(minutes=6)).sends("/schools/S-1", {"again": desk.step})
    assert refused.status_code == 409
    assert "5 times within an hour" in words(refused)


@pytest.mark.slow
def test_the_place_in_the_process_the_deadline_and_whose_turn_it_is_are_told_at_each_stage(
    desk: SchoolDesk,
) -> None:
    teacher = desk.person(FIRST)
    page = words(teacher.opens("/schools/S-1"))
    assert "one of them hands in for the school" in page
    assert "Hand in by" in page
    desk.school.hand_in()
    page = words(teacher.opens("/schools/S-1"))
    assert "Zażółć Gęślą handed in; the principal confirms it. It is the principal’s turn." in page
    assert "Confirm by" in page
    desk.school.declare()
    page = words(teacher.opens("/schools/S-1"))
    assert "It is the turn of the reviewers." in page
    assert "You have the decision by" in page


@pytest.mark.slow
def test_letters_are_saved_by_the_schools_own_people_alone(desk: SchoolDesk) -> None:
    key = desk.here.documents.put(b"%PDF-1.7 letter", "application/pdf")
    with desk.school.record.writing() as session:
        session.add(
            Document(
                application=desk.school.id, kind="invitation", name="invitation.pdf", key=key,
                media_type="application/pdf", size=15, stored_at=desk.school.now,
            )
        )  # fmt: skip
    teacher, principal = desk.person(FIRST), desk.person(PRINCIPAL)
    [href] = re.findall(r'href="(/schools/S-1/documents/\d+)"', teacher.opens("/schools/S-1").text)
    for person in (teacher, principal):
        saved = person.opens(href)
        assert (saved.status_code, saved.content) == (200, b"%PDF-1.7 letter")
        assert saved.headers["content-disposition"].startswith("attachment")
        assert saved.headers["cache-control"] == "no-store"
    assert desk.person(OUTSIDER).opens(href).status_code == 404


@pytest.mark.slow
def test_a_principal_finds_their_school_before_anything_is_asked_of_them(desk: SchoolDesk) -> None:
    principal = desk.person(PRINCIPAL)
    home = principal.opens("/")
    assert home.status_code in (200, 303)
    page = principal.opens("/schools")
    assert "My schools" in words(page), "the small registry's principal leads three"
    assert "Who is invited" in words(principal.opens("/schools/S-1"))
    desk.school.hand_in()
    assert "read it and confirm it" in words(principal.opens("/schools/S-1"))


def without_the_moment(page: str) -> str:
    """A page without what differs between two requests of one person."""
    return re.sub(
        r'name="form_token" value="[^"]*"|<time.*?</time>|(?<=back=)[^"]*|/schools[^"]*|/self-assess[^"]*',
        "",
        page,
    )


@pytest.mark.slow
def test_another_schools_anything_is_answered_like_nothing_with_the_same_bytes(desk: SchoolDesk) -> None:
    key = desk.here.documents.put(b"%PDF-1.7 letter", "application/pdf")
    with desk.school.record.writing() as session:
        session.add(
            Document(
                application=desk.school.id, kind="letter", name="l.pdf", key=key, media_type="application/pdf",
                size=15, stored_at=desk.school.now,
            )
        )  # fmt: skip
        session.flush()
        number = session.scalar(sa.select(Document.id).where(Document.name == "l.pdf"))
    stranger = desk.person(OUTSIDER)
    there = {
        "/schools/S-1": "/schools/S-0",
        f"/schools/S-1/documents/{number}": f"/schools/S-1/documents/{99999}",
        f"/schools/S-2/documents/{number}": "/schools/S-2/documents/99999",
        desk.form: "/self-assessment/SL-NOTHERE",
        f"{desk.form}/check": "/self-assessment/SL-NOTHERE/check",
        f"{desk.form}/declaration": "/self-assessment/SL-NOTHERE/declaration",
        f"{desk.form}/confirm": "/self-assessment/SL-NOTHERE/confirm",
    }
    for another, nothing in there.items():
        one, none = stranger.opens(another), stranger.opens(nothing)
        assert (one.status_code, none.status_code) == (404, 404), another
        assert without_the_moment(one.text) == without_the_moment(none.text), another
    for path in ("/schools/S-1", desk.form, f"{desk.form}/check", f"{desk.form}/confirm"):
        assert stranger.sends(path, {"again": desk.step, "true": "1", "number": "0"}).status_code == 404, path


@pytest.mark.slow
def test_forms_from_elsewhere_or_without_their_token_do_nothing(desk: SchoolDesk) -> None:
    teacher = desk.person(FIRST)
    before = desk.school.mails()
    fields = {"again": desk.step}
    assert teacher.sends("/schools/S-1", fields, token="forged").status_code == 403
    elsewhere = teacher.client.post(
        "/schools/S-1", data=fields | {"form_token": teacher.token("/account")},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert elsewhere.status_code == 403
    assert teacher.sends("/schools/S-1", {"again": "STEP-NOTHERE"}).status_code == 404
    assert desk.school.mails() == before


def test_whoever_left_the_school_finds_nothing_of_it_any_more(desk: SchoolDesk) -> None:
    teacher = desk.person(SECOND)
    assert teacher.opens("/schools/S-1").status_code == 200
    with desk.school.record.writing() as session:
        row = session.get_one(Teacher, "T-3")
        row.school = "S-2"
    assert teacher.opens("/schools/S-1").status_code == 404


@pytest.mark.slow
def test_a_school_that_has_no_application_and_one_with_a_label_have_a_page(desk: SchoolDesk) -> None:
    desk.school.hand_in()
    desk.school.declare()
    desk.school.review(5)
    from labels.school_label import deciding

    desk.school.do(deciding.decide, desk.school.id)
    page = words(desk.person(FIRST).opens("/schools/S-1"))
    assert "Labels of the school" in page
    assert "Valid until" in page
    assert date(2026, 3, 17)
    with desk.school.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(School)) == 3
        assert session.scalar(sa.select(sa.func.count()).select_from(Application)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(Person))
    page = words(desk.person(OUTSIDER).opens("/schools/S-2"))
    assert "None yet." in page


def test_a_label_that_begins_when_another_ends_is_neither_valid_yet_nor_over(desk: SchoolDesk) -> None:
    with desk.school.record.writing() as session:
        for name, begins, ends in (
            ("NOW", date(2024, 5, 2), date(2026, 5, 1)),
            ("NEXT", date(2026, 5, 2), date(2028, 5, 1)),
        ):
            session.add(
                Award(
                    id=f"SCH-{name}",
                    label="school",
                    teacher=None,
                    project=None,
                    school="S-1",
                    organisation="NSS-PL",
                    awarded_on=begins - timedelta(days=60),
                    score=None,
                    valid_from=begins,
                    valid_until=ends,
                    revoked_at=None,
                )
            )
    page = words(desk.person(FIRST).opens("/schools/S-1"))
    shown = page.partition("Labels of the school")[2].partition("What else you can do")[0]
    assert "Valid until 1 May 2028" in shown
    assert shown.split().count("valid") == 1
    assert "over" not in shown.split()


def browser_of(desk: SchoolDesk, language: str) -> Browser:
    return Browser(desk.here, language=language)
