"""Signing in with a passkey, and those of one's account: the pages' script asks the browser, forms bring its answer.

Without a script nothing is offered, and a code comes by mail as before.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.account import PATH, is_staff, shows_account
from desk.frame import Visit, give_session, local_path, page
from desk.parts import why
from desk.signing_in import asks_for_address
from labels.errors import NotAllowed, NotFound
from labels.sessions.accounts import Account
from labels.sessions.passkeys import LASTS
from labels.sessions.session import new_token
from labels.words.sentences import say
from usecases import passkeys

ATTEMPT = "passkey"
"""The cookie of the browser that was asked for a passkey."""
LONGEST = 20_000
"""Letters of a browser's answer; one takes about a thousand."""


def ask(visit: Visit) -> Response:
    """What a browser is to do so that somebody signs in: the same for everybody."""
    there(visit)
    token = new_token()
    return asks(visit, token, passkeys.ask_to_sign_in(visit.here, token))


def sign_in(visit: Visit) -> Response:
    """Signs in whom a passkey proves; every answer that does not is answered alike."""
    there(visit)
    address = visit.sent.line("address", 320).replace(" ", "")
    answer = visit.sent.text("passkey", LONGEST)
    try:
        given = passkeys.sign_in(visit.here, attempt(visit), answer, address, visit.token)
    except NotAllowed:
        wrong = say("This passkey was not accepted. Have a code sent to your mail address instead.")
        return asks_for_address(visit, address, wrong, 422, field="with-passkey")
    signed_in = visit.goes_to(local_path(visit.sent.line("then", 1000)))
    forget_attempt(visit, signed_in)
    give_session(visit.desk, signed_in, given)
    return signed_in


def ask_to_add(visit: Visit) -> Response:
    """What a browser is to do so that somebody has another passkey."""
    there(visit, visit.account)
    assert visit.visitor is not None
    token = new_token()
    return asks(visit, token, passkeys.ask_to_add(visit.here, visit.visitor, token))


def add(visit: Visit) -> Response:
    """Enters a passkey that the browser has made."""
    there(visit, visit.account)
    assert visit.visitor is not None
    answer, name = visit.sent.text("passkey", LONGEST), visit.sent.line("name", 60)
    try:
        passkeys.add(visit.here, visit.visitor, attempt(visit), answer, name)
    except NotAllowed:
        return shows_account(visit, say("This passkey was not added. Try again."), 422)
    added = visit.goes_to(local_path(visit.sent.line("then", 1000)) if visit.sent.has("then") else PATH)
    forget_attempt(visit, added)
    return added


def remove(visit: Visit) -> Response:
    """Removes one, which needs no script."""
    assert visit.visitor is not None
    try:
        passkeys.remove(visit.here, visit.visitor, visit.sent.line("remove", 1400))
    except NotAllowed as error:
        return shows_account(visit, why(visit.texts("account.html.j2"), error), 422)
    return visit.goes_to(PATH)


def there(visit: Visit, account: Account | None = None) -> None:
    """Raises NotFound where somebody, or everybody, can have no passkey."""
    if not passkeys.there_are(visit.here, account):
        raise NotFound("No passkeys can be made here.")


def attempt(visit: Visit) -> str:
    """The token of the browser that was asked for a passkey."""
    return visit.request.cookies.get(visit.desk.cookie(ATTEMPT), "")[:200]


def forget_attempt(visit: Visit, answer: Response) -> None:
    """Takes the token away, which was used."""
    visit.desk.set_cookie(answer, ATTEMPT, "", 0)


def asks(visit: Visit, token: str, options: str) -> Response:
    """What a browser is told to do with a passkey, and its token."""
    answer = Response(options, media_type="application/json")
    visit.desk.set_cookie(answer, ATTEMPT, token, int(LASTS.total_seconds()))
    return answer


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page("/sign-in/passkey/challenge", None, ask, allowed=None),
        page("/sign-in/passkey", None, sign_in, allowed=None),
        page(f"{PATH}/passkeys/challenge", None, ask_to_add, allowed=is_staff),
        page(f"{PATH}/passkeys", None, add, allowed=is_staff),
        page(f"{PATH}/passkeys/remove", None, remove, allowed=is_staff),
    ]
