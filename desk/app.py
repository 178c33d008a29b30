"""What strangers may open: the links to documents, and the page on which certificates are checked."""

from __future__ import annotations

from starlette.applications import Starlette

from adapters.workspace import Workspace
from desk.check import check_routes
from desk.links import document_routes, served


def public_app(here: Workspace) -> Starlette:
    """The web application that `labels up` serves; S3 serves its own links.

    Run it without an access log: whoever has a link has the document, and a code is its holder's.
    """
    routes = check_routes(here)
    if here.settings.documents_uri.startswith("file:"):
        routes += document_routes(here.documents, here.key, here.clock)
    return served(routes)
