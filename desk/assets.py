"""Style, script, fonts and art: files of the project under an address that changes with them, so kept for ever."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.languages.desk import TEMPLATES

ASSETS = TEMPLATES / "assets"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""What is served; licences and the manifest are not."""
_FOR_EVER = "public, max-age=31536000, immutable"


def vendored() -> dict[str, Any]:
    """The files that other projects made: where each comes from, its licence and its digest."""
    found: dict[str, Any] = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    packed: bytes | None
    """With gzip, where that makes it smaller."""
    media_type: str


@cache
def _assets() -> dict[str, _Asset]:
    """Every file by its path, read and compressed once a process."""
    return {
        path.relative_to(ASSETS).as_posix(): _read(path)
        for path in ASSETS.rglob("*")
        if path.is_file() and path.suffix in TYPES
    }


def _read(path: Path) -> _Asset:
    content = path.read_bytes()
    packed = None if path.suffix == ".woff2" else gzip.compress(content, 9, mtime=0)
    return _Asset(content, packed, TYPES[path.suffix])


def _asset(request: Request) -> Response:
    found = _assets().get(request.path_params["path"])
    if found is None:
        return PlainTextResponse("There is nothing here.\n", 404)
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    content = found.content
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = found.packed, "gzip"
    return Response(content, media_type=found.media_type, headers=headers)


def asset_routes() -> list[Route]:
    """The addresses of all of them."""
    return [Route("/assets/{version}/{path:path}", _asset, methods=["GET"])]
