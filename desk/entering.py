"""From the desk to the gate at a host name of its own, with a session there: there and back, as with an identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.workspace import Workspace
from desk.frame import SESSION, Cookies, Visit, local_path, page
from labels.errors import NotFound
from labels.sessions import elsewhere
from labels.sessions.session import LASTS, new_token

LEAVING = "/to-prefect"
"""The desk's page that sends a browser on to the gate."""
ENTRY = "/enter"
"""The gate's page that it comes to."""
ENTERING = "entering"
"""The cookie with the secret of a browser that is on its way."""
ON_THE_WAY = timedelta(hours=1)
"""Signing in lies between."""


@dataclass(frozen=True)
class Entry:
    """The gate's side: who comes without a session is sent to the desk, and gets one on coming back."""

    here: Workspace
    cookies: Cookies

    def leave(self, request: Request, path: str) -> Response:
        """Sends a browser to the desk, for a session and back to `path`."""
        secret = request.cookies.get(self.cookies.named(ENTERING), "")[:200] or new_token()
        query = urlencode({"mark": elsewhere.mark_of(secret), "then": path}, quote_via=quote)
        answer = RedirectResponse(f"{self.here.settings.desk_url}{LEAVING}?{query}", 303)
        self.cookies.give(answer, ENTERING, secret, int(ON_THE_WAY.total_seconds()))
        return answer

    def enter(self, request: Request) -> Response:
        """Gives a browser that has come back the gate's token."""
        given = request.query_params.get("ticket", "")[:1000]
        secret = request.cookies.get(self.cookies.named(ENTERING), "")[:200]
        session = elsewhere.session_of_ticket(self.here.good_keys(), given, secret, self.here.now())
        if session is None:
            return PlainTextResponse("This way in is over. Open the page anew.\n", 403)
        answer = RedirectResponse(local_path(request.query_params.get("then", "/")), 303)
        token = elsewhere.token(self.here.key, session)
        self.cookies.give(answer, SESSION, token, int(LASTS.total_seconds()))
        self.cookies.give(answer, ENTERING, "", 0)
        return answer


def entry_of(here: Workspace) -> Entry | None:
    """The way from the desk to the gate; None where one cookie reaches both, or there is no gate."""
    if not here.settings.gate_is_elsewhere:
        return None
    return Entry(here, Cookies(here.settings.site_url))


def send_on(visit: Visit) -> Response:
    """Sends whoever has signed in on to the gate, which knows them by a ticket."""
    query = visit.request.query_params
    if not visit.here.settings.gate_is_elsewhere or not query.get("mark"):
        raise NotFound("The gate is at this host name.")
    assert visit.visitor is not None
    ticket = elsewhere.ticket(visit.here.key, visit.visitor.session, query["mark"][:100], visit.here.now())
    back = urlencode({"ticket": ticket, "then": local_path(query.get("then", "/"))})
    return RedirectResponse(f"{visit.here.settings.site_url.rstrip('/')}{ENTRY}?{back}", 303)


def routes() -> list[Route]:
    """The desk's page."""
    return [page(LEAVING, send_on)]
