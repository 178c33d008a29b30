"""Signing in: what a person sees, and what nobody learns or keeps (I1 to I8 of the desk's design)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.record.journal import Event
from labels.record.schema import (
    DailyMail,
    Journal,
    KeptForm,
    Mail,
    Person,
    SignIn,
    SignInCode,
    Staff,
    Teacher,
)
from labels.sessions.signing_in import MAILS_AN_HOUR, TRIES
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words

COLLEAGUE = "ola@nss.example"
"""Who coordinates with the coordinator."""
Opens = Callable[..., Browser]


def at(browser: Browser, later: timedelta) -> Browser:
    """The same browser, so much later."""
    now = browser.here.now() + later
    here: Workspace = dataclasses.replace(browser.here, clock=lambda: now)
    there = Browser(here)
    there.client.cookies = browser.client.cookies
    return there


def test_a_teacher_signs_in_with_the_code_from_their_mail(browser: Opens) -> None:
    person = browser()
    assert person.opens("/account").headers["location"] == "/sign-in?then=%2Faccount"
    person.signs_in(TEACHER)
    account = person.opens("/account")
    assert account.status_code == 200
    assert "Zażółć Gęślą" in words(account)
    assert "t-1@school.example" in words(account)
    assert "Language English" in words(account)


def test_a_code_may_be_typed_in_small_letters_without_its_dash_and_misread(browser: Opens) -> None:
    person = browser()
    person.client.post("/sign-in", data={"address": f" {TEACHER.upper()} "})
    typed = person.code(TEACHER).lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert person.client.post("/sign-in/code", data={"code": typed}).headers["location"] == "/"
    assert person.opens("/account").status_code == 200


def test_i1_the_cookie_is_the_hosts_own_and_no_script_reads_it(browser: Opens) -> None:
    person = browser()
    person.client.post("/sign-in", data={"address": TEACHER})
    given = person.client.post("/sign-in/code", data={"code": person.code(TEACHER)})
    [cookie] = [one for one in given.headers.get_list("set-cookie") if one.startswith("session=")]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_i1_with_a_public_address_cookies_need_tls_and_bind_to_the_host(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = terminal.here.settings.model_copy(update={"public_url": "https://labels.example.eu"})
    person = Browser(dataclasses.replace(terminal.here, settings=settings))
    person.client.base_url = "https://labels.example.eu"
    person.client.post("/sign-in", data={"address": TEACHER})
    given = person.client.post("/sign-in/code", data={"code": person.code(TEACHER)})
    [cookie] = [one for one in given.headers.get_list("set-cookie") if one.startswith("__Host-session=")]
    assert "Secure" in cookie
    assert given.headers["strict-transport-security"].startswith("max-age=")


def test_i1_signing_in_gives_a_new_token_and_ends_the_former(browser: Opens) -> None:
    person = browser().signs_in(TEACHER)
    former = person.client.cookies["session"]
    person.signs_in(TEACHER)
    assert person.client.cookies["session"] != former
    thief = browser()
    thief.client.cookies.set("session", former)
    assert thief.opens("/account").status_code == 303


def test_i1_the_record_has_no_token_and_no_code(browser: Opens, terminal: Terminal) -> None:
    person = browser().signs_in(TEACHER)
    code, token = person.code(TEACHER), person.client.cookies["session"]
    with terminal.here.record.reading() as session:
        kept = repr(
            [list(map(tuple, session.execute(sa.select(one.__table__)))) for one in (SignIn, SignInCode)]
        )
        mails = repr(session.scalars(sa.select(Mail.context)).all())
    assert code not in kept + mails
    assert code.replace("-", "") not in kept + mails
    assert token not in kept + mails


@pytest.mark.parametrize(
    ("address", "lasts"), [(TEACHER, timedelta(hours=12)), (COORDINATOR, timedelta(hours=2))]
)
def test_i1_a_session_ends_when_it_was_idle_for_its_time(
    browser: Opens, address: str, lasts: timedelta
) -> None:
    person = browser().signs_in(address)
    assert at(person, lasts - timedelta(minutes=1)).opens("/account").status_code == 200
    person = browser().signs_in(address)
    assert at(person, lasts).opens("/account").headers["location"].startswith("/sign-in")


@pytest.mark.slow
def test_i1_no_session_lasts_longer_than_a_week(browser: Opens) -> None:
    person = browser().signs_in(TEACHER)
    for hours in range(11, 7 * 24, 11):
        assert at(person, timedelta(hours=hours)).opens("/account").status_code == 200
    assert at(person, timedelta(days=7)).opens("/account").status_code == 303


def test_i1_somebody_signs_out_and_everywhere(browser: Opens) -> None:
    one, other = browser().signs_in(TEACHER), browser().signs_in(TEACHER)
    token = one.client.cookies["session"]
    assert one.sends("/account").headers["location"] == "/sign-in"
    one.client.cookies.set("session", token)
    assert one.opens("/account").status_code == 303, "the token is dead, not only forgotten"
    assert other.opens("/account").status_code == 200
    third = browser().signs_in(TEACHER)
    third.sends("/account", {"everywhere": "1"})
    assert other.opens("/account").status_code == 303


def test_i2_a_form_from_elsewhere_does_nothing(browser: Opens) -> None:
    person = browser().signs_in(TEACHER)
    token = person.token("/account")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": ""},
    ):
        answer = person.client.post("/account", data={"form_token": token}, headers=headers)
        assert answer.status_code == 403, headers
    for wrong in ("", "0" * 40, token[:-1], "ż"):
        assert person.sends("/account", token=wrong).status_code == 403
    assert person.opens("/account").status_code == 200
    own = {"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:4280"}
    assert person.client.post("/account", data={"form_token": token}, headers=own).status_code == 303


def test_i2_a_forms_token_is_no_other_sessions(browser: Opens) -> None:
    mine, theirs = browser().signs_in(TEACHER), browser().signs_in(COORDINATOR)
    assert mine.sends("/account", token=theirs.token("/account")).status_code == 403


def test_i3_what_is_sent_after_the_session_ran_out_is_kept_and_leads_back(
    browser: Opens, terminal: Terminal
) -> None:
    person = browser().signs_in(TEACHER)
    token = person.token("/account")
    late = at(person, timedelta(hours=13))
    answer = late.sends("/account", {"answer": "three hours of typing"}, token=token)
    assert answer.headers["location"] == "/sign-in?then=%2Faccount&kept=1"
    assert "with all that you typed" in words(late.opens(answer.headers["location"]))
    with terminal.here.record.reading() as session:
        [kept] = session.scalars(sa.select(KeptForm))
        assert (kept.person, kept.page) == (session.get_one(Teacher, "T-1").person, "/account")
        assert kept.fields == {"answer": "three hours of typing"}


def test_i3_nothing_is_kept_for_whoever_was_signed_out_or_comes_from_elsewhere(
    browser: Opens, terminal: Terminal
) -> None:
    person = browser().signs_in(TEACHER)
    token, cookie = person.token("/account"), person.client.cookies["session"]
    at(person, timedelta(hours=13)).sends("/account", {"answer": "x"}, token="0" * 40)
    person.sends("/account")
    person.client.cookies.set("session", cookie)
    person.sends("/account", {"answer": "x"}, token=token)
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(KeptForm)).all() == []


def test_i4_an_unknown_address_is_answered_alike_from_the_first_byte_to_the_last_try(browser: Opens) -> None:
    def story(address: str) -> list[object]:
        person = browser()
        said: list[object] = []
        asked = person.client.post("/sign-in", data={"address": address})
        said.append((asked.status_code, asked.headers["location"], asked.content))
        said.append(person.opens("/sign-in/code").text.replace(address, "SOMEBODY"))
        for _ in range(TRIES + 1):
            wrong = person.client.post("/sign-in/code", data={"code": "0000-0000"})
            said.append((wrong.status_code, wrong.text.replace(address, "SOMEBODY")))
        return said

    assert story(TEACHER) == story("nobody@nowhere.example")


def test_i4_five_mails_an_hour_go_to_an_address_and_no_code_beyond_works(
    browser: Opens, terminal: Terminal
) -> None:
    person = browser()
    for _ in range(MAILS_AN_HOUR + 3):
        assert person.client.post("/sign-in", data={"address": TEACHER}).status_code == 303
    with terminal.here.record.reading() as session:
        mails = session.scalars(sa.select(Mail).where(Mail.template == "sign_in")).all()
        assert len(mails) == MAILS_AN_HOUR
    later = at(person, timedelta(hours=1, minutes=1))
    later.client.post("/sign-in", data={"address": TEACHER})
    with terminal.here.record.reading() as session:
        assert (
            len(session.scalars(sa.select(Mail).where(Mail.template == "sign_in")).all()) == MAILS_AN_HOUR + 1
        )


@pytest.mark.slow
def test_nobody_makes_anothers_code_void_by_asking_and_by_trying(browser: Opens) -> None:
    person, stranger = browser(), browser()
    person.client.post("/sign-in", data={"address": TEACHER})
    code = person.code(TEACHER)
    for _ in range(MAILS_AN_HOUR + 1):
        stranger.client.post("/sign-in", data={"address": TEACHER})
        for _ in range(TRIES + 1):
            stranger.client.post("/sign-in/code", data={"code": "0000-0000"})
    assert person.client.post("/sign-in/code", data={"code": code}).status_code == 303


@pytest.mark.slow
def test_an_address_in_two_ways_of_writing_gets_five_mails_in_all(browser: Opens, terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        one = session.get_one(Teacher, "T-1")
        one.email = session.get_one(Person, one.person).address = "ada@bücher.example"
    for address in ("ada@bücher.example", "Ada@BÜCHER.example", "ada@xn--bcher-kva.example") * 3:
        assert browser().client.post("/sign-in", data={"address": address}).status_code == 303
    with terminal.here.record.reading() as session:
        assert len(session.scalars(sa.select(Mail).where(Mail.template == "sign_in")).all()) == MAILS_AN_HOUR


@pytest.mark.parametrize("typed", ["9R6E-BDRK-CX", "", "KS81", "sign me in, please"])
def test_the_code_of_another_mail_is_told_from_one_to_sign_in_and_spends_no_try(
    browser: Opens, typed: str
) -> None:
    person = browser()
    person.client.post("/sign-in", data={"address": TEACHER})
    for _ in range(TRIES + 1):
        page = person.client.post("/sign-in/code", data={"code": typed})
        assert page.status_code == 422
        assert "Codes in other mails are for something else." in words(page)
    given = person.client.post("/sign-in/code", data={"code": f" {person.code(TEACHER).lower()} "})
    assert given.status_code == 303


def test_a_code_counts_once_in_its_browser_for_ten_minutes_and_five_tries(browser: Opens) -> None:
    person, other = browser(), browser()
    person.client.post("/sign-in", data={"address": TEACHER})
    code = person.code(TEACHER)
    assert other.client.post("/sign-in/code", data={"code": code}).status_code == 422, "another browser"
    assert (
        at(person, timedelta(minutes=10)).client.post("/sign-in/code", data={"code": code}).status_code == 422
    )
    wrong = person.client.post("/sign-in/code", data={"code": "0000-0000"})
    assert "You have 4 more tries." in words(wrong)
    cookies = dict(person.client.cookies)
    assert person.client.post("/sign-in/code", data={"code": code}).status_code == 303
    person.client.cookies.update(cookies)
    assert person.client.post("/sign-in/code", data={"code": code}).status_code == 422, "twice"
    guesser = browser()
    guesser.client.post("/sign-in", data={"address": TEACHER})
    for _ in range(TRIES):
        guesser.client.post("/sign-in/code", data={"code": "0000-0000"})
    assert guesser.client.post("/sign-in/code", data={"code": guesser.code(TEACHER)}).status_code == 422


def test_i6_whoever_is_taken_off_the_staff_is_refused_at_the_next_request(
    browser: Opens, terminal: Terminal
) -> None:
    person = browser().signs_in(COORDINATOR)
    with terminal.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == COORDINATOR))
    assert person.opens("/account").headers["location"].startswith("/sign-in")


def test_i1_a_change_of_roles_brings_a_new_token(browser: Opens, terminal: Terminal) -> None:
    person = browser().signs_in(COORDINATOR)
    former = person.client.cookies["session"]
    with terminal.here.record.writing() as session:
        one = session.get_one(Staff, (COORDINATOR, "coordinator"))
        session.add(
            Staff(
                email=COORDINATOR,
                role="reviewer",
                name=one.name,
                organisation=one.organisation,
                language="pl",
            )
        )
    assert person.opens("/account").status_code == 200
    assert person.client.cookies["session"] != former
    assert person.opens("/account").status_code == 200
    person.client.cookies.set("session", former)
    assert person.opens("/account").status_code == 303


def test_what_is_no_address_is_said_at_the_field(browser: Opens) -> None:
    for typed in ("", "me", "a@", "@b", "two people@x.example, other@x.example"):
        answer = browser().client.post("/sign-in", data={"address": typed})
        assert answer.status_code == 422
        assert 'href="#address"' in answer.text


@pytest.mark.slow
@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
)
def test_signing_in_leads_nowhere_else(browser: Opens, then: str) -> None:
    person = browser()
    asked = person.client.post("/sign-in", data={"address": TEACHER, "then": then})
    assert asked.headers["location"] == "/sign-in/code?then=%2F"
    given = person.client.post("/sign-in/code", data={"code": person.code(TEACHER), "then": then})
    assert given.headers["location"] == "/"


def test_i5_two_people_with_one_mailbox_are_shown_and_nobody_is_guessed(
    browser: Opens, terminal: Terminal
) -> None:
    shared = "kadra@school.example"
    with terminal.here.record.writing() as session:
        for teacher in ("T-1", "T-3"):
            one = session.get_one(Teacher, teacher)
            one.email = shared
            session.get_one(Person, one.person).address = shared
    person = browser().signs_in(shared)
    assert person.opens("/projects").headers["location"] == "/who?then=%2Fprojects"
    page = person.opens("/who?then=/projects")
    assert "Zażółć Gęślą" in words(page)
    assert "Łucja Źdźbło" in words(page)
    assert person.sends("/who", {"person": "PER-SOMEBODY"}, page="/who").status_code == 200
    with terminal.here.record.reading() as session:
        chosen = session.get_one(Teacher, "T-3").person
    assert (
        person.sends("/who", {"person": chosen, "then": "/projects"}, page="/who").headers["location"]
        == "/projects"
    )
    assert "Łucja Źdźbło" in person.opens("/projects").text
    assert "Zażółć" not in person.opens("/account").text


def test_i5_who_has_nothing_to_do_here_any_more_is_not_offered_to_be_chosen(
    browser: Opens, terminal: Terminal
) -> None:
    """A former colleague at the same mailbox: choosing them led to the same question again."""
    terminal.shared_mailbox()
    person = browser().signs_in(COORDINATOR)
    page = person.opens("/who?then=/account")
    assert "Krystyna" in words(page)
    assert "Jan Kos" not in words(page)
    assert person.sends("/who", {"person": "PER-2", "then": "/account"}, page="/who").status_code == 200
    with terminal.here.record.reading() as session:
        coordinates = session.scalars(sa.select(Staff.person).where(Staff.role == "coordinator")).one()
    chosen = person.sends("/who", {"person": coordinates, "then": "/account"}, page="/who")
    assert chosen.headers["location"] == "/account"
    assert "Krystyna" in words(person.opens("/account"))


def test_i5_a_session_is_its_persons_and_passes_to_nobody_who_has_the_mailbox_next(
    browser: Opens, terminal: Terminal
) -> None:
    person = browser().signs_in(TEACHER)
    with terminal.here.record.writing() as session:
        first, next_one = (
            session.get_one(Person, session.get_one(Teacher, one).person) for one in ("T-1", "T-3")
        )
        first.address, next_one.address = "moved@school.example", TEACHER
    assert person.opens("/projects").headers["location"].startswith("/sign-in")


def test_i7_a_code_is_printed_on_the_machine_journalled_and_told_to_all_coordinators(
    browser: Opens, terminal: Terminal
) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Staff(email=COLLEAGUE, role="coordinator", name="Ola", organisation="NSS-PL", language="pl")
        )
    made = terminal.json("break-glass", COORDINATOR)
    person = browser()
    person.client.post("/sign-in", data={"address": COORDINATOR})
    assert person.client.post("/sign-in/code", data={"code": made["code"]}).status_code == 303
    with terminal.here.record.reading() as session:
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.BROKE_GLASS)).all()
        assert entry.details["address"] == COORDINATOR
        told = session.scalars(sa.select(Mail.to_address).where(Mail.template == "glass_broken")).all()
        assert sorted(told) == sorted([COORDINATOR, COLLEAGUE])
        assert session.scalars(sa.select(SignIn.how)).all() == ["break-glass code"]
    other = browser()
    other.client.post("/sign-in", data={"address": COORDINATOR})
    assert other.client.post("/sign-in/code", data={"code": made["code"]}).status_code == 422, "it works once"
    late = terminal.json("break-glass", COORDINATOR)
    third = browser()
    third.client.post("/sign-in", data={"address": COORDINATOR})
    over = at(third, timedelta(minutes=10)).client.post("/sign-in/code", data={"code": late["code"]})
    assert over.status_code == 422
    assert "Nobody in the registry" in terminal.fails(4, "break-glass", "nobody@nowhere.example")


def test_somebody_of_a_staff_chooses_how_often_mail_comes_and_a_teacher_is_not_asked(browser: Opens) -> None:
    coordinator = browser()
    coordinator.signs_in(COORDINATOR)
    assert 'value="now" checked' in coordinator.opens("/account").text
    coordinator.sends("/account/mail", {"mail": "daily"})
    assert 'value="daily" checked' in coordinator.opens("/account").text
    with coordinator.here.record.reading() as session:
        assert session.scalar(sa.select(DailyMail.person))
    coordinator.sends("/account/mail", {"mail": "now"})
    assert 'value="now" checked' in coordinator.opens("/account").text
    teacher = browser()
    teacher.signs_in(TEACHER)
    assert "How often" not in words(teacher.opens("/account"))
    assert teacher.sends("/account/mail", {"mail": "daily"}).status_code == 404
