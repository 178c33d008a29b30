"""Passkeys besides the code: for whom they are needed from which day on, how one comes to have one, and what if it is lost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from adapters.workspace import Workspace
from cli.services import services
from desk.gate import signed_in_gate
from labels.errors import InvalidInput
from labels.record.journal import Event
from labels.record.schema import Journal, Mail, Passkey, Person, SignIn, Staff
from labels.sessions import session as sessions
from labels.sessions.accounts import Account
from labels.sessions.second import policy_of
from labels.settings import Settings, load_settings
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.desk.test_passkeys import DEVICE, ORIGIN, REVIEWER, before
from tests.support.authenticator import Device, Key, b64
from tests.support.people import NOW, TODAY
from usecases import signing_in

SECOND = "/sign-in/second"
Opens = Callable[[], Browser]


def set_up(terminal: Terminal, passkeys: str, **more: Any) -> Workspace:
    settings = terminal.here.settings.model_copy(
        update={"public_url": ORIGIN, "passkeys": passkeys, "operators": COORDINATOR, **more}
    )
    return dataclasses.replace(terminal.here, settings=settings)


@pytest.fixture
def opens(terminal: Terminal) -> Opens:
    """Opens a browser before a desk whose coordinators need a passkey, and whose reviewers may have one."""
    here = set_up(terminal, f"coordinators={TODAY}")
    return lambda: before(here)


def later(browser: Browser, **more: float) -> Browser:
    """The same browser, so much later."""
    now = browser.here.now() + timedelta(**more)
    there = before(dataclasses.replace(browser.here, clock=lambda: now))
    there.client.cookies = browser.client.cookies
    return there


def asked(person: Browser, path: str) -> dict[str, Any]:
    answer = person.client.post(path)
    assert answer.status_code == 200, words(answer)
    found: dict[str, Any] = json.loads(answer.text)
    return found


def adds_first(person: Browser, device: Device = DEVICE, then: str = "/account") -> Key:
    """The first passkey of somebody whose code was right."""
    key, made = device.makes(asked(person, f"{SECOND}/add/challenge"))
    answer = person.client.post(f"{SECOND}/add", data={"passkey": made, "name": "Laptop", "then": then})
    assert (answer.status_code, answer.headers.get("location")) == (303, then), words(answer)
    return key


def uses(person: Browser, key: Key, device: Device = DEVICE, then: str = "/account") -> Any:
    signed = device.signs(asked(person, f"{SECOND}/challenge"), key)
    return person.client.post(SECOND, data={"passkey": signed, "then": then})


def is_in(person: Browser) -> bool:
    return bool(person.opens("/account").status_code == 200)


def ways(person: Browser) -> list[str]:
    """By which means people signed in, the sessions that are open."""
    with person.here.record.reading() as session:
        found = sa.select(SignIn.how).where(SignIn.ended_at.is_(None)).order_by(SignIn.how)
        return list(session.scalars(found))


def printed_code(person: Browser, address: str = COORDINATOR) -> None:
    """Signs in with a code that was printed on the machine."""
    code, _ = signing_in.break_glass(person.here, address)
    person.client.post("/sign-in", data={"address": address})
    answer = person.client.post("/sign-in/code", data={"code": code})
    assert answer.status_code == 303, words(answer)


def test_a_code_alone_does_not_let_a_coordinator_in(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    for path in ("/account", "/overview", "/cases"):
        led = person.opens(path)
        assert (led.status_code, led.headers["location"].partition("?")[0]) == (303, SECOND), path
    assert person.opens("/sign-in").headers["location"].startswith(SECOND)
    assert person.client.post("/account/mail", data={"mail": "daily"}).headers["location"].startswith(SECOND)
    page = person.opens(f"{SECOND}?then=/account")
    assert "you have none yet: add one on this device now" in words(page)
    assert COORDINATOR not in page.text, "a page that a code alone opens says nothing of anybody"


def test_the_first_passkey_is_added_after_the_code_and_lets_in(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    former = person.client.cookies["__Host-session"]
    adds_first(person)
    assert person.client.cookies["__Host-session"] != former, "a new token with the new right"
    assert is_in(person)
    assert ways(person) == ["mail code and passkey"]
    with person.here.record.reading() as session:
        [mail] = session.scalars(sa.select(Mail).where(Mail.template == "passkey_changed"))
        assert mail.to_address == COORDINATOR
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.ADDED_A_PASSKEY))
        assert entry.details["known_by"] == "mail code"
    thief = opens()
    thief.client.cookies.set("__Host-session", former)
    assert not is_in(thief), "the token from before is nobody's"


def test_code_and_passkey_let_in_together_and_the_journal_says_so(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person = opens().signs_in(COORDINATOR)
    assert not is_in(person)
    assert "your passkey is needed too" in words(person.opens(SECOND))
    answer = uses(person, key, then="/overview")
    assert (answer.status_code, answer.headers["location"]) == (303, "/overview")
    assert is_in(person)
    _, made = DEVICE.makes(json.loads(person.sends("/account/passkeys/challenge").text))
    person.sends("/account/passkeys", {"passkey": made, "name": "Phone"})
    with person.here.record.reading() as session:
        entries = session.scalars(
            sa.select(Journal).where(Journal.what == Event.ADDED_A_PASSKEY).order_by(Journal.id)
        )
        assert [one.details["known_by"] for one in entries] == ["mail code", "mail code and passkey"]


def test_a_passkey_alone_lets_in_for_the_device_knew_its_owner(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person = opens()
    signed = DEVICE.signs(asked(person, "/sign-in/passkey/challenge"), key)
    assert person.client.post("/sign-in/passkey", data={"passkey": signed}).status_code == 303
    assert is_in(person)


def test_an_account_at_a_provider_does_not_do_alone_either(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person = opens()
    with person.here.record.writing() as session:
        token = sessions.begin(person.here.turn(session), COORDINATOR, "oidc https://login.example")
    assert token
    person.client.cookies.set("__Host-session", token, domain="labels.example.eu", path="/")
    assert not is_in(person)
    assert uses(person, key).status_code == 303
    assert is_in(person)
    assert "oidc https://login.example and passkey" in ways(person)


def test_whoever_has_a_passkey_adds_no_other_with_a_code_alone(opens: Opens) -> None:
    adds_first(opens().signs_in(COORDINATOR))
    thief = opens().signs_in(COORDINATOR)
    _, made = DEVICE.makes(asked(thief, f"{SECOND}/add/challenge"))
    assert thief.client.post(f"{SECOND}/add", data={"passkey": made}).status_code == 422
    _, made = DEVICE.makes(asked(thief, f"{SECOND}/add/challenge"))
    for path in ("/account/passkeys", "/account/passkeys/remove"):
        assert thief.client.post(path, data={"passkey": made}).headers["location"].startswith(SECOND)
    assert not is_in(thief)
    with thief.here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Passkey)) == 1


def test_another_persons_passkey_does_not_do(opens: Opens) -> None:
    adds_first(opens().signs_in(COORDINATOR))
    reviewer = opens().signs_in(REVIEWER)
    key, made = DEVICE.makes(json.loads(reviewer.sends("/account/passkeys/challenge").text))
    assert reviewer.sends("/account/passkeys", {"passkey": made}).status_code == 303
    person = opens().signs_in(COORDINATOR)
    answer = uses(person, key)
    assert answer.status_code == 422
    assert "This passkey was not accepted" in words(answer)
    assert not is_in(person)


@pytest.mark.parametrize(
    "device",
    [DEVICE.but(origin="https://evil.example"), DEVICE.but(framed=True), DEVICE.but(flags=0x01)],
    ids=["another site", "within a frame", "nobody verified"],
)
def test_what_does_not_hold_is_refused(opens: Opens, device: Device) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person = opens().signs_in(COORDINATOR)
    assert uses(person, key, device).status_code == 422
    assert not is_in(person)


def test_an_answer_is_its_sessions_and_counts_once(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person, other = opens().signs_in(COORDINATOR), opens().signs_in(COORDINATOR)
    signed = DEVICE.signs(asked(person, f"{SECOND}/challenge"), key)
    other.client.cookies.set("__Host-passkey", person.client.cookies["__Host-passkey"])
    assert other.client.post(SECOND, data={"passkey": signed}).status_code == 422
    assert person.client.post(SECOND, data={"passkey": signed}).status_code == 422, "it was spent with that"
    assert uses(person, key).status_code == 303
    signing_in_challenge = DEVICE.signs(asked(other, "/sign-in/passkey/challenge"), key)
    assert other.client.post(SECOND, data={"passkey": signing_in_challenge}).status_code == 422


def test_a_device_that_leaves_out_whose_it_is_is_taken_after_the_code(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    person = opens().signs_in(COORDINATOR)
    assert uses(person, dataclasses.replace(key, handle=b"")).status_code == 303


def test_a_form_from_elsewhere_begins_nothing(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    for path in (f"{SECOND}/challenge", SECOND, f"{SECOND}/add", f"{SECOND}/add/challenge"):
        assert person.client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert opens().client.post(path).status_code == 404, "nobody's code was right here"


@pytest.mark.slow
def test_a_copied_passkey_is_blocked_and_a_printed_code_lets_its_owner_in(opens: Opens) -> None:
    key = adds_first(opens().signs_in(COORDINATOR))
    stolen = dataclasses.replace(key)
    assert uses(opens().signs_in(COORDINATOR), key).status_code == 303
    assert uses(opens().signs_in(COORDINATOR), key).status_code == 303
    thief = opens().signs_in(COORDINATOR)
    assert uses(thief, stolen).status_code == 422
    person = opens().signs_in(COORDINATOR)
    page = words(person.opens(SECOND))
    assert "there is none here that you could use" in page
    assert "a code that is printed there" in page
    assert person.client.post(f"{SECOND}/add", data={"passkey": "{}"}).status_code == 422
    printed_code(person)
    assert is_in(person)
    assert "break-glass code" in ways(person)


@pytest.mark.slow
def test_who_lost_theirs_signs_in_with_a_printed_code_and_adds_another(opens: Opens) -> None:
    lost = adds_first(opens().signs_in(COORDINATOR))
    person = opens()
    printed_code(person)
    gone = person.sends("/account/passkeys/remove", {"remove": b64(lost.id)})
    assert gone.status_code == 422
    assert "add another one before you remove this one" in words(gone)
    key, made = DEVICE.makes(json.loads(person.sends("/account/passkeys/challenge").text))
    assert person.sends("/account/passkeys", {"passkey": made, "name": "New"}).status_code == 303
    assert person.sends("/account/passkeys/remove", {"remove": b64(lost.id)}).status_code == 303
    assert uses(opens().signs_in(COORDINATOR), key).status_code == 303
    with person.here.record.reading() as session:
        told = session.scalars(sa.select(Mail.to_address).where(Mail.template == "glass_broken")).all()
        assert COORDINATOR in told, "all coordinators know that a code was printed"


def test_those_of_whom_none_is_needed_sign_in_as_before(opens: Opens) -> None:
    for one in (REVIEWER, TEACHER):
        assert is_in(opens().signs_in(one))


def test_it_is_needed_from_its_day_on_and_told_of_a_month_before(terminal: Terminal) -> None:
    day = TODAY + timedelta(days=20)
    here = set_up(terminal, f"coordinators={day}")
    person = before(here)
    asked_for = person.client.post("/sign-in", data={"address": COORDINATOR})
    assert asked_for.status_code == 303
    led = person.client.post("/sign-in/code", data={"code": person.code(COORDINATOR), "then": "/overview"})
    assert led.headers["location"] == "/sign-in/second?then=%2Foverview"
    page = person.opens(led.headers["location"])
    assert "you need a passkey besides the code to sign in" in words(page)
    assert 'href="/overview"' in page.text, "it can wait"
    assert is_in(person)
    assert "you need one besides the code" in words(person.opens("/account"))
    assert is_in(later(person, hours=1))

    far = before(set_up(terminal, f"coordinators={TODAY + timedelta(days=90)}"))
    far.client.post("/sign-in", data={"address": COORDINATOR})
    led = far.client.post("/sign-in/code", data={"code": far.code(COORDINATOR), "then": "/overview"})
    assert led.headers["location"] == "/overview", "nobody is stopped for what is far away"


def test_a_session_from_before_the_day_needs_it_at_the_next_request_and_loses_nothing(
    terminal: Terminal,
) -> None:
    person = before(set_up(terminal, "")).signs_in(COORDINATOR)
    token = person.token("/account")
    assert is_in(person)
    strict = before(set_up(terminal, f"coordinators={TODAY}"))
    strict.client.cookies = person.client.cookies
    sent = strict.client.post("/cases/NQL-1/reviews", data={"form_token": token, "reason-1": "Long words."})
    assert sent.headers["location"] == "/sign-in/second?then=%2Fcases%2FNQL-1%2Freviews&kept=1"
    assert "What you have just sent is kept" in words(strict.opens(sent.headers["location"]))
    adds_first(strict, then="/cases/NQL-1/reviews")
    with strict.here.record.reading() as session:
        kept = session.execute(sa.text("SELECT page, fields FROM kept_form")).one()
    assert kept.page == "/cases/NQL-1/reviews"
    assert "Long words." in str(kept.fields)


def test_a_code_that_was_typed_in_long_ago_adds_none(opens: Opens) -> None:
    person = later(opens().signs_in(COORDINATOR), minutes=16)
    page = person.opens(SECOND)
    assert "within the last quarter of an hour" in words(page)
    _, made = DEVICE.makes(asked(person, f"{SECOND}/add/challenge"))
    assert person.client.post(f"{SECOND}/add", data={"passkey": made}).status_code == 422


def test_the_gate_lets_nobody_in_with_a_code_alone(terminal: Terminal) -> None:
    here = set_up(terminal, f"operators={TODAY}", site_url="https://labels.example.eu:8443")
    person = before(here).signs_in(COORDINATOR)
    app = signed_in_gate(here, "http://127.0.0.1:9")

    def seen() -> int:
        with TestClient(app, base_url="https://labels.example.eu:8443", follow_redirects=False) as gate:
            gate.cookies.set("__Host-session", person.client.cookies["__Host-session"])
            return int(gate.get("/ui-settings").status_code)

    assert seen() == 303
    adds_first(person)
    assert seen() == 200


def test_where_passkeys_are_off_nobody_has_one(terminal: Terminal) -> None:
    open_to_all = before(set_up(terminal, "")).signs_in(REVIEWER)
    key, made = DEVICE.makes(json.loads(open_to_all.sends("/account/passkeys/challenge").text))
    assert open_to_all.sends("/account/passkeys", {"passkey": made}).status_code == 303
    here = set_up(terminal, "reviewers=off")
    person = before(here).signs_in(REVIEWER)
    assert person.sends("/account/passkeys/challenge").status_code == 404
    stranger = before(here)
    signed = DEVICE.signs(asked(stranger, "/sign-in/passkey/challenge"), key)
    assert stranger.client.post("/sign-in/passkey", data={"passkey": signed}).status_code == 422
    none = before(set_up(terminal, "reviewers=off, coordinators=off, css=off, operators=off"))
    assert "passkey" not in none.opens("/sign-in").text
    assert none.client.post("/sign-in/passkey/challenge").status_code == 404


def test_each_role_has_its_rule_and_the_first_day_counts() -> None:
    policy = policy_of(
        Settings(
            _env_file=None,
            passkeys="reviewers=offered, coordinators=2027-03-01 css=2027-01-15, operators=2027-02-01",
            operators="op@nss.example",
        )
    )

    def person(address: str = "x@nss.example", **of: Any) -> Account:
        return Account(address, "X", "en", **of)

    assert policy.needed_from(person(reviews_for=("NSS-PL",))) is None
    assert policy.needed_from(person(coordinates=("NSS-PL",))) == date(2027, 3, 1)
    assert policy.needed_from(person(coordinates=("CSS",), central=True)) == date(2027, 1, 15)
    assert policy.needed_from(person(coordinates=("CSS", "NSS-PL"), central=True)) == date(2027, 1, 15)
    assert policy.needed_from(person("op@nss.example", reviews_for=("NSS-PL",))) == date(2027, 2, 1)
    assert policy.needed_from(person("op@nss.example", teachers=("T-1",))) is None, "no staff, no operator"
    assert not policy.is_offered(person(teachers=("T-1",)))
    assert not policy.is_needed(person(coordinates=("NSS-PL",)), NOW)


@pytest.mark.parametrize(
    "wrong", ["reviewer=offered", "coordinators", "css=soon", "operators=2027-13-01", "=off", "required"]
)
def test_a_setting_that_is_not_understood_is_told(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELS_PASSKEYS", wrong)
    with pytest.raises(InvalidInput, match=r"LABELS_PASSKEYS.*coordinators=2027-03-01"):
        load_settings()


def test_passkeys_are_not_needed_where_no_browser_makes_one(terminal: Terminal) -> None:
    settings = terminal.here.settings.model_copy(update={"passkeys": "operators=2026-01-01"})
    with (
        pytest.raises(InvalidInput, match=r"LABELS_PASSKEYS.*no browser makes one at http://127\.0\.0\.1"),
        services(settings, 1, 2),
    ):
        pass


def shares_a_mailbox(here: Workspace, address: str = REVIEWER) -> str:
    """The coordinator reads the reviewer's mail from now on; the coordinator's id."""
    with here.record.writing() as session:
        one = session.get_one(Staff, (COORDINATOR, "coordinator"))
        one.email = address
        session.get_one(Person, one.person).address = address
        return one.person


def reviewer_of(here: Workspace) -> str:
    with here.record.reading() as session:
        return session.get_one(Staff, (REVIEWER, "reviewer")).person


def test_whoever_said_who_they_are_and_used_their_passkey_does_not_become_who_shares_their_mailbox(
    terminal: Terminal,
) -> None:
    here = set_up(terminal, f"reviewers={TODAY}, coordinators={TODAY}")
    key = adds_first(before(here).signs_in(REVIEWER))
    coordinator = shares_a_mailbox(here)
    person = before(here).signs_in(REVIEWER)
    person.sends("/who", {"person": reviewer_of(here)}, page="/who")
    assert uses(person, key).status_code == 303
    assert is_in(person)
    assert person.sends("/who", {"person": coordinator}).status_code == 200
    assert person.opens("/overview").status_code == 404, "no page of the coordinator's"
    with here.record.reading() as session:
        assert session.scalars(sa.select(SignIn).where(SignIn.person == coordinator)).all() == []


def test_a_session_in_which_a_passkey_was_used_is_given_to_nobody_by_a_choice(terminal: Terminal) -> None:
    here = set_up(terminal, f"coordinators={TODAY}")
    coordinator = shares_a_mailbox(here)
    for how in ("mail code and passkey", "passkey"):
        before(here).signs_in(REVIEWER)
        with here.record.writing() as session:
            row = session.scalars(
                sa.select(SignIn).where(SignIn.ended_at.is_(None), SignIn.how == "mail code")
            ).one()
            row.how = how
            assert sessions.choose(here.turn(session), row.id, coordinator) is None
