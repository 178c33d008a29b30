"""Certificates for a class: a list of names is pasted or read from a file, looked through, and comes back as certificates at once.

The names are nowhere but in the memory of the request and on the teacher's own page: what the list said goes with the
form from one page to the next, so nothing of it is kept between them (`discreet`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from adapters.fonts import missing_characters
from desk.frame import Visit, page
from desk.my_projects import is_teacher
from desk.parts import Mistake, why
from labels.errors import InvalidInput, LabelsError, NotFound
from labels.pupil_label import classes
from labels.pupil_label.classes import MayHaveClasses
from labels.pupil_label.names import LARGEST, SPREADSHEET, NameList, looked_through, odd, read_names
from labels.turn import Door
from labels.words.sentences import Sentence
from usecases import printing

PATH = "/classes"
LIST = "classes/list.html.j2"
_MOST = 2_000
"""Names of one form, before the rules are asked."""


def labels(visit: Visit) -> Response:
    """The labels for which somebody can have certificates made for a class."""
    return visit.shows("classes/labels.html.j2", labels=_own(visit))


def _own(visit: Visit) -> list[MayHaveClasses]:
    with visit.here.record.reading() as session:
        return classes.labels_of(session, visit.account.teachers)


def mine(visit: Visit) -> MayHaveClasses:
    """The label that this page's address names.

    Raises:
        NotFound: it is somebody else's, or was taken back.
    """
    found = next((one for one in _own(visit) if one.award == visit.named("award")), None)
    if found is None:
        raise NotFound("There is nothing here.")
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list, as its preview shows it."""

    number: int
    name: str
    odd: tuple[Sentence | str, ...]


def show(visit: Visit) -> Response:
    """Where a list is given; meanwhile certificates are made ready to be printed."""
    return _shown(visit, mine(visit), after=BackgroundTask(printing.make_ready))


def _shown(
    visit: Visit,
    one: MayHaveClasses,
    mistakes: Sequence[Mistake] = (),
    typed: str = "",
    listed: NameList | None = None,
    status: int = 200,
    after: BackgroundTask | None = None,
) -> Response:
    texts = visit.texts(LIST)
    rows = []
    for pupil in listed.pupils if listed else ():
        again = (texts.say("stands further up too"),) if listed and pupil.row in listed.repeated else ()
        about = odd(pupil.name)
        rows.append(Row(pupil.row, pupil.name, (*again, *((about,) if about else ()))))
    return visit.shows(
        LIST,
        status,
        after=after,
        one=one,
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        typed=typed,
        rows=rows,
        left_out=[
            (fault.where.removeprefix("row "), fault.problem, fault.remedy)
            for fault in (listed.faults if listed else ())
        ],
        read_as=""
        if listed is None or listed.encoding in ("utf-8", "utf-16", SPREADSHEET)
        else listed.encoding,
        carried=json.dumps([[row.number, row.name] for row in rows], ensure_ascii=False),
        previewed=listed is not None,
    )


def send(visit: Visit) -> Response:
    """Looks a list through, or makes the certificates of one that was looked through."""
    one, texts = mine(visit), visit.texts(LIST)
    typed = visit.sent.text("names", LARGEST)
    making = visit.sent.has("make")
    try:
        listed = _carried(visit) if making else _given(visit, one, typed)
        _bounded(visit, one, listed)
    except InvalidInput as error:
        mistakes = [Mistake(texts.fault(fault), "names") for fault in error.faults]
        return _shown(visit, one, mistakes, typed, status=422)
    except NotFound:
        raise
    except LabelsError as error:
        return _shown(visit, one, [Mistake(why(texts, error), "names")], typed, status=409)
    if not making or listed.faults:
        return _shown(visit, one, typed=typed, listed=listed)
    try:
        name, content = printing.download(visit.here, one.award, listed, by=visit.proof, door=Door.DESK)
    except LabelsError as error:
        return _shown(visit, one, [Mistake(why(texts, error), "names")], typed, listed, status=409)
    headers = {
        "Content-Disposition": as_attachment(name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(content, media_type="application/zip", headers=headers)


@printing.nameless
def _given(visit: Visit, one: MayHaveClasses, typed: str) -> NameList:
    """The list that came along, as a file or as text."""
    files = visit.sent.files("list")
    content = files[0].file.read(LARGEST + 1) if files else typed.encode()
    with visit.here.record.reading() as session:
        country = classes.country_of(session, one.award)
    column = visit.sent.line("column", 60)
    return read_names(content, country, missing_characters, columns=(column,) if column else ())


@printing.nameless
def _carried(visit: Visit) -> NameList:
    """The names of a list that was looked through, as the form brings them back.

    Raises:
        NotFound: no form of ours has them so.
    """
    try:
        pairs = json.loads(visit.sent.text("carried", LARGEST))
        read = [(int(row), str(name)) for row, name in pairs[:_MOST]]
    except (ValueError, TypeError, KeyError):
        read = []
    if not read:
        raise NotFound("There is nothing here.")
    return looked_through(read, missing_characters)


def _bounded(visit: Visit, one: MayHaveClasses, listed: NameList) -> None:
    """Refuses more names than the rules let a class have."""
    rules, _ = printing.rules_of_award(visit.here, one.award, by=visit.proof, door=Door.DESK)
    printing.few_enough(listed, rules)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(PATH, labels, allowed=is_teacher),
        page(
            f"{PATH}/{{award}}", show, send, allowed=is_teacher, largest=2 * LARGEST, files=1, discreet=True
        ),
    ]
