"""The page of one's account: who one is here, how often mail comes, one's passkeys, and how to sign out."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from adapters.languages.desk import own_name
from desk.frame import SESSION, Visit, page
from desk.parts import Mistake
from labels.sessions.accounts import Account
from labels.sessions.passkeys import MOST, fresh
from usecases import passkeys, signing_in

PATH = "/account"


def is_staff(one: Account) -> bool:
    """Who has passkeys, and mail of an organisation."""
    return one.staff


def account(visit: Visit) -> Response:
    """Who one is here."""
    return shows_account(visit)


def shows_account(visit: Visit, mistake: str = "", status: int = 200) -> Response:
    """The page, with what could not be done about passkeys."""
    assert visit.visitor is not None
    may_have = passkeys.there_are(visit.here, visit.account)
    mine = passkeys.passkeys_of(visit.here, visit.visitor) if visit.account.staff else []
    return visit.shows(
        "account.html.j2",
        status,
        visitor=visit.visitor,
        language=own_name(visit.language),
        daily=visit.account.staff and signing_in.wants_daily_mail(visit.here, visit.account.person),
        passkeys=mine,
        may_add=may_have and len(mine) < MOST,
        fresh=fresh(visit.visitor, visit.here.now()),
        needed_from=passkeys.needed_from(visit.here, visit.account),
        mistakes=[Mistake(mistake, "passkeys")] if mistake else [],
    )


def choose_mail(visit: Visit) -> Response:
    """Keeps how often mail comes to somebody of a staff."""
    signing_in.choose_daily_mail(visit.here, visit.account.person, visit.sent.line("mail", 20) == "daily")
    return visit.goes_to(PATH)


def sign_out(visit: Visit) -> Response:
    """Ends this session, or every session of this person."""
    if visit.sent.has("everywhere"):
        signing_in.sign_out_everywhere(visit.here, visit.account.person)
    else:
        signing_in.sign_out(visit.here, visit.token)
    answer = visit.goes_to("/sign-in")
    visit.desk.set_cookie(answer, SESSION, "", 0)
    return answer


def routes() -> list[Route]:
    """Its addresses."""
    return [
        page(PATH, account, sign_out),
        page(f"{PATH}/mail", account, choose_mail, allowed=is_staff),
    ]
