"""A passkey besides the code: used, or added where somebody has none yet; and told of before it is needed."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.frame import SECOND, Visit, give_session, local_path, page
from desk.parts import Mistake
from desk.passkeys import LONGEST, asks, attempt, forget_attempt, there
from labels.errors import NotAllowed, NotFound
from labels.sessions.passkeys import fresh
from labels.sessions.session import Half, new_token
from labels.words.sentences import Sentence, say
from usecases import passkeys


def begin(visit: Visit) -> Response:
    """What is needed of whoever has signed in."""
    return _shown(visit)


def _shown(visit: Visit, mistake: Sentence | None = None, status: int = 200) -> Response:
    query = visit.request.query_params
    then = local_path(visit.sent.line("then", 1000) if visit.form else query.get("then", "/"))
    who = visit.half or visit.visitor
    if who is None:
        return visit.goes_to("/sign-in", then=then)
    day = passkeys.needed_from(visit.here, who.account)
    if day is None or (visit.half is None and passkeys.passkeys_of(visit.here, who)):
        return visit.goes_to(then)
    mine = passkeys.passkeys_of(visit.here, who)
    return visit.shows(
        "sign-in-second.html.j2",
        status,
        then=then,
        kept="kept" in query,
        needed=visit.half is not None,
        day=day,
        may_have=passkeys.there_are(visit.here, who.account),
        has=any(one.blocked_at is None for one in mine),
        had=bool(mine),
        fresh=fresh(who, visit.here.now()),
        mistakes=[Mistake(visit.texts("sign-in-second.html.j2").told(mistake), "passkeys")]
        if mistake
        else [],
    )


def ask(visit: Visit) -> Response:
    """What a browser is to do so that somebody uses their passkey."""
    token = new_token()
    return asks(visit, token, passkeys.ask_besides(visit.here, _half(visit), token))


def use(visit: Visit) -> Response:
    """Lets somebody in who has used their passkey."""
    try:
        given = passkeys.use_besides(
            visit.here, _half(visit), attempt(visit), visit.sent.text("passkey", LONGEST)
        )
    except NotAllowed:
        return _shown(visit, say("This passkey was not accepted. Try again."), 422)
    return _goes_on(visit, given)


def ask_to_add(visit: Visit) -> Response:
    """What a browser is to do so that somebody has their first passkey."""
    token = new_token()
    return asks(visit, token, passkeys.ask_to_add(visit.here, _half(visit), token))


def add(visit: Visit) -> Response:
    """Enters somebody's first passkey, and lets them in."""
    answer, name = visit.sent.text("passkey", LONGEST), visit.sent.line("name", 60)
    try:
        given = passkeys.add_besides(visit.here, _half(visit), attempt(visit), answer, name)
    except NotAllowed:
        return _shown(visit, say("This passkey was not added. Try again."), 422)
    return _goes_on(visit, given)


def _half(visit: Visit) -> Half:
    if visit.half is None:
        raise NotFound("Nobody here needs a passkey.")
    there(visit, visit.half.account)
    return visit.half


def _goes_on(visit: Visit, given: str) -> Response:
    answer = visit.goes_to(local_path(visit.sent.line("then", 1000)))
    forget_attempt(visit, answer)
    give_session(visit.desk, answer, given)
    return answer


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(SECOND, begin, use, allowed=None),
        page(f"{SECOND}/challenge", None, ask, allowed=None),
        page(f"{SECOND}/add", begin, add, allowed=None),
        page(f"{SECOND}/add/challenge", None, ask_to_add, allowed=None),
    ]
