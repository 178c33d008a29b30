"""What machines ask of the check page: a certificate's credential for a wallet, whose keys sign, and what does not count."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.papers.badges import JSON, badge_key, did_document, key_set, signed_credential, signed_list
from adapters.workspace import Workspace
from labels.errors import InvalidInput, OutOfReach
from labels.papers.codes import LONGEST
from labels.papers.credential import issuer_did
from labels.papers.statuses import is_there
from labels.papers.verifying import PaperState, by_code
from labels.record.schema import Organisation

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""Programs of other sites may read them: wallets and verifiers run in browsers, too."""
_MINUTES = {"Cache-Control": "public, max-age=300"}
_NEVER = {"Cache-Control": "no-store"}
_JWT, _JSON_LD = "application/vc+jwt", "application/vc"


def offers_credentials(here: Workspace) -> tuple[bool, bool]:
    """Whether certificates have a credential for wallets: as a JWT, as JSON-LD with a proof."""
    try:
        key = badge_key(here.settings, here.now())
    except InvalidInput:
        return False, False
    return key is not None, bool(key and key.multikey)


def credential_routes(here: Workspace) -> list[Route]:
    """The addresses, below the path of `Settings.check_url` and at the root of its host."""
    page = urlsplit(here.settings.check_url).path.rstrip("/")

    def answering(endpoint: Callable[[Request], Any], more: dict[str, str]) -> Callable[[Request], Response]:
        """An answer for programs: a JWT, or JSON; 404 where there is nothing."""

        @functools.wraps(endpoint)
        def call(request: Request) -> Response:
            try:
                found = endpoint(request)
            except (OutOfReach, InvalidInput):
                return JSONResponse({"error": "away"}, 503, headers=HEADERS | _NEVER | {"Retry-After": "30"})
            if found is None:
                return JSONResponse({"error": "unknown"}, 404, headers=HEADERS | _NEVER)
            headers = HEADERS | more
            if isinstance(found, str):
                return Response(found, media_type=_JWT, headers=headers)
            proved = "proof" in found
            return JSONResponse(found, headers=headers, media_type=_JSON_LD if proved else "application/json")

        return call

    def known(organisation: str) -> bool:
        with here.record.reading() as session:
            return session.get(Organisation, organisation[:64]) is not None

    def host_document(request: Request) -> Any:
        return did_document(here.settings, issuer_did(here.settings.check_url, None), here.now())

    def host_keys(request: Request) -> Any:
        return key_set(here.settings, issuer_did(here.settings.check_url, None), here.now())

    def issuer_document(request: Request) -> Any:
        organisation = request.path_params["organisation"]
        if not known(organisation):
            return None
        return did_document(here.settings, issuer_did(here.settings.check_url, organisation), here.now())

    def issuer_keys(request: Request) -> Any:
        organisation = request.path_params["organisation"]
        if not known(organisation):
            return None
        return key_set(here.settings, issuer_did(here.settings.check_url, organisation), here.now())

    def credential(request: Request) -> Any:
        now = here.now()
        with here.record.reading() as session:
            verdict = by_code(session, request.path_params["code"][:LONGEST], here.stamp, now=now)
            if verdict.state is not PaperState.VALID or verdict.code is None:
                return None
            as_json = request.url.path.endswith(JSON)
            return signed_credential(session, here.settings, verdict.code, now, as_json=as_json)

    def status_list(request: Request) -> Any:
        organisation, name = request.path_params["organisation"], request.path_params["part"]
        part = name.removesuffix(JSON)
        if not part.isascii() or not part.isdecimal() or len(part) > 6 or not known(organisation):
            return None
        as_json = name.endswith(JSON)
        with here.record.reading() as session:
            if not is_there(session, int(part)):
                return None
            return signed_list(session, here.settings, organisation, int(part), here.now(), as_json=as_json)

    places: list[tuple[str, Callable[[Request], Any], dict[str, str]]] = [
        ("/.well-known/did.json", host_document, _MINUTES),
        ("/.well-known/jwks.json", host_keys, _MINUTES),
        (f"{page}/issuers/{{organisation}}/did.json", issuer_document, _MINUTES),
        (f"{page}/issuers/{{organisation}}/jwks.json", issuer_keys, _MINUTES),
        (f"{page}/lists/{{organisation}}/{{part}}", status_list, _MINUTES),
        (f"{page}/{{code}}/credential", credential, _NEVER),
        (f"{page}/{{code}}/credential{JSON}", credential, _NEVER),
    ]
    return [Route(path, answering(endpoint, more), methods=["GET"]) for path, endpoint, more in places]
