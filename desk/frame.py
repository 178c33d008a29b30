"""What every page of the desk is made with: who asks and in which language, and how an answer is dressed.

A page is a function of a `Visit` that gives a response; `page` makes a route of it. The frame proves who somebody
is, reads forms, checks where they come from and words what goes wrong, so that a page has none of that.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import anyio
from anyio.lowlevel import RunVar
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.languages.desk import TEMPLATES, DeskTexts, desk_texts, languages, own_name
from adapters.workspace import Workspace
from desk.arriving import Arriving
from desk.at_once import limiter_of
from desk.following import Following
from desk.forms import LARGEST, SMALL, TOKEN, Form, announced, read_form
from desk.headers import HEADERS, is_ours
from desk.languages import language_of
from desk.parts import why
from desk.templating import rendered
from labels.clock import wall_clock
from labels.errors import LabelsError, NotAllowed, NotFound, OutOfReach
from labels.record.engine import as_one
from labels.sessions.accounts import Account
from labels.sessions.session import LASTS, Half, Lapsed, Visitor, kept_form
from labels.steps.proof import SignedIn
from labels.words.sentences import Sentence, say
from usecases import signing_in

log = logging.getLogger("desk")

Answers = Callable[["Visit"], Response]
Allowed = Callable[[Account], bool]
_NUMBERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def anybody(account: Account) -> bool:
    """Everybody who has signed in."""
    return True


@dataclass(frozen=True)
class Cookies:
    """The cookies of ours at an address: bound to its host, over TLS alone everywhere but on this machine."""

    address: str

    @cached_property
    def secure(self) -> bool:
        """Whether they go over TLS alone."""
        parts = urlsplit(self.address)
        return not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))

    def named(self, name: str) -> str:
        """The name of a cookie; `__Host-` binds it to this host, and needs TLS."""
        return f"__Host-{name}" if self.secure else name

    def give(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Has the browser keep something for so many seconds; 0 takes it away."""
        response.set_cookie(
            self.named(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )


@dataclass(frozen=True)
class Desk:
    """The application: what all of its pages share."""

    here: Workspace
    mail_shown: bool = False
    """Whether the page of outgoing mail is there: in the demo alone."""
    arriving: Arriving = field(default_factory=Arriving, compare=False)
    """What is arriving at this process."""
    following: Following = field(default_factory=Following, compare=False)
    """What follows on applications that came in at this process."""

    @cached_property
    def origin(self) -> str:
        """Where its pages are, as browsers say it."""
        parts = urlsplit(self.here.settings.desk_url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def cookies(self) -> Cookies:
        """Its cookies."""
        return Cookies(self.origin)

    @property
    def secure(self) -> bool:
        """Whether cookies go over TLS alone: everywhere but on this machine."""
        return self.cookies.secure

    def cookie(self, name: str) -> str:
        """The name of a cookie of ours."""
        return self.cookies.named(name)

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Has the browser keep something for so many seconds; 0 takes it away."""
        self.cookies.give(response, name, value, seconds)


SESSION = "session"


@dataclass(frozen=True)
class Visit:
    """One request, with what the desk knows of whoever makes it."""

    request: Request
    desk: Desk
    visitor: Visitor | None = None
    half: Half | None = None
    """Somebody who has signed in, and has still to use a passkey."""
    token: str = ""
    """The session's token, where somebody has signed in."""
    form: Form | None = None
    arrived: datetime = field(default_factory=wall_clock)
    """The instant at which the request began to arrive, by the clock of the settings: what counts for a deadline."""
    headers: dict[str, str] = field(default_factory=dict)
    discreet: bool = False
    """Whether what its form brings is kept nowhere."""

    @property
    def here(self) -> Workspace:
        """The record, the documents and the clock."""
        return self.desk.here

    @property
    def account(self) -> Account:
        """Who it is; pages for everybody ask `visitor` first."""
        if self.visitor is None:
            raise LookupError("nobody has signed in")
        return self.visitor.account

    @property
    def proof(self) -> SignedIn:
        """What they bring to an act."""
        if self.visitor is None:
            raise LookupError("nobody has signed in")
        return signing_in.proof_of(self.visitor)

    @property
    def sent(self) -> Form:
        """The form of a POST."""
        if self.form is None:
            raise LookupError("this request brought no form")
        return self.form

    @cached_property
    def language(self) -> str:
        """The language that they read."""
        return language_of(self.request, self.visitor.account.language if self.visitor else "")

    def texts(self, template: str) -> DeskTexts:
        """The texts of a page, in its language."""
        return desk_texts(template, self.language)

    @property
    def path(self) -> str:
        """The address of this page within the desk."""
        return self.request.url.path

    @property
    def enhanced(self) -> bool:
        """Whether the page's script asks for a part of it."""
        return self.request.headers.get("hx-request") == "true"

    def named(self, name: str) -> str:
        """What stands in a place of the page's address."""
        return str(self.request.path_params[name])

    def shows(
        self, template: str, status: int = 200, *, after: BackgroundTask | None = None, **values: Any
    ) -> Response:
        """The page that a template makes of these values."""
        texts = self.texts(template)
        shared = {
            "languages": _choice(texts.language, self.path),
            "root": f"/assets/{assets_version()}/",
            "path": self.path,
            "account": self.visitor.account if self.visitor else None,
            "places": places_of(self.visitor.account, self.path) if self.visitor else [],
            "form_token": signing_in.form_token(self.here, self.visitor) if self.visitor else "",
            "mail_shown": self.desk.mail_shown,
            "now": self.here.now(),
            "later": "later" in self.request.query_params,
        }
        body = rendered(template, texts, **(shared | values))
        headers = {"Content-Language": texts.language, "Vary": "Cookie, Accept-Language"} | self.headers
        return HTMLResponse(body, status, headers=headers, background=after)

    def goes_to(self, path: str, **query: str) -> Response:
        """Sends the browser to another page of the desk."""
        return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)


def later(outage: OutOfReach | None) -> dict[str, str]:
    """What has the next page say that something is recorded, and goes on later, where a service is away."""
    return {"later": "1"} if outage else {}


def _choice(language: str, path: str) -> list[tuple[str, str, str]]:
    """The other languages: what each is called, its code, and the link that chooses it."""
    back = quote(path, safe="/")
    return [(own_name(one), one, f"/language/{one}?back={back}") for one in languages() if one != language]


# Places: what the head of each page leads to ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A list of the desk that the head of every page leads to, for those who have it."""

    name: Sentence
    path: str
    has: Allowed
    of_staff: bool = False
    """Whether it is work for an organisation: that is where whoever also teaches begins."""


_PLACES: list[Place] = []


def add_places(*places: Place) -> None:
    """Adds lists to the head of the page, in this order; a list that is there already stays."""
    _PLACES.extend(place for place in places if place not in _PLACES)


def places_of(account: Account, path: str) -> list[tuple[Sentence, str, bool]]:
    """What somebody has: name, path, and whether they are there."""
    found = [place for place in _PLACES if place.has(account)]
    here = max(
        (p.path for p in found if path == p.path or path.startswith(p.path.rstrip("/") + "/")), default=""
    )
    return [(place.name, place.path, place.path == here) for place in found]


def first_place(account: Account) -> str:
    """Where somebody begins."""
    theirs = [place for place in _PLACES if place.has(account)]
    return next((place.path for place in sorted(theirs, key=lambda one: not one.of_staff)), "/account")


# The addresses of what pages are made with ----------------------------------------------------------------------------------------


@cache
def assets_version() -> str:
    """Stands in the addresses of style, script, fonts and art: another one whenever any of them has changed."""
    digest = hashlib.sha256()
    for path in sorted((TEMPLATES / "assets").rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


# What goes wrong ----------------------------------------------------------------------------------


def error_number() -> str:
    """A number to quote: `E-4KQ7-09XD`."""
    letters = "".join(secrets.choice(_NUMBERS) for _ in range(8))
    return f"E-{letters[:4]}-{letters[4:]}"


def failed(
    visit: Visit,
    status: int,
    *,
    because: Sentence | LabelsError | None = None,
    error: Exception | None = None,
) -> Response:
    """The page that says that something went wrong; with a number to quote where it is not the person's doing."""
    number = error_number() if status >= 500 else ""
    if number:
        who = visit.visitor.account.person if visit.visitor else "nobody"
        known = None if visit.discreet else error  # what it was about could be in its text
        log.error("%s %s %s %s by %s", number, status, visit.request.method, visit.path, who, exc_info=known)
    template = f"problems/{status}.html.j2" if status in _PROBLEMS else "problems/400.html.j2"
    answer = visit.shows(
        template,
        status,
        number=number,
        because=_said(visit.texts(template), because),
        sent=_sent_again(visit) if number else [],
        unknown=isinstance(error, OutOfReach) and error.partly,
    )
    answer.headers.update(HEADERS)
    if status == 503:
        answer.headers["Retry-After"] = "30"
    return answer


def _said(texts: DeskTexts, because: Sentence | LabelsError | None) -> str:
    match because:
        case None:
            return ""
        case LabelsError():
            return why(texts, because)
    return texts.told(because)


def _sent_again(visit: Visit) -> list[tuple[str, str]]:
    """The fields of the form that came, for the page that says that it could not be taken: nobody types twice."""
    if visit.form is None:
        return []
    return [(name, one) for name, one in visit.form.data.multi_items() if isinstance(one, str)]


_PROBLEMS = frozenset({400, 403, 404, 413, 500, 503})


def visit_of(request: Request) -> Visit:
    """A request of which nothing is known yet."""
    desk: Desk = request.app.state.desk
    return Visit(request, desk, arrived=desk.here.now())


# Routes -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """How one page answers, and who may see it."""

    get: Answers | None
    post: Answers | None
    allowed: Allowed | None
    """None for everybody, signed in or not, whose forms carry no session's token then. To whom a page is not allowed,
    it is not there."""
    largest: int
    files: int
    discreet: bool

    async def answer(self, request: Request) -> Response:
        """The response to a request, whatever goes wrong on the way."""
        visit = dataclasses.replace(visit_of(request), discreet=self.discreet)
        try:
            if request.method != "POST":
                return await run_in_threadpool(_whatever_goes_wrong, visit, self._answer)
            if not is_ours(request, visit.desk.origin):
                return await run_in_threadpool(failed, visit, 403, because=NOT_OURS)
            length = announced(request)
            if length is not None and length <= SMALL:
                form = await read_form(request, files=self.files, in_memory=self.discreet)
                return await self._with_form(visit, form)
            if self.allowed is None:
                return await self._with_form(visit, await read_form(request, largest=SMALL))
            return await self._large(visit)
        except HTTPException as error:
            return await run_in_threadpool(failed, visit, error.status_code)

    async def _large(self, visit: Visit) -> Response:
        """Takes a large form from those alone who have signed in, or had: nobody else has the disk written."""
        whose = ""

        def known(visit: Visit) -> Response | None:
            nonlocal whose
            who, _ = _who(visit)
            if who is None:
                return _to_sign_in(visit, None)
            whose = who.address if isinstance(who, Lapsed) else who.account.address
            return None

        if refused := await run_in_threadpool(_whatever_goes_wrong, visit, known):
            return refused
        with visit.desk.arriving.body(whose) as count:
            form = await read_form(
                visit.request, largest=self.largest, files=self.files, in_memory=self.discreet, count=count
            )
            return await self._with_form(visit, form)

    async def _with_form(self, visit: Visit, form: Form) -> Response:
        visit = dataclasses.replace(visit, form=form)
        limiter = limiter_of(_LIMITER, FILES_AT_ONCE) if form.brings_files else None
        try:
            return await anyio.to_thread.run_sync(_whatever_goes_wrong, visit, self._answer, limiter=limiter)
        finally:
            await form.data.close()

    def _answer(self, visit: Visit) -> Response:
        who, token = _who(visit)
        visit = dataclasses.replace(
            visit,
            visitor=who if isinstance(who, Visitor) else None,
            half=who if isinstance(who, Half) else None,
            token=token,
        )
        answer = _whatever_goes_wrong(visit, lambda known: self._for(known, who))
        if isinstance(who, Visitor) and signing_in.is_to_be_noted(visit.here, who):
            _afterwards(answer, BackgroundTask(signing_in.note_seen, visit.here, who))
        return answer

    def _for(self, visit: Visit, who: Visitor | Half | Lapsed | None) -> Response:
        if self.allowed is not None:
            if not isinstance(who, Visitor):
                return _to_sign_in(visit, who)
            if who.account.several and visit.path != CHOICE:
                return visit.goes_to(CHOICE, then=_local(visit))
            if not self.allowed(who.account):
                raise NotFound("There is nothing here.")
        if visit.form and self.allowed is not None and isinstance(who, Visitor):
            given = visit.form.data.get(TOKEN, "")
            if not isinstance(given, str) or not signing_in.carries(visit.here, who, given):
                return failed(visit, 403, because=NOT_OURS)
        answers = self.post if visit.form else self.get
        assert answers is not None
        with as_one():
            response = answers(visit)
        if (
            isinstance(who, Visitor)
            and who.changed
            and (renewed := signing_in.renewed_token(visit.here, who))
        ):
            give_session(visit.desk, response, renewed)
        return response


def _afterwards(answer: Response, task: BackgroundTask) -> None:
    """Does something once an answer is out, after what is to be done then already."""
    before = [answer.background] if answer.background else []
    answer.background = BackgroundTasks([*before, task])


FILES_AT_ONCE = 4
"""Forms with files that are worked on at the same time: their files are looked through in memory."""
_LIMITER = RunVar[anyio.CapacityLimiter]("forms with files")


_Made = TypeVar("_Made", bound=Response | None)


def _whatever_goes_wrong(visit: Visit, work: Callable[[Visit], _Made]) -> _Made | Response:
    """What some work on a request comes to; the page that says what went wrong, if it did."""
    try:
        return work(visit)
    except NotFound:
        return failed(visit, 404)
    except OutOfReach as error:
        return failed(visit, 503, error=error)
    except NotAllowed as error:
        return failed(visit, 403, because=error)
    except LabelsError as error:
        return failed(visit, 400, because=error)
    except Exception as error:
        return failed(visit, 500, error=error)


CHOICE = "/who"
"""Where one of several people with one mailbox says who they are, before anything else."""

NOT_OURS = say("The form did not come from this page as it is now. Open the page anew, and send it again.")


def page(
    path: str,
    get: Answers | None = None,
    post: Answers | None = None,
    *,
    allowed: Allowed | None = anybody,
    largest: int = LARGEST,
    files: int = 0,
    discreet: bool = False,
) -> Route:
    """A route to a page.

    Args:
        path: its address, with `{names}` of what stands in it (`Visit.named`).
        get: what it shows.
        post: what it does with a form.
        allowed: who has it; None for everybody, whether signed in or not.
        largest: bytes of a form.
        files: how many files a form may bring.
        discreet: whether what a form brings is kept nowhere: not on the disk, in the record or in a log.
    """
    methods = [name for name, there in (("GET", get), ("POST", post)) if there]
    return Route(path, Page(get, post, allowed, largest, files, discreet).answer, methods=methods)


def _who(visit: Visit) -> tuple[Visitor | Half | Lapsed | None, str]:
    token = visit.request.cookies.get(visit.desk.cookie(SESSION), "")
    return (signing_in.visitor_of(visit.here, token[:200]), token) if token else (None, "")


SECOND = "/sign-in/second"
"""Where whoever needs a passkey besides their code uses or adds it."""


def _to_sign_in(visit: Visit, who: Visitor | Half | Lapsed | None) -> Response:
    """Asks to sign in first, or to use a passkey too; what somebody sent who has to is kept for them."""
    path = SECOND if isinstance(who, Half) else "/sign-in"
    if visit.form and not visit.discreet and isinstance(who, Half | Lapsed):
        given = visit.form.data.get(TOKEN, "")
        person = who.person if isinstance(who, Lapsed) else who.account.person
        if isinstance(given, str) and person and signing_in.carries(visit.here, who, given):
            signing_in.keep_form(visit.here, person, visit.path, visit.form.kept())
            return visit.goes_to(path, then=visit.path, kept="1")
    query = {"then": _local(visit)} if _local(visit) != "/" else {}
    if isinstance(who, Lapsed):
        query["away"] = "1"
    return visit.goes_to(path, **query)


def _local(visit: Visit) -> str:
    """This page's address with its query, for coming back to; a form's is that of its page."""
    query = visit.request.url.query
    return visit.path + (f"?{query}" if query and visit.form is None else "")


def local_path(text: str) -> str:
    """A path within the desk, as somebody gave it in an address; `/` where it leads anywhere else."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(one) < 33 for one in text):
        return "/"
    parts = urlsplit(text)
    return text if not parts.scheme and not parts.netloc and len(text) < 1000 else "/"


def give_session(desk: Desk, response: Response, token: str) -> None:
    """Gives a browser the token of a session."""
    desk.set_cookie(response, SESSION, token, int(LASTS.total_seconds()))


def kept_fields(visit: Visit) -> tuple[Mapping[str, Any], datetime] | None:
    """What this person sent to this page when their session had run out, and when."""
    with visit.here.record.reading() as session:
        return kept_fields_in(session, visit)


def kept_fields_in(session: Session, visit: Visit) -> tuple[Mapping[str, Any], datetime] | None:
    """The same in a session that reads more."""
    kept = kept_form(session, visit.account.person, visit.path)
    return (kept.fields, kept.kept_at) if kept else None
