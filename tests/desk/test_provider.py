"""Signing in with an account at an identity provider, a real one of OpenID Connect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import sqlalchemy as sa
from oidc_provider_mock import User, run_server_in_thread
from pydantic import SecretStr

from labels.record.journal import Event
from labels.record.schema import Journal, ProviderAccount, ProviderAttempt, SignIn, Teacher
from labels.sessions.provider import LASTS
from tests.cli.conftest import TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.desk.test_applicant import hands_in

Opens = Callable[[], Browser]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider, with accounts."""
    people = [
        User(sub="teacher", claims={"email": TEACHER.upper(), "email_verified": True}),
        User(sub="second", claims={"email": TEACHER, "email_verified": True}),
        User(sub="unverified", claims={"email": TEACHER, "email_verified": False}),
        User(sub="silent", claims={}),
        User(sub="stranger", claims={"email": "nobody@elsewhere.example", "email_verified": True}),
        User(sub="shared", claims={"email": "office@school.example", "email_verified": True}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def opens(terminal: Terminal, issuer: str) -> Opens:
    """Opens a browser before a desk that knows the provider."""
    settings = terminal.here.settings.model_copy(
        update={
            "oidc_issuer": issuer,
            "oidc_client_id": "labels",
            "oidc_client_secret": SecretStr("a secret of the test"),
        }
    )
    here = dataclasses.replace(terminal.here, settings=settings)
    return lambda: Browser(here)


def leaves(person: Browser, then: str = "/account") -> str:
    """The address at the provider that somebody is sent to."""
    answer = person.opens(f"/sign-in/provider?{urlencode({'then': then})}")
    assert answer.status_code == 303
    return str(answer.headers["location"])


def comes_back(address: str, account: str) -> str:
    """Where the provider sends a browser in which somebody has signed in with an account."""
    answer = requests.post(address, data={"sub": account}, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


@pytest.mark.slow
def test_the_sign_in_page_leads_to_the_provider_where_there_is_one(opens: Opens, browser: Opens) -> None:
    assert "Sign in with EU Login" in words(opens().opens("/sign-in"))
    assert "EU Login" not in words(browser().opens("/sign-in"))
    assert browser().opens("/sign-in/provider").status_code == 404
    assert browser().opens("/sign-in/provider/back?code=x&state=y").status_code == 404


def test_a_teacher_signs_in_with_their_account_and_lands_where_they_wanted(opens: Opens) -> None:
    person = opens()
    answer = person.opens(comes_back(leaves(person), "teacher"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "Zażółć Gęślą" in words(person.opens("/account"))
    with person.here.record.reading() as session:
        [row] = session.scalars(sa.select(SignIn))
        assert row.how.startswith("identity provider http://localhost:")


def test_i8_what_somebody_does_says_at_which_provider_they_were_known(opens: Opens) -> None:
    person = opens()
    person.opens(comes_back(leaves(person), "teacher"))
    hands_in(person)
    with person.here.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what == Event.SUBMITTED)).one()
    assert entry.details["known_by"].startswith("identity provider http://localhost:")


@pytest.mark.slow
def test_an_account_stays_its_persons_when_mail_addresses_change(opens: Opens, terminal: Terminal) -> None:
    first = opens()
    first.opens(comes_back(leaves(first), "teacher"))
    with terminal.here.record.writing() as session:
        bound = session.scalars(sa.select(ProviderAccount)).one()
        [teacher] = session.scalars(sa.select(Teacher).where(Teacher.email == TEACHER))
        assert bound.person == teacher.person
        teacher.email = "new@school.example"
        session.execute(
            sa.text("UPDATE person SET address = 'new@school.example' WHERE id = :id"), {"id": bound.person}
        )
    again = opens()
    assert again.opens(comes_back(leaves(again), "teacher")).status_code == 303
    assert "new@school.example" in words(again.opens("/account"))
    # Whoever has the former address now is nobody of the registry, and not this teacher.
    other = opens()
    assert other.opens(comes_back(leaves(other), "second")).status_code == 403


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("unverified", "not say that its mail address is verified"),
        ("silent", "not say that its mail address is verified"),
        ("stranger", "Nobody in the registry"),
    ],
)
def test_an_account_that_tells_nobody_of_the_registry_is_told_so(
    opens: Opens, account: str, said: str
) -> None:
    person = opens()
    answer = person.opens(comes_back(leaves(person), account))
    assert answer.status_code == 403
    assert said in words(answer)
    with person.here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count(SignIn.id))) == 0
        assert session.scalar(sa.select(sa.func.count(ProviderAccount.subject))) == 0


@pytest.mark.slow
def test_a_forged_state_a_foreign_browser_and_a_second_use_are_refused(opens: Opens) -> None:
    person, thief = opens(), opens()
    back = comes_back(leaves(person), "teacher")
    for path in (
        "/sign-in/provider/back",
        "/sign-in/provider/back?error=access_denied&state=x",
        "/sign-in/provider/back?code=x&state=forged",
        "/sign-in/provider/back?code=%00&state=%F0%9F%92%A5",
    ):
        answer = person.opens(path)
        assert answer.status_code == 403
        assert "This attempt to sign in is over" in words(answer)
    assert thief.opens(back).status_code == 403
    assert person.opens(back).status_code == 303
    assert person.opens(back).status_code == 403


def test_a_code_of_another_attempt_proves_nothing(opens: Opens) -> None:
    """The provider's answer to one browser, brought into another one's attempt: the nonce is another."""
    victim, thief = opens(), opens()
    mine, theirs = comes_back(leaves(victim), "teacher"), comes_back(leaves(thief), "second")
    code = dict(parse_qsl(urlsplit(theirs).query))["code"]
    state = dict(parse_qsl(urlsplit(mine).query))["state"]
    swapped = f"/sign-in/provider/back?{urlencode({'code': code, 'state': state})}"
    assert victim.opens(swapped).status_code == 403
    with victim.here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count(SignIn.id))) == 0


def test_an_attempt_is_over_after_a_quarter_of_an_hour(opens: Opens) -> None:
    person = opens()
    back = comes_back(leaves(person), "teacher")
    late = person.here.now() + LASTS + timedelta(seconds=1)
    later = Browser(dataclasses.replace(person.here, clock=lambda: late))
    later.client.cookies = person.client.cookies
    assert later.opens(back).status_code == 403


def test_a_provider_that_does_not_answer_is_said_and_nothing_is_lost(terminal: Terminal) -> None:
    settings = terminal.here.settings.model_copy(
        update={"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "labels"}
    )
    person = Browser(dataclasses.replace(terminal.here, settings=settings))
    answer = person.opens("/sign-in/provider")
    assert answer.status_code == 503
    assert person.opens("/sign-in").status_code == 200


@pytest.mark.slow
def test_the_record_has_no_token_of_the_provider(opens: Opens) -> None:
    person = opens()
    back = comes_back(leaves(person), "teacher")
    person.opens(back)
    state = dict(parse_qsl(urlsplit(back).query))["state"]
    with person.here.record.reading() as session:
        attempt = session.scalars(sa.select(ProviderAttempt)).one()
        assert attempt.spent_at is not None
        assert state not in str(vars(attempt))
        assert session.scalar(sa.select(sa.func.count(Journal.id)).where(Journal.who == "teacher")) == 0
