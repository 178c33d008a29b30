"""Evidence beside a review: shown as drawings in a sandbox, from addresses that are good without a session.

Each address holds a signed word that says which document it is and for which review; it is good while that review
is to be written. Whoever answers there reads no cookie and sets none, and what is shown can run nothing and reach
nothing: a stranger's file is looked at, never opened by the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.documents.previews import PAGES, NotShown, can_be_shown, drawn, pages_of
from adapters.documents.store import as_attachment
from adapters.documents.tokens import sealed, unsealed
from adapters.languages.desk import desk_texts
from adapters.workspace import Workspace
from desk.frame import Desk, Visit
from desk.headers import POLICY
from desk.templating import rendered
from labels.answering.proving import standing
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.record.schema import Application, Document, Step, StepState
from labels.views.about import Documents

PATH = "/evidence"
_PURPOSE = b"desk/evidence/1\n"
KINDS = ("application", "evidence")
"""The documents of an application that its reviewers see."""

STYLE = (
    "html{background:#eee9dc}body{margin:0;padding:12px;font:15px/1.5 sans-serif;color:#2c2f33}"
    "h1{font:600 15px/1.5 sans-serif;margin:0 0 12px}p{margin:0 0 12px}"
    "img{display:block;width:100%;height:auto;margin:0 auto 12px;background:#fff;box-shadow:0 1px 4px #0003}"
)
"""How pages lie below each other; the desk's own style is not for what has no origin."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document as the page beside the review shows it."""

    name: str
    size: int
    picture: bool
    href: str
    """Where it can be saved."""
    view: str
    """Where it is looked at; empty for what is only saved."""


def evidence_of(visit: Visit, step: str, documents: Documents) -> list[Evidence]:
    """The evidence of an application, without the file that the application itself came in."""
    base = _base(visit.desk)
    found = []
    for one in documents.files:
        if one.kind != "evidence":
            continue
        word = sealed([step, one.key, one.name], _PURPOSE, visit.here.key)
        address = f"{base}{PATH}/{word}"
        shown = can_be_shown(one.media_type)
        view = f"{address}?lang={quote(visit.language)}" if shown else ""
        found.append(
            Evidence(one.name, one.size, one.media_type.startswith("image/"), f"{address}/file", view)
        )
    return found


def _base(desk: Desk) -> str:
    """The origin of these addresses: that of documents where it is another one than the desk's, else the same."""
    parts = urlsplit(desk.here.settings.links_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return "" if origin == desk.origin else origin


def policy_for(desk: Desk) -> dict[str, str]:
    """The policy of a page that shows evidence: that of all pages, and the evidence's origin if it is another."""
    base = _base(desk)
    if not base:
        return {}
    policy = POLICY.replace("img-src 'self'", f"img-src 'self' {base}")
    return {"Content-Security-Policy": policy.replace("frame-src 'self'", f"frame-src 'self' {base}")}


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    media_type: str
    content: bytes


def evidence_routes(desk: Desk) -> list[Route]:
    """The addresses of evidence; run them without an access log, like those of documents."""

    def headers(policy: str) -> dict[str, str]:
        given = {
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": f"sandbox; default-src 'none'; {policy}frame-ancestors {desk.origin}",
            "Cross-Origin-Resource-Policy": "cross-origin",  # what is shown in a sandbox has no origin
            "Referrer-Policy": "no-referrer",
        }
        return given if _base(desk) else given | {"X-Frame-Options": "SAMEORIGIN"}

    def route(path: str, answer: Callable[[Request, _Found], Response]) -> Route:
        def found(request: Request) -> Response:
            try:
                return answer(request, _find(desk.here, request.path_params["word"]))
            except NotFound:
                return PlainTextResponse("There is no such document, or the review is over.\n", 404)
            except OutOfReach:
                return PlainTextResponse("The documents are out of reach just now. Try again later.\n", 503)
            except NotShown as refused:
                return PlainTextResponse(f"{refused}\n", 422)
            except LabelsError:
                return PlainTextResponse("This document is damaged. Tell whoever asked you.\n", 500)

        async def endpoint(request: Request) -> Response:
            response = await run_in_threadpool(found, request)
            ours = _base(desk) or desk.origin
            policy = f"img-src {ours}; style-src {ours}; "
            response.headers.update(headers(policy))
            if response.status_code != 200:
                response.headers["Cache-Control"] = "no-store"
            return response

        return Route(path, endpoint, methods=["GET"])

    def viewer(request: Request, found: _Found) -> Response:
        number, sizes = pages_of(found.content, found.media_type)
        template = "reviews/pages.html.j2"
        texts = desk_texts(template, request.query_params.get("lang", "en")[:3])
        body = rendered(
            template,
            texts,
            sheet=f"{_base(desk) or desk.origin}{PATH}/pages.css",
            name=found.name,
            number=number,
            sizes=sizes,
            most=PAGES,
            base=f"{_base(desk) or desk.origin}{PATH}/{request.path_params['word']}",
        )
        return HTMLResponse(body)

    def picture(request: Request, found: _Found) -> Response:
        if not can_be_shown(found.media_type):
            raise NotFound("This document has no pages.")
        shown = drawn(found.content, found.media_type, request.path_params["page"])
        return Response(shown, media_type="image/webp")

    def saved(request: Request, found: _Found) -> Response:
        disposition = {"Content-Disposition": as_attachment(found.name)}
        return Response(found.content, media_type=found.media_type, headers=disposition)

    def style(request: Request) -> Response:
        return Response(STYLE, media_type="text/css", headers=headers(""))

    return [
        Route(f"{PATH}/pages.css", style, methods=["GET"]),
        route(f"{PATH}/{{word}}", viewer),
        route(f"{PATH}/{{word}}/file", saved),
        route(f"{PATH}/{{word}}/{{page:int}}", picture),
    ]


def _find(here: Workspace, word: str) -> _Found:
    """The document behind an address.

    Raises:
        NotFound: it was not made here, or the review that it is for is over.
    """
    step_id, key, name = unsealed(word[:2000], _PURPOSE, *here.good_keys())
    with here.record.reading() as session:
        step = session.get(Step, step_id)
        if step is None or step.state not in (StepState.OPEN, StepState.ASKED):
            raise NotFound("The review is over.")
        application = session.get_one(Application, step.application)
        if standing(session, application, step, here.now()) is not None:
            raise NotFound("The review is not theirs any more.")
        document = session.scalars(
            _DOCUMENTS, {"application": application.id, "key": key, "name": name}
        ).first()
    if document is None:
        raise NotFound("There is no such document.")
    return _Found(document.name, document.media_type, here.documents.get(document.key))


_DOCUMENTS = sa.select(Document).where(
    Document.application == sa.bindparam("application"),
    Document.key == sa.bindparam("key"),
    Document.name == sa.bindparam("name"),
    Document.kind.in_(KINDS),
)
