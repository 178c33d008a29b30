"""The public page on which a stranger checks a certificate: by its code, or by its file."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.languages.desk import DeskTexts, desk_texts, languages, own_name
from adapters.papers.checking import LARGEST, check_content
from adapters.workspace import Workspace
from desk.arriving import STRANGERS, Arriving
from desk.credentials import offers_credentials
from desk.forms import read_form
from desk.languages import language_of
from desk.templating import rendered
from labels.errors import OutOfReach
from labels.kinds import LabelKind
from labels.papers.codes import LONGEST, read_code
from labels.papers.credential import revocation_list
from labels.papers.verifying import TITLES, PaperState, Verification, by_code
from labels.words.sentences import Sentence, say

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

_AWAY = say("The record is out of reach just now. Please try again later.")
_BUSY = say("Many files are being checked just now. Please try again in a moment.")
_NONE = say("No file arrived. Choose the PDF of the certificate first.")
_NOT_TAKEN = {
    400: _NONE,
    413: say("The file is larger than 10 MB, which no certificate is."),
    503: _BUSY,
}
_NOT_ARRIVED = say("The file did not arrive.")
_NOT_CHECKED = say("Not checked")

_HEADINGS = {
    PaperState.VALID: say("Genuine and valid"),
    PaperState.EXPIRED: say("Genuine, but the label has ended"),
    PaperState.SUPERSEDED: say("Genuine, but replaced by a later one"),
    PaperState.SUSPENDED: say("Not valid now: the decision is being made again"),
    PaperState.REVOKED: say("No longer valid"),
    PaperState.ALTERED: say("Not as it was issued"),
    PaperState.UNKNOWN: say("Not known here"),
}
_NO_CERTIFICATE = say("Genuine, but no certificate")
_ISSUED_TO = {"letter": say("Letter to"), "receipt": say("Receipt to"), "invitation": say("Invitation to")}
TEMPLATE = "verify.html.j2"

Fact = tuple[Sentence, Sentence | str, str]
"""What it is called, what it is, and how it is set: as a `name`, a `code` or plainly."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says of a paper, in any language: no more than is needed to compare it."""

    state: str
    heading: Sentence
    sentence: Sentence
    facts: tuple[Fact, ...] = ()
    replaced_by: str | None = None
    signature: Sentence | None = None
    language: str = ""
    """Of the paper; empty where there is none."""
    code: str = ""
    """Of a certificate that a wallet may have."""


def answer_to(verdict: Verification) -> Answer:
    """The public part of a verdict: not why a label was taken back, and of a pupil no school."""
    certifies = verdict.kind in (None, "certificate")
    pupils = verdict.label == LabelKind.PUPIL
    title = TITLES.get(verdict.label or "")
    shown: list[tuple[Sentence, Sentence | str | None, str]] = [(say("Label"), title, "")]
    if pupils:
        if verdict.pupil:
            number, _, count = verdict.pupil.partition(" of ")
            of_class = say("{number} of {count} of its class", number=number, count=count)
            shown.append((say("Certificate"), of_class, ""))
        shown += [
            (say("Project"), verdict.project, ""),
            (say("School year"), verdict.school_year, ""),
        ]
    else:
        shown += [
            (_ISSUED_TO.get(verdict.kind or "", say("Awarded to")), verdict.holder, "name"),
            (say("School"), verdict.school if verdict.school != verdict.holder else None, ""),
            (say("Project"), verdict.project, ""),
            (say("School year"), verdict.school_year, ""),
            (say("Awarded on"), _day(verdict.awarded_on), ""),
            (say("Valid until"), _day(verdict.valid_until), ""),
            (say("Awarded by") if certifies else say("From"), verdict.organisation, ""),
            (say("Number"), verdict.number, ""),
        ]
    if certifies:
        shown.append((say("Code"), verdict.code, "code"))
    return Answer(
        state=verdict.state.value,
        heading=_HEADINGS[verdict.state]
        if verdict.state is not PaperState.VALID or certifies
        else _NO_CERTIFICATE,
        sentence=verdict.why,
        facts=tuple((name, value, kind) for name, value, kind in shown if value) if title else (),
        replaced_by=verdict.superseded_by,
        signature=verdict.signature.why if verdict.signature else None,
        language=verdict.language or "",
        code=verdict.code or "" if verdict.state is PaperState.VALID and certifies and verdict.holder else "",
    )


def _day(day: date | None) -> Sentence | None:
    return Sentence("{day}", {"day": day}) if day else None


_CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")


def _unbroken(sentence: str) -> Markup:
    """A sentence with its codes on one line each; such a code can be typed in again as it is."""
    return Markup(_CODE.sub(lambda found: found.group().replace("-", "\u2011"), str(escape(sentence))))


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks: the address of the page, and the language that they chose on it, if any."""

    request: Request
    page: str

    @property
    def chosen(self) -> str:
        """The language that was chosen on this page; empty where none was."""
        wish = self.request.query_params.get("language", "")
        return wish if wish in languages() else ""

    def texts(self, paper: str) -> DeskTexts:
        """The page's texts: in the language that was chosen, else the paper's, else the browser's."""
        return desk_texts(TEMPLATE, self.chosen or language_of(self.request, paper))

    def choice(self, language: str) -> list[tuple[str, str, str]]:
        """The other languages: what each is called, its code, and the same page in it."""
        path = self.request.url.path if self.request.method == "GET" else self.page or "/"
        return [(own_name(one), one, f"{path}?language={one}") for one in languages() if one != language]

    @property
    def asked(self) -> str:
        """What goes behind the addresses of the page to keep the language that was chosen."""
        return f"?language={self.chosen}" if self.chosen else ""


def check_routes(here: Workspace, arriving: Arriving) -> list[Route]:
    """The page's addresses, below the path of `Settings.check_url`."""
    page = urlsplit(here.settings.check_url).path.rstrip("/")
    busy = threading.BoundedSemaphore(_AT_ONCE)

    def shown(request: Request, answer: Answer | None, status: int = 200) -> Response:
        asking = _Asking(request, page)
        texts = asking.texts(answer.language if answer else "")
        as_jwt, as_json = offers_credentials(here) if answer and answer.code else (False, False)
        wallet = f"/{answer.code}/credential" if answer and as_jwt else ""
        body = rendered(
            TEMPLATE,
            texts,
            answer=answer,
            sentence=_unbroken(texts.told(answer.sentence)) if answer else "",
            page=page,
            wallet=wallet and page + wallet,
            address=wallet and here.settings.check_url + wallet,
            as_json=as_json,
            asked=asking.asked,
            languages=asking.choice(texts.language),
        )
        headers = {"Content-Language": texts.language, "Vary": "Cookie, Accept-Language"}
        return HTMLResponse(body, status, headers=_HEADERS | headers)

    def failed(request: Request, status: int, sentence: Sentence) -> Response:
        return shown(request, Answer("unknown", _NOT_CHECKED, sentence), status)

    def known(code: str) -> Verification:
        with here.record.reading() as session:
            return by_code(session, code, here.stamp, now=here.now())

    def reached(endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def call(request: Request) -> Response:
            try:
                return endpoint(request)
            except OutOfReach:
                return failed(request, 503, _AWAY)

        return call

    @reached
    def begin(request: Request) -> Response:
        typed = request.query_params.get("code", "")[:LONGEST]
        if not typed.strip():
            return shown(request, None)
        if code := read_code(typed):
            asked = _Asking(request, page).asked
            return RedirectResponse(f"{page}/{code}{asked}", 303, headers=_HEADERS)
        return shown(request, answer_to(known(typed)), 404)

    @reached
    def by_its_code(request: Request) -> Response:
        verdict = known(request.path_params["code"][:LONGEST])
        return shown(request, answer_to(verdict), 404 if verdict.state is PaperState.UNKNOWN else 200)

    @reached
    def status(request: Request) -> Response:
        """Whether a credential was taken back, for machines (Open Badges' revocation list)."""
        verdict = known(request.path_params["code"][:LONGEST])
        if verdict.code is None or verdict.label is None:
            return JSONResponse({"error": "unknown"}, 404, headers=_HEADERS)
        reason = {
            PaperState.SUSPENDED: "The decision that it rests on is being made again.",
            PaperState.REVOKED: "The label was taken back.",
            PaperState.SUPERSEDED: "A corrected certificate replaces it.",
        }.get(verdict.state)
        body = revocation_list(here.settings.check_url, verdict.code, verdict.issuer, reason)
        return JSONResponse(body, headers=_HEADERS | {"Access-Control-Allow-Origin": "*"})

    async def by_its_file(request: Request) -> Response:
        try:
            with arriving.body(STRANGERS) as count:
                form = await read_form(request, largest=LARGEST + 10_000, files=1, count=count)
                try:
                    return await checked(request, next(iter(form.files("paper")), None))
                finally:
                    await form.data.close()
        except HTTPException as refused:
            return failed(request, refused.status_code, _NOT_TAKEN.get(refused.status_code, _NOT_ARRIVED))

    async def checked(request: Request, file: UploadFile | None) -> Response:
        if file is None or not file.size:
            return failed(request, 400, _NONE)
        if not busy.acquire(blocking=False):
            return failed(request, 503, _BUSY)
        try:
            verdict = await run_in_threadpool(check_content, here, await file.read(), here.now())
        except OutOfReach:
            return failed(request, 503, _AWAY)
        finally:
            busy.release()
        return shown(request, answer_to(verdict))

    return [
        Route(page or "/", begin, methods=["GET"]),
        Route(page or "/", by_its_file, methods=["POST"]),
        Route(f"{page}/{{code}}", by_its_code, methods=["GET"]),
        Route(f"{page}/{{code}}/status", status, methods=["GET"]),
    ]
