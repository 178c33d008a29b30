"""The public face: the desk, the links to documents, and the page on which certificates are checked."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.languages.desk import languages
from adapters.workspace import Workspace
from desk import (
    account,
    applications,
    apply,
    assigning,
    case,
    classes,
    dates,
    demo_mail,
    entering,
    finding,
    likeness,
    many,
    my_application,
    my_gallery,
    my_projects,
    my_school,
    overview,
    passkeys,
    provider,
    rehearsals,
    reopening,
    review_list,
    review_offline,
    reviewing,
    rules,
    second,
    self_assessment,
    sending_back,
    signing_in,
    staff,
    statistics,
    their_school,
    year,
)
from desk.api.app import api_routes
from desk.arriving import Arriving
from desk.assets import asset_routes
from desk.check import check_routes
from desk.coordinators import coordinates
from desk.credentials import credential_routes
from desk.evidence import evidence_routes
from desk.frame import Desk, Place, Visit, add_places, failed, local_path, page, visit_of
from desk.headers import WithHeaders
from desk.health import health_routes
from desk.languages import COOKIE
from desk.links import document_routes
from labels.errors import NotFound
from labels.views.whom_to_ask import whom_to_ask
from labels.words.sentences import say

_A_YEAR = 365 * 24 * 60 * 60


def public_app(here: Workspace, *, mail_shown: bool = False, arriving: Arriving | None = None) -> Starlette:
    """The web application that `labels up` serves.

    Run it without an access log: whoever has a link has the document, and a code is its holder's.

    Args:
        here: the record, the documents and the settings.
        mail_shown: whether outgoing mail is a page of it, for the demo: there nobody has a mailbox.
        arriving: how much may be arriving at the same time, where it is not as much as usual.
    """
    desk = Desk(here, mail_shown, arriving or Arriving())
    routes: list[BaseRoute] = [
        *api_routes(here, desk.arriving),
        *health_routes(here),
        *credential_routes(here),
        *check_routes(here, desk.arriving),
        *asset_routes(),
        *signing_in.routes(),
        *account.routes(),
        *passkeys.routes(),
        *second.routes(),
        *entering.routes(),
        *my_projects.routes(),
        *apply.routes(),
        *my_application.routes(),
        *my_gallery.routes(),
        *classes.routes(),
        *my_school.routes(),
        *self_assessment.routes(),
        *provider.routes(),
        *overview.routes(),
        *applications.routes(),
        *many.routes(),
        *dates.routes(),
        *assigning.routes(),
        *case.routes(),
        *reopening.routes(),
        *likeness.routes(),
        *rules.routes(),
        *finding.routes(),
        *their_school.routes(),
        *statistics.routes(),
        *staff.routes(),
        *rehearsals.routes(),
        *year.routes(),
        *review_list.routes(),
        *review_offline.routes(),
        *reviewing.routes(),
        *sending_back.routes(),
        *evidence_routes(desk),
        *_own_routes(),
    ]
    if mail_shown:
        routes += demo_mail.routes()
    routes += document_routes(here.documents, here.good_keys, here.clock, here.record)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(WithHeaders, secure=desk.secure, gate=_gate_elsewhere(here))],
        exception_handlers={404: _absent, Exception: _broken},
    )
    app.state.desk = desk
    # Its redirects would name the host and scheme that a proxy speaks to us by.
    app.router.redirect_slashes = False
    return app


add_places(
    Place(say("Overview"), overview.PATH, coordinates, of_staff=True),
    Place(say("Applications"), applications.PATH, coordinates),
    Place(say("Find"), finding.PATH, coordinates),
    Place(say("Statistics"), statistics.PATH, coordinates),
    Place(say("Staff"), staff.PATH, coordinates),
    Place(say("European label"), year.PATH, coordinates),
    Place(say("My projects"), my_projects.PATH, my_projects.is_teacher),
    Place(say("My school"), my_school.PATH, my_school.of_a_school),
    Place(say("Certificates for a class"), classes.PATH, my_projects.is_teacher),
    Place(say("My reviews"), review_list.LIST, review_list.judges, of_staff=True),
    Place(say("My statistics"), review_list.STATISTICS, review_list.judges),
)
"""What the head of each page leads to; the first that somebody has is where they begin, their work for an organisation before all."""


def _gate_elsewhere(here: Workspace) -> str:
    """The origin of the gate, where it has a host name of its own."""
    parts = urlsplit(here.settings.site_url)
    return f"{parts.scheme}://{parts.netloc}" if here.settings.gate_is_elsewhere else ""


def _own_routes() -> list[Route]:
    return [
        page("/language/{language}", choose_language, allowed=None),
        page("/help", help_and_data, allowed=None),
    ]


def help_and_data(visit: Visit) -> Response:
    """Whom to ask, and what becomes of one's data."""
    account = visit.visitor.account if visit.visitor else None
    with visit.here.record.reading() as session:
        asked = whom_to_ask(session, account)
    return visit.shows("help.html.j2", asked=asked)


def choose_language(visit: Visit) -> Response:
    """Remembers a language for this browser, and goes back to where it was chosen."""
    language = visit.named("language")
    if language not in languages():
        raise NotFound("There is no such language.")
    answer = visit.goes_to(local_path(visit.request.query_params.get("back", "/")))
    answer.set_cookie(
        COOKIE, language, max_age=_A_YEAR, path="/", secure=visit.desk.secure, httponly=True, samesite="lax"
    )
    return answer


async def _absent(request: Request, error: Exception) -> Response:
    path = request.url.path
    if request.method in ("GET", "HEAD") and path.rstrip("/") not in ("", path):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(local_path(path.rstrip("/")) + query, 307)
    return await run_in_threadpool(failed, visit_of(request), 404)


async def _broken(request: Request, error: Exception) -> Response:
    visit = visit_of(request)

    def answer() -> Response:
        return failed(visit, 500, error=error)

    return await run_in_threadpool(answer)
