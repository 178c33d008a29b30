"""The public page on which a stranger checks a certificate: by its code, or by its file."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.papers.checking import LARGEST, check_content
from adapters.papers.environment import paper_environment
from adapters.workspace import Workspace
from desk.arriving import STRANGERS, Arriving
from desk.forms import read_form
from labels.errors import OutOfReach
from labels.papers.codes import read_code
from labels.papers.credential import revocation_list
from labels.papers.verifying import LABELS, PaperState, Verification, by_code

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""Nothing is kept by a browser, loaded from anywhere or run."""

_AT_ONCE = 2
"""Files that are looked into at the same time; whoever comes then is asked to come again."""

_AWAY = "The record is out of reach just now. Please try again later."
_BUSY = "Many files are being checked just now. Please try again in a moment."
_NONE = "No file arrived. Choose the PDF of the certificate first."
_NOT_TAKEN = {400: _NONE, 413: "The file is larger than 10 MB, which no certificate is.", 503: _BUSY}

_HEADINGS = {
    PaperState.VALID: "Genuine and valid",
    PaperState.EXPIRED: "Genuine, but the label has ended",
    PaperState.SUPERSEDED: "Genuine, but replaced by a later one",
    PaperState.SUSPENDED: "Not valid now: the decision is being made again",
    PaperState.REVOKED: "No longer valid",
    PaperState.ALTERED: "Not as it was issued",
    PaperState.UNKNOWN: "Not known here",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says of a paper: no more than is needed to compare it."""

    state: str
    heading: str
    sentence: str
    facts: tuple[tuple[str, str], ...] = ()
    replaced_by: str | None = None
    signature: str | None = None


def answer_to(verdict: Verification) -> Answer:
    """The public part of a verdict: not why a label was taken back, and of a pupil no school."""
    certifies = verdict.kind in (None, "certificate")
    if verdict.pupil:
        shown = [
            ("Label", LABELS["pupil"]),
            ("Certificate", f"{verdict.pupil} of its class"),
            ("Project", verdict.project),
            ("School year", verdict.school_year),
        ]
    else:
        shown = [
            ("Label", LABELS.get(verdict.label or "", verdict.label)),
            (
                "Awarded to" if certifies else f"{str(verdict.kind).title()} to",
                verdict.holder,
            ),
            ("School", verdict.school if verdict.school != verdict.holder else None),
            ("Project", verdict.project),
            ("School year", verdict.school_year),
            ("Awarded on", str(verdict.awarded_on or "")),
            ("Valid until", str(verdict.valid_until or "")),
            ("By", verdict.organisation),
            ("Number", verdict.number),
        ]
    shown.append(("Code", verdict.code if verdict.label else None))
    return Answer(
        state=verdict.state.value,
        heading=_HEADINGS[verdict.state]
        if verdict.state is not PaperState.VALID or certifies
        else "Genuine, but no certificate",
        sentence=_unbroken(verdict.why),
        facts=tuple((name, value) for name, value in shown if value) if verdict.label else (),
        replaced_by=verdict.superseded_by,
        signature=verdict.signature.why if verdict.signature else None,
    )


_DAY_OR_CODE = re.compile(r"\d{4}-\d\d-\d\d|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")


def _unbroken(sentence: str) -> str:
    """The sentence with its days and codes on one line each; such a code can be typed in again as it is."""
    return _DAY_OR_CODE.sub(lambda found: found.group().replace("-", "\u2011"), sentence)


def check_routes(here: Workspace, arriving: Arriving) -> list[Route]:
    """The page's addresses, below the path of `Settings.check_url`."""
    page = urlsplit(here.settings.check_url).path.rstrip("/")
    busy = threading.BoundedSemaphore(_AT_ONCE)
    template = paper_environment().get_template("check/check.html.j2")

    def shown(answer: Answer | None, status: int = 200) -> Response:
        return HTMLResponse(template.render(answer=answer, page=page), status, headers=_HEADERS)

    def failed(status: int, sentence: str) -> Response:
        return shown(Answer("unknown", "Not checked", sentence), status)

    def known(code: str) -> Verification:
        with here.record.reading() as session:
            return by_code(session, code, here.stamp, now=here.now())

    def reached(endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def call(request: Request) -> Response:
            try:
                return endpoint(request)
            except OutOfReach:
                return failed(503, _AWAY)

        return call

    @reached
    def begin(request: Request) -> Response:
        typed = request.query_params.get("code", "")[:200]
        if not typed.strip():
            return shown(None)
        if code := read_code(typed):
            return RedirectResponse(f"{page}/{code}", 303, headers=_HEADERS)
        return shown(answer_to(known(typed)), 404)

    @reached
    def by_its_code(request: Request) -> Response:
        verdict = known(request.path_params["code"][:200])
        return shown(answer_to(verdict), 404 if verdict.state is PaperState.UNKNOWN else 200)

    @reached
    def status(request: Request) -> Response:
        """Whether a credential was taken back, for machines (Open Badges' revocation list)."""
        verdict = known(request.path_params["code"][:200])
        if verdict.code is None or verdict.label is None:
            return JSONResponse({"error": "unknown"}, 404, headers=_HEADERS)
        reason = {
            PaperState.SUSPENDED: "The decision that it rests on is being made again.",
            PaperState.REVOKED: "The label was taken back.",
            PaperState.SUPERSEDED: "A corrected certificate replaces it.",
        }.get(verdict.state)
        body = revocation_list(here.settings.check_url, verdict.code, verdict.organisation or "", reason)
        return JSONResponse(body, headers=_HEADERS | {"Access-Control-Allow-Origin": "*"})

    async def by_its_file(request: Request) -> Response:
        try:
            with arriving.body(STRANGERS) as count:
                form = await read_form(request, largest=LARGEST + 10_000, files=1, count=count)
                try:
                    return await checked(next(iter(form.files("paper")), None))
                finally:
                    await form.data.close()
        except HTTPException as refused:
            return failed(
                refused.status_code, _NOT_TAKEN.get(refused.status_code, "The file did not arrive.")
            )

    async def checked(file: UploadFile | None) -> Response:
        if file is None or not file.size:
            return failed(400, _NONE)
        if not busy.acquire(blocking=False):
            return failed(503, _BUSY)
        try:
            verdict = await run_in_threadpool(check_content, here, await file.read(), here.now())
        except OutOfReach:
            return failed(503, _AWAY)
        finally:
            busy.release()
        return shown(answer_to(verdict))

    return [
        Route(page or "/", begin, methods=["GET"]),
        Route(page or "/", by_its_file, methods=["POST"]),
        Route(f"{page}/{{code}}", by_its_code, methods=["GET"]),
        Route(f"{page}/{{code}}/status", status, methods=["GET"]),
    ]
