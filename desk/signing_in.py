"""The pages by which people sign in and out: a code by mail that is typed in, and never a secret in a link."""

from __future__ import annotations

import re

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.routing import Route

from desk.frame import (
    CHOICE,
    SECOND,
    Visit,
    first_place,
    give_session,
    local_path,
    page,
)
from desk.parts import Mistake
from labels.errors import NotAllowed
from labels.sessions.codes import may_be_sign_in_code
from labels.sessions.session import new_token
from labels.sessions.signing_in import LASTS, WrongCode
from labels.words.sentences import say, say_counted
from usecases import passkeys, signing_in

ATTEMPT = "attempt"
"""The cookie of the browser that asked for a code."""

AGAIN = "again"
"""In the address of the page: somebody who has signed in does so once more, for what a fresh sign-in is needed for."""

_ADDRESS = re.compile(r"[^\s@]{1,200}@[^\s@]{1,200}")


def begin(visit: Visit) -> Response:
    """Asks for a mail address."""
    if visit.half is not None and AGAIN not in visit.request.query_params:
        return visit.goes_to(SECOND, then=local_path(visit.request.query_params.get("then", "/")))
    if visit.visitor is not None and AGAIN not in visit.request.query_params:
        return visit.goes_to(local_path(visit.request.query_params.get("then", "/")))
    return asks_for_address(visit)


def asks_for_address(
    visit: Visit, address: str = "", mistake: str = "", status: int = 200, *, field: str = "address"
) -> Response:
    """The page on which one signs in; with what was typed in, and what is wrong with which of its fields."""
    query = visit.request.query_params
    then = visit.sent.line("then", 1000) if visit.form else query.get("then", "/")
    return visit.shows(
        "sign-in.html.j2",
        status,
        address=address,
        mistakes=[Mistake(mistake, field)] if mistake else [],
        wrong=field if mistake else "",
        then=local_path(then),
        away="away" in query or "kept" in query,
        kept="kept" in query,
        again=AGAIN in query,
        passkeys=passkeys.there_are(visit.here),
        provider=visit.here.settings.oidc_name if visit.here.settings.oidc_issuer else "",
    )


_OF_ANOTHER_MAIL = say(
    "A code to sign in has eight letters and digits, and is in the mail that we sent just now. "
    "Codes in other mails are for something else."
)


def ask(visit: Visit) -> Response:
    """Has a code mailed; what follows looks the same whether anybody has the address or not."""
    address = visit.sent.line("address", 320).replace(" ", "")
    if not _ADDRESS.fullmatch(address):
        wrong = say("Write your mail address, as name@school.example")
        return asks_for_address(visit, address, wrong, 422)
    token = new_token()
    signing_in.ask_for_code(visit.here, token, address)
    answer = visit.goes_to("/sign-in/code", then=local_path(visit.sent.line("then", 1000)))
    visit.desk.set_cookie(answer, ATTEMPT, token, int(LASTS.total_seconds()))
    answer.background = BackgroundTask(signing_in.mail_code, visit.here, token)
    return answer


def _attempt(visit: Visit) -> str:
    return visit.request.cookies.get(visit.desk.cookie(ATTEMPT), "")[:200]


def code(visit: Visit) -> Response:
    """Asks for the code."""
    return _asks_for_code(visit)


def _asks_for_code(visit: Visit, mistake: str = "", status: int = 200) -> Response:
    then = local_path(visit.request.query_params.get("then", "/"))
    asked = signing_in.address_of(visit.here, _attempt(visit))
    if asked is None:
        return visit.shows("sign-in-again.html.j2", 200 if not mistake else 422, then=then)
    address, until = asked
    return visit.shows(
        "sign-in-code.html.j2",
        status,
        address=address,
        until=until,
        mistakes=[Mistake(mistake, "code")] if mistake else [],
        then=then,
    )


def check(visit: Visit) -> Response:
    """Signs in with the right code."""
    attempt, typed = _attempt(visit), visit.sent.line("code", 40)
    if not may_be_sign_in_code(typed):
        return _asks_for_code(visit, _OF_ANOTHER_MAIL, 422)  # no guess: none of the tries is spent
    try:
        given = signing_in.sign_in(visit.here, attempt, typed, visit.token)
    except NotAllowed:
        return _asks_for_code(visit, say("This code does not work any more."), 422)
    if isinstance(given, WrongCode):
        wrong = say_counted(
            "This is not the code. You have one more try.",
            "This is not the code. You have {count} more tries.",
            given.left,
        )
        return _asks_for_code(visit, wrong, 422)
    then = local_path(visit.sent.line("then", 1000))
    told = passkeys.to_be_told(visit.here, given)
    answer = visit.goes_to(SECOND, then=then) if told else visit.goes_to(then)
    visit.desk.set_cookie(answer, ATTEMPT, "", 0)
    give_session(visit.desk, answer, given)
    return answer


def who(visit: Visit) -> Response:
    """Which of several people with one mailbox it is."""
    then = local_path(visit.request.query_params.get("then", "/"))
    return visit.shows("who.html.j2", people=visit.account.several, then=then)


def choose(visit: Visit) -> Response:
    """Takes the choice; nobody else can be chosen."""
    assert visit.visitor is not None
    given = signing_in.choose(visit.here, visit.visitor, visit.sent.line("person", 80))
    if given is None:
        return who(visit)
    answer = visit.goes_to(local_path(visit.sent.line("then", 1000)))
    give_session(visit.desk, answer, given)
    return answer


def home(visit: Visit) -> Response:
    """The first of the lists that somebody has."""
    return visit.goes_to(first_place(visit.account))


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page("/", home),
        page("/sign-in", begin, ask, allowed=None),
        page("/sign-in/code", code, check, allowed=None),
        page(CHOICE, who, choose),
    ]
