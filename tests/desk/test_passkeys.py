"""Passkeys: how staff add them and sign in with them, and what does not let anybody in."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.workspace import Workspace
from desk.languages import COOKIE
from labels.answering import uniting
from labels.people.persons import behind
from labels.record.journal import Event
from labels.record.schema import Journal, Mail, Passkey, Person, SignIn, Staff, Teacher
from labels.sessions.passkeys import FRESH, LASTS, MOST
from labels.words.languages import ENGLISH
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.support.authenticator import PRESENT, Device, Key, b64

ORIGIN = "https://labels.example.eu"
REVIEWER = "r1@nss.example"
DEVICE = Device(ORIGIN)
Opens = Callable[[], Browser]
REFUSED = "This passkey was not accepted. Have a code sent to your mail address instead."


@pytest.fixture
def opens(terminal: Terminal) -> Opens:
    """Opens a browser before a desk that has a name and TLS."""
    settings = terminal.here.settings.model_copy(update={"public_url": ORIGIN})
    here = dataclasses.replace(terminal.here, settings=settings)
    return lambda: before(here)


def before(here: Workspace) -> Browser:
    person = Browser(here)
    person.client.base_url = ORIGIN
    person.client.cookies.set(COOKIE, ENGLISH, domain="labels.example.eu")
    return person


def at(browser: Browser, later: timedelta) -> Browser:
    """The same browser, so much later."""
    now = browser.here.now() + later
    there = before(dataclasses.replace(browser.here, clock=lambda: now))
    there.client.cookies = browser.client.cookies
    return there


def asked(person: Browser, path: str = "/sign-in/passkey/challenge") -> dict[str, Any]:
    answer = person.sends(path)
    assert answer.status_code == 200, words(answer)
    found: dict[str, Any] = json.loads(answer.text)
    return found


def adds(person: Browser, name: str = "Laptop", device: Device = DEVICE) -> Key:
    """A passkey that somebody who has signed in adds to their account."""
    key, made = device.makes(asked(person, "/account/passkeys/challenge"))
    answer = person.sends("/account/passkeys", {"passkey": made, "name": name})
    assert answer.headers.get("location") == "/account", words(answer)
    return key


def sends_in(person: Browser, answer: str, **fields: str) -> Any:
    return person.client.post("/sign-in/passkey", data={"passkey": answer, **fields})


def signs_in(person: Browser, key: Key, device: Device = DEVICE, **fields: str) -> Any:
    return sends_in(person, device.signs(asked(person), key), **fields)


def is_refused(answer: Any) -> None:
    assert answer.status_code == 422
    assert REFUSED in words(answer)
    assert not [one for one in answer.headers.get_list("set-cookie") if "session=" in one]


def keys(person: Browser) -> list[Passkey]:
    with person.here.record.reading() as session:
        return list(session.scalars(sa.select(Passkey).order_by(Passkey.added_at, Passkey.name)))


def mails(person: Browser) -> list[tuple[str, str]]:
    """To whom what was told about passkeys."""
    with person.here.record.reading() as session:
        found = session.scalars(
            sa.select(Mail).where(Mail.template == "passkey_changed").order_by(Mail.queued_at)
        )
        return [(one.to_address, one.context["message"]["news"]) for one in found]


def journal(person: Browser) -> list[tuple[str, Event, Any]]:
    with person.here.record.reading() as session:
        entries = session.scalars(
            sa.select(Journal).where(Journal.what.like("%passkey%")).order_by(Journal.id)
        )
        return [(one.who, Event(one.what), one.details.get("known_by")) for one in entries]


@pytest.mark.slow
def test_a_coordinator_adds_a_passkey_and_signs_in_with_it(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key = adds(person, "Work laptop")
    page = words(person.opens("/account"))
    assert "Work laptop Added" in page
    assert "not used yet" in page
    other = opens()
    answer = signs_in(other, key, then="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = words(other.opens("/account"))
    assert COORDINATOR in page
    assert "last used" in page
    with other.here.record.reading() as session:
        assert set(session.scalars(sa.select(SignIn.how))) == {"mail code", "passkey"}


def test_what_somebody_does_says_in_the_journal_that_a_passkey_knew_them(opens: Opens) -> None:
    first = adds(opens().signs_in(COORDINATOR))
    other = opens()
    signs_in(other, first)
    adds(other, "Phone", DEVICE)
    assert journal(other) == [
        (COORDINATOR, Event.ADDED_A_PASSKEY, "mail code"),
        (COORDINATOR, Event.ADDED_A_PASSKEY, "passkey"),
    ]
    assert mails(other) == [(COORDINATOR, "added"), (COORDINATOR, "added")]


@pytest.mark.slow
def test_a_removed_passkey_signs_nobody_in_and_a_mail_tells(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key, phone = adds(person), adds(person, "Phone")
    gone = person.sends("/account/passkeys/remove", {"remove": b64(key.id)})
    assert gone.headers["location"] == "/account"
    assert [one.name for one in keys(person)] == ["Phone"]
    is_refused(signs_in(opens(), key))
    assert signs_in(opens(), phone).status_code == 303
    assert mails(person)[-1] == (COORDINATOR, "removed")
    assert journal(person)[-1][:2] == (COORDINATOR, Event.REMOVED_A_PASSKEY)


@pytest.mark.slow
def test_the_address_typed_in_must_be_the_persons_whose_passkey_it_is(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    assert signs_in(opens(), key, address=COORDINATOR.upper()).status_code == 303
    is_refused(signs_in(opens(), key, address=TEACHER))
    is_refused(signs_in(opens(), key, address="nobody@nowhere.example"))


@pytest.mark.slow
def test_who_asks_for_a_passkey_learns_of_no_address(opens: Opens) -> None:
    adds(opens().signs_in(COORDINATOR))

    def story(address: str) -> list[object]:
        person, stranger = opens(), Device(ORIGIN)
        options = asked(person)
        key = Key("labels.example.eu", bytes(32), id=bytes(32))
        refused = sends_in(person, stranger.signs(options, key), address=address)
        options["challenge"] = "…"
        return [options, refused.status_code, refused.text.replace(address, "SOMEBODY")]

    assert story(COORDINATOR) == story(TEACHER) == story("nobody@nowhere.example")


def test_an_answer_counts_once(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person = opens()
    answer = DEVICE.signs(asked(person), key)
    asked_with = person.client.cookies["__Host-passkey"]
    assert sends_in(person, answer).status_code == 303
    thief = opens()
    thief.client.cookies.set("__Host-passkey", asked_with)
    is_refused(sends_in(thief, answer))
    assert keys(person)[0].blocked_at is None, "it was the challenge that was spent"


@pytest.mark.slow
def test_a_refused_answer_spends_its_challenge_too(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person = opens()
    options = asked(person)
    is_refused(sends_in(person, DEVICE.but(origin="https://evil.example").signs(options, key)))
    is_refused(sends_in(person, DEVICE.signs(options, key)))


@pytest.mark.slow
def test_a_challenge_is_its_browsers_and_lasts_five_minutes(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person, other = opens(), opens()
    asked(other)
    is_refused(sends_in(other, DEVICE.signs(asked(person), key)))
    is_refused(sends_in(opens(), DEVICE.signs(asked(person), key)))
    answer = DEVICE.signs(asked(person), key)
    is_refused(sends_in(at(person, LASTS), answer))
    answer = DEVICE.signs(asked(person), key)
    assert sends_in(at(person, LASTS - timedelta(seconds=1)), answer).status_code == 303


@pytest.mark.sampled
@pytest.mark.parametrize(
    "device",
    [
        DEVICE.but(origin="https://evil.example"),
        DEVICE.but(origin="http://labels.example.eu"),
        DEVICE.but(origin="https://labels.example.eu:8443"),
        DEVICE.but(framed=True),
        DEVICE.but(flags=PRESENT),
        DEVICE.but(flags=0),
    ],
    ids=[
        "another site",
        "without TLS",
        "another port",
        "within a frame",
        "nobody verified",
        "nobody present",
    ],
)
def test_an_answer_from_elsewhere_or_without_the_person_is_refused(opens: Opens, device: Device) -> None:
    person = opens().signs_in(COORDINATOR)
    key = adds(person)
    is_refused(signs_in(opens(), key, device))
    _, made = device.makes(asked(person, "/account/passkeys/challenge"))
    assert person.sends("/account/passkeys", {"passkey": made}).status_code == 422
    assert len(keys(person)) == 1


@pytest.mark.slow
def test_another_sites_name_another_challenge_and_another_key_are_refused(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    is_refused(signs_in(opens(), dataclasses.replace(key, host="evil.example")))
    is_refused(signs_in(opens(), dataclasses.replace(key, private=Key("", b"").private)))
    person = opens()
    wrong = asked(person) | {"challenge": b64(bytes(32))}
    is_refused(sends_in(person, DEVICE.signs(wrong, key)))
    assert signs_in(opens(), key).status_code == 303


@pytest.mark.slow
def test_nobody_signs_in_as_the_holder_of_another_passkey(opens: Opens) -> None:
    mine, theirs = adds(opens().signs_in(COORDINATOR)), adds(opens().signs_in(REVIEWER))
    is_refused(signs_in(opens(), dataclasses.replace(mine, id=theirs.id)))
    is_refused(signs_in(opens(), dataclasses.replace(mine, handle=theirs.handle)))
    is_refused(signs_in(opens(), dataclasses.replace(mine, handle=b"")))


@pytest.mark.slow
def test_a_copied_passkey_is_blocked_its_owner_told_and_signed_out(opens: Opens) -> None:
    owner = opens().signs_in(COORDINATOR)
    key = adds(owner)
    stolen = copy.copy(key)
    assert signs_in(opens(), key).status_code == 303
    assert signs_in(opens(), key).status_code == 303
    is_refused(signs_in(opens(), stolen))
    is_refused(signs_in(opens(), key))
    assert owner.opens("/account").status_code == 303
    assert mails(owner)[-1] == (COORDINATOR, "blocked")
    assert journal(owner)[-1][:2] == (COORDINATOR, Event.BLOCKED_A_PASSKEY)
    owner.signs_in(COORDINATOR)
    assert "nobody can sign in with it" in words(owner.opens("/account"))


@pytest.mark.slow
def test_nobody_blocks_a_passkey_without_its_signature(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    assert signs_in(opens(), key).status_code == 303
    is_refused(signs_in(opens(), dataclasses.replace(key, private=Key("", b"").private, count=0)))
    assert signs_in(opens(), key).status_code == 303


@pytest.mark.slow
def test_a_passkey_that_does_not_count_is_used_again_and_again(opens: Opens) -> None:
    device = DEVICE.but(counts=False)
    key = adds(opens().signs_in(COORDINATOR), device=device)
    for _ in range(3):
        assert signs_in(opens(), key, device).status_code == 303


def test_whoever_left_the_staff_does_not_sign_in_with_a_passkey(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person = opens()
    with person.here.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == COORDINATOR))
    is_refused(signs_in(person, key))


def test_whoever_was_made_one_with_another_signs_in_as_neither_with_the_former_passkey(opens: Opens) -> None:
    key = adds(opens().signs_in(REVIEWER))
    person = opens()
    with person.here.record.writing() as session:
        gone, kept = (behind(session, one)[0].id for one in (REVIEWER, "r2@nss.example"))
        uniting.merge(person.here.turn(session), uniting.Pair(gone, kept))
    is_refused(signs_in(person, key))
    assert keys(person) == []


@pytest.mark.slow
def test_a_corrected_address_keeps_the_passkey_and_its_former_reader_gets_nothing(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person = opens()
    with person.here.record.writing() as session:
        [one] = behind(session, COORDINATOR)
        one.address = "new@nss.example"
    is_refused(signs_in(opens(), key, address=COORDINATOR))
    assert signs_in(person, key).status_code == 303
    assert "new@nss.example" in words(person.opens("/account"))


def test_of_two_people_with_one_mailbox_the_passkey_says_which(opens: Opens) -> None:
    key = adds(opens().signs_in(COORDINATOR))
    person = opens()
    with person.here.record.writing() as session:
        one = session.get_one(Teacher, "T-3")
        one.email = COORDINATOR
        session.get_one(Person, one.person).address = COORDINATOR
    assert signs_in(person, key).status_code == 303
    assert person.opens("/account").status_code == 200
    assert "Źdźbło" not in person.opens("/account").text


def test_a_teacher_is_offered_no_passkey_and_gets_none(opens: Opens) -> None:
    person = opens().signs_in(TEACHER)
    assert "Passkeys" not in words(person.opens("/account"))
    assert person.sends("/account/passkeys/challenge").status_code == 404
    assert person.sends("/account/passkeys", {"passkey": "{}"}).status_code == 404


def test_passkeys_change_only_soon_after_signing_in(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key = adds(person)
    late = at(person, FRESH)
    page = late.opens("/account")
    assert "within the last quarter of an hour" in words(page)
    assert "data-passkey" not in page.text
    _, made = DEVICE.makes(asked(late, "/account/passkeys/challenge"))
    assert late.sends("/account/passkeys", {"passkey": made}).status_code == 422
    refused = late.sends("/account/passkeys/remove", {"remove": b64(key.id)})
    assert "Sign in again first" in words(refused)
    assert [one.id for one in keys(person)] == [b64(key.id)]
    again = late.opens("/sign-in?again=1&then=/account")
    assert again.status_code == 200
    assert 'name="then" value="/account"' in again.text


def test_nobody_removes_anothers_passkey_or_adds_in_anothers_session(opens: Opens) -> None:
    mine, other = opens().signs_in(COORDINATOR), opens().signs_in(REVIEWER)
    key = adds(mine)
    assert other.sends("/account/passkeys/remove", {"remove": b64(key.id)}).status_code == 404
    _, made = DEVICE.makes(asked(mine, "/account/passkeys/challenge"))
    other.client.cookies.set("__Host-passkey", mine.client.cookies["__Host-passkey"])
    assert other.sends("/account/passkeys", {"passkey": made}).status_code == 422
    assert [one.id for one in keys(mine)] == [b64(key.id)]


def test_a_challenge_to_sign_in_adds_nothing_and_one_to_add_signs_nobody_in(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key = adds(person)
    options = asked(person, "/account/passkeys/challenge")
    is_refused(sends_in(person, DEVICE.signs(options, key)))
    signing = asked(person)
    creating = {"rp": {"id": "labels.example.eu"}, "user": {"id": b64(bytes(32))}}
    _, made = DEVICE.makes(creating | {"challenge": signing["challenge"]})
    assert person.sends("/account/passkeys", {"passkey": made}).status_code == 422


@pytest.mark.slow
def test_a_passkey_is_added_once_and_ten_are_enough(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key, made = DEVICE.makes(asked(person, "/account/passkeys/challenge"))
    person.sends("/account/passkeys", {"passkey": made})
    for number in range(1, MOST):
        adds(person, f"Device {number}")
    assert len(keys(person)) == MOST
    assert "data-passkey" not in person.opens("/account").text
    _, made = DEVICE.makes(asked(person, "/account/passkeys/challenge"))
    assert person.sends("/account/passkeys", {"passkey": made}).status_code == 422
    assert len(keys(person)) == MOST
    assert b64(key.id) in {
        one["id"] for one in asked(person, "/account/passkeys/challenge")["excludeCredentials"]
    }


@pytest.mark.sampled
@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "null",
        "[" * 9000,
        '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
        "\x00",
        "ż" * 99,
    ],
)
def test_what_is_no_answer_of_a_browser_is_refused_alike(opens: Opens, answer: str) -> None:
    person = opens().signs_in(COORDINATOR)
    stranger = opens()
    asked(stranger)
    is_refused(sends_in(stranger, answer))
    asked(person, "/account/passkeys/challenge")
    assert person.sends("/account/passkeys", {"passkey": answer}).status_code == 422


@pytest.mark.slow
def test_answers_with_broken_bytes_are_refused(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    key = adds(person)
    for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for broken in ("", "AAAA", "!", b64(b"\xff" * 2000)):
            answer = json.loads(DEVICE.signs(asked(person), key))
            answer["response"][name] = broken
            is_refused(sends_in(person, json.dumps(answer)))
    for name in ("clientDataJSON", "attestationObject"):
        for broken in ("", "AAAA", "!", b64(b"\xa1" * 500)):
            _, made = DEVICE.makes(asked(person, "/account/passkeys/challenge"))
            answer = json.loads(made)
            answer["response"][name] = broken
            assert person.sends("/account/passkeys", {"passkey": json.dumps(answer)}).status_code == 422
    assert signs_in(opens(), key).status_code == 303


def test_a_form_from_elsewhere_asks_for_nothing(opens: Opens) -> None:
    person = opens().signs_in(COORDINATOR)
    for path in ("/sign-in/passkey/challenge", "/sign-in/passkey", "/account/passkeys/challenge"):
        answer = person.sends(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert person.sends("/account/passkeys/challenge", token="0" * 40).status_code == 403


def test_at_an_address_that_is_a_number_none_are_offered(browser: Opens) -> None:
    person = browser().signs_in(COORDINATOR)
    assert "passkey" not in person.opens("/sign-in?again=1").text
    assert "Passkeys" not in words(person.opens("/account"))
    assert person.sends("/sign-in/passkey/challenge").status_code == 404
    assert person.sends("/account/passkeys/challenge").status_code == 404


def test_the_record_keeps_no_challenge_that_is_over(opens: Opens) -> None:
    person = opens()
    for _ in range(3):
        asked(person)
    later = at(person, LASTS)
    asked(later)
    with person.here.record.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM passkey_challenge")) == 1
