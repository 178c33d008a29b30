"""Signing in with an account at an identity provider: there and back."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.frame import Visit, give_session, local_path, page
from labels.errors import NotAllowed, NotFound
from labels.sessions.provider import LASTS, NotKnown
from labels.sessions.session import new_token
from usecases import signing_in

ATTEMPT = "provider"
"""The cookie of the browser that was sent to the provider."""


def leave(visit: Visit) -> Response:
    """Sends the browser to the provider."""
    if not visit.here.settings.oidc_issuer:
        raise NotFound("There is no identity provider.")
    token = new_token()
    then = local_path(visit.request.query_params.get("then", "/"))
    answer = RedirectResponse(signing_in.ask_provider(visit.here, token, then), 303)
    visit.desk.set_cookie(answer, ATTEMPT, token, int(LASTS.total_seconds()))
    return answer


def come_back(visit: Visit) -> Response:
    """Signs in whom the provider vouches for."""
    if not visit.here.settings.oidc_issuer:
        raise NotFound("There is no identity provider.")
    token = visit.request.cookies.get(visit.desk.cookie(ATTEMPT), "")[:200]
    query = {name: value[:4000] for name, value in visit.request.query_params.items()}
    try:
        given = signing_in.sign_in_with_provider(visit.here, token, query, visit.token)
    except NotAllowed:
        return visit.shows("sign-in-provider.html.j2", 403, reason="over")
    if isinstance(given, NotKnown):
        return visit.shows("sign-in-provider.html.j2", 403, reason=given.name.lower())
    answer = visit.goes_to(local_path(given.then))
    visit.desk.set_cookie(answer, ATTEMPT, "", 0)
    give_session(visit.desk, answer, given.token)
    return answer


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page("/sign-in/provider", leave, allowed=None),
        page("/sign-in/provider/back", come_back, allowed=None),
    ]
