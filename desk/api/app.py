"""The application that answers below `/api/v1`."""

from __future__ import annotations

import functools
import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from adapters.workspace import Workspace
from desk.api import cases, registry, webhooks
from desk.api.description import described
from desk.api.frame import Api, problem_of
from desk.arriving import Arriving

ROOT = "/api/v1"
OPERATIONS = (*cases.OPERATIONS, *registry.OPERATIONS, *webhooks.OPERATIONS)
"""All that it does."""


def api_routes(here: Workspace, arriving: Arriving) -> list[Mount]:
    """Where it is in the desk's application."""
    api = Api(here, arriving)
    description = _description(here.settings.desk_url + ROOT)

    async def told(request: Request) -> Response:
        return Response(
            description, media_type="application/json", headers={"Cache-Control": "public, max-age=300"}
        )

    async def refused(request: Request, error: Exception) -> Response:
        return problem_of(request, error)

    handlers: dict[Any, Any] = {HTTPException: refused}
    app = Starlette(
        routes=[*map(api.route, OPERATIONS), Route("/openapi.json", told, methods=["GET"])],
        exception_handlers=handlers,
    )
    app.router.redirect_slashes = False
    return [Mount(ROOT, app=app)]


@functools.cache
def _description(address: str) -> str:
    """What it does, in the words of OpenAPI; the schemas of all its models take a tenth of a second to make."""
    return json.dumps(described(OPERATIONS, address), ensure_ascii=False)
