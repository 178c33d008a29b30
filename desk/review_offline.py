"""Reviews without a connection: all cases as one ZIP, with a file each that is filled in and brought back as a draft."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters.languages.catalogues import MEANING
from adapters.languages.desk import DeskTexts
from adapters.workspace import Workspace
from desk.frame import Visit, page
from desk.parts import Mistake, why
from desk.review_list import LIST, judges
from desk.reviewing import groups_of
from desk.templating import rendered
from labels.applications.uploads.limits import MIB
from labels.clock import BRUSSELS
from labels.errors import InvalidInput, LabelsError, NotFound
from labels.record.schema import Application
from labels.reviews import sheet
from labels.rules.kept import rules_of
from labels.rules.model import CriteriaSet
from labels.turn import Door
from labels.views.review_case import ReviewPage, review_for
from labels.views.review_list import review_list
from labels.words.sentences import Sentence, say
from usecases import reviewing
from usecases.performing import perform

OFFLINE = "/reviews/offline"
ALL = 1_000
"""More reviews than anybody has to do at once."""
FILES = 100
LARGEST = 25 * MIB
"""Bytes of an upload: the files of all cases, or the ZIP with them."""
_UNPACKED = 100 * sheet.LARGEST

STYLE = (
    "body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:18px/1.6 Georgia,serif;color:#2c2f33;background:#fffefa}"
    "h1,h2{color:#0e4551;font-weight:400;line-height:1.2}h1{font-size:2rem}h2{font-size:1.4rem;margin-top:2rem}"
    ".quiet{color:#565a5f;font-size:15px}"
)


TEMPLATE = "reviews/offline.html.j2"


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one file that was brought back."""

    name: str
    taken: bool
    title: str = ""
    step: str = ""
    why: tuple[object, ...] = ()


def offline(visit: Visit) -> Response:
    """The page for taking along and bringing back."""
    return _shown(visit)


def _shown(
    visit: Visit, brought: tuple[Brought, ...] = (), mistakes: tuple[Mistake, ...] = (), status: int = 200
) -> Response:
    with visit.here.record.reading() as session:
        found = review_list(session, visit.account.person, visit.here.now(), limit=ALL)
    ready = sum(1 for row in found.rows if row.state != "conflict")
    return visit.shows(
        TEMPLATE,
        status,
        ready=ready,
        unasked=len(found.rows) - ready,
        brought=brought,
        mistakes=mistakes,
    )


# Taking along ---------------------------------------------------------------------------------------


def take_along(visit: Visit) -> Response:
    """The ZIP, made while it is sent: one document at a time is in memory."""
    name = f"reviews-{visit.here.now().astimezone(BRUSSELS):%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_zipped(visit), media_type="application/zip", headers=headers)


class _Pipe(io.RawIOBase):
    """Where a ZIP is written to and taken from piece by piece."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # of bytes alone
        self.written.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self.written = b"".join(self.written), []
        return pieces


def _zipped(visit: Visit) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("style.css", STYLE)
        for shown in _to_do(visit):
            folder, about = shown.asked.application, shown.brief.about
            packed.writestr(f"{folder}/application.html", _application(visit, shown, about.title))
            packed.writestr(f"{folder}/review.txt", _sheet(visit, shown).encode("utf-8-sig"))
            yield pipe.taken()
            for one in shown.brief.documents.files:
                if one.kind != "evidence":
                    continue
                name, content = f"{folder}/evidence/{one.name}", _content(visit.here, one.key)
                if content is None:
                    name, content = f"{name}.missing.txt", b"This document could not be read.\n"
                packed.writestr(name, content, zipfile.ZIP_STORED)
                yield pipe.taken()
    yield pipe.taken()


def _to_do(visit: Visit) -> Iterator[ReviewPage]:
    """The person's cases, without those of which they have not said that they may judge them."""
    who, now = visit.account.person, visit.here.now()
    with visit.here.record.reading() as session:
        steps = [row.step for row in review_list(session, who, now, limit=ALL).rows]
    for step in steps:
        with visit.here.record.reading() as session:
            try:
                shown = review_for(session, step, who, now)
            except NotFound:
                continue  # reassigned since
        if isinstance(shown, ReviewPage):
            yield shown


def _content(here: Workspace, key: str) -> bytes | None:
    try:
        return here.documents.get(key)
    except LabelsError:
        return None


def _application(visit: Visit, shown: ReviewPage, title: str) -> str:
    template = "reviews/application.html.j2"
    texts = visit.texts(template)
    return rendered(template, texts, title=title, shown=shown, criteria=groups_of(shown))


def _sheet(visit: Visit, shown: ReviewPage) -> str:
    texts = visit.texts("reviews/application.html.j2")
    criteria = _criteria(visit, shown)
    scale = " · ".join(f"{points} {_named(texts, MEANING, said)}" for points, said in criteria.points.items())
    words = sheet.Words(
        about=[
            f"{shown.asked.title} · {shown.asked.application}",
            _said(
                texts,
                say("Write a number of points behind each colon, and your words below the square brackets."),
            ),
            _said(
                texts,
                say(
                    "Save it as plain text and bring it back on the page “Without a connection”; you send it there."
                ),
            ),
        ],
        criteria={
            one.id: [
                f"{_named(texts, 'criterion', one.name)}. {_named(texts, MEANING, one.meaning)}",
                scale,
            ]
            for one in criteria.criteria
        },
        comment=_said(texts, say("To the applicant; it is sent without your name.")),
        note=_said(texts, say("Note to the coordinators; the applicant never reads it.")),
    )
    return sheet.written(shown.asked.step, shown.number, criteria.criteria, shown.typed, words)


def _criteria(visit: Visit, shown: ReviewPage) -> CriteriaSet:
    with visit.here.record.reading() as session:
        return rules_of(session, session.get_one(Application, shown.asked.application)).criteria_set


def _said(texts: DeskTexts, sentence: Sentence) -> str:
    return texts.said(sentence) if texts.can_say([sentence]) else str(sentence)


def _named(texts: DeskTexts, context: str, name: str) -> str:
    return texts.named(context, name)


# Bringing back --------------------------------------------------------------------------------------


def bring_back(visit: Visit) -> Response:
    """Takes filled-in files as drafts, and says of each what became of it."""
    files: list[tuple[str, bytes]] = []
    for upload in visit.sent.files("files"):
        name, content = upload.filename or "", upload.file.read()
        files += _unpacked(name, content)
    if not files:
        none = say("Choose the review files, or the ZIP with them")
        return _shown(visit, mistakes=(Mistake(none, "files"),), status=422)
    replace = visit.sent.has("replace")
    brought = tuple(_taken(visit, name, content, replace) for name, content in files[:FILES])
    return _shown(visit, brought, status=200 if all(one.taken for one in brought) else 422)


def _unpacked(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """The review files in an upload: itself, or those in a ZIP."""
    if content[:2] != b"PK":
        return [(name, content)]
    found: list[tuple[str, bytes]] = []
    room = _UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():
                if not entry.filename.lower().endswith(".txt") or entry.filename.startswith("__MACOSX"):
                    continue
                with packed.open(entry) as opened:
                    text = opened.read(min(sheet.LARGEST, room) + 1)
                room -= len(text)
                if room < 0 or len(found) == FILES:
                    break
                if b"step:" in text or text[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    found.append((entry.filename, text))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError):
        return [(name, content)]
    return found


def _taken(visit: Visit, name: str, content: bytes, replace: bool) -> Brought:
    texts = visit.texts(TEMPLATE)
    if content[:2] == b"PK":
        return Brought(name, False, why=(say("This ZIP can't be opened."),))
    try:
        read = sheet.read(content, name)
    except InvalidInput as refused:
        return Brought(name, False, why=tuple(map(texts.fault, refused.faults)))
    title = ""
    try:
        with visit.here.record.reading() as session:
            shown = review_for(session, read.step, visit.account.person, visit.here.now())
        if shown.asked is not None:
            title = shown.asked.title
        act = reviewing.save_draft(read.step, read.typed, None if replace else read.after)
        perform(visit.here, act, by=visit.proof, door=Door.DESK)
    except NotFound:
        return Brought(name, False, why=(say("No review of yours has this number."),))
    except LabelsError as refused:
        return Brought(name, False, title, read.step, (why(texts, refused),))
    return Brought(name, True, title, read.step)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(f"{LIST}/offline.zip", take_along, allowed=judges),
        page(OFFLINE, offline, bring_back, allowed=judges, largest=LARGEST, files=FILES),
    ]
