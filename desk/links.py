"""Where links to documents are honoured, wherever the documents are stored: routes for `labels up` to serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.documents.store import DocumentStore, as_attachment
from adapters.documents.tokens import DownloadPass, LinkExpired
from labels.clock import Clock
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.record.engine import Record
from labels.steps.reading import may_read

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A document is saved, never shown: what an applicant hands in must not act in a reviewer's browser."""


_NOT_ASKED = "What is asked here has changed since. Open the application again for a new link."


Keys = Callable[[], Sequence[bytes]]
"""The keys that links may have been signed with, as they are now."""


def document_routes(store: DocumentStore, keys: Keys, clock: Clock, record: Record) -> list[Route]:
    """Serves `/documents/TOKEN`: the document, 404 for a token that none of `keys` signed or whose reader is not asked
    any more, 410 once expired.

    Run it without an access log: whoever has a token has the document.
    """

    def download(request: Request) -> Response:
        try:
            leave = DownloadPass.read(request.path_params["token"], keys(), clock())
            if leave.expires is None:
                with record.reading() as session:
                    if not may_read(session, leave.steps):
                        return _sentence(404, _NOT_ASKED)
            content = store.get(leave.key)
        except LinkExpired as expired:
            return _sentence(410, str(expired))
        except NotFound:
            return _sentence(404, "There is no such document. Check that the link is complete.")
        except OutOfReach:
            return _sentence(503, "The documents are out of reach just now. Try again later.")
        except LabelsError:
            return _sentence(500, "This document is damaged. Tell whoever sent you the link.")
        headers = _HEADERS | {"Content-Disposition": as_attachment(leave.name)}
        return Response(content, media_type=leave.media_type, headers=headers)

    return [Route("/documents/{token}", download)]


def served(routes: Sequence[Route]) -> Starlette:
    """A web application of these addresses, and nothing beside them."""

    def absent(request: Request, error: Exception) -> Response:
        return _sentence(404, "There is nothing here.")

    return Starlette(routes=list(routes), exception_handlers={404: absent})


def documents_app(store: DocumentStore, keys: Keys, clock: Clock, record: Record) -> Starlette:
    """The links alone."""
    return served(document_routes(store, keys, clock, record))


def _sentence(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers=_HEADERS)
