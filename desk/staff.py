"""The staff of one's own organisation: who it is, somebody new, another entry, a file, and who leaves or is back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from starlette.responses import Response
from starlette.routing import Route

from adapters.languages.desk import DeskTexts, language_name
from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.lists import one_of
from desk.parts import Mistake, why
from labels.answering import own_staff
from labels.answering.leaving import Departure, open_with
from labels.answering.own_staff import Changes, Entry, File
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, LabelsError, NotFound, OutOfReach
from labels.kinds import Wish
from labels.people.roles import Role
from labels.record.schema import Organisation
from labels.registry.files import FORMATS, Column, registry_files
from labels.reviews.wishing import wishes_of
from labels.turn import Door
from labels.views.staff import staff_of
from labels.words.languages import ENGLISH, translated
from labels.words.sentences import Sentence, say
from labels.words.text import csv_plain
from usecases import staffing
from usecases.acts import Act
from usecases.performing import Performed, perform
from usecases.staffing import Wanted

PATH = "/staff"
NEW = "/staff/new"
FILE = "/staff/file"
DOWNLOAD = "/staff.csv"
ENTRY = "/staff/{entry}"
LEAVING = "/staff/{entry}/leaving"

LIST_PAGE = "coordinating/staff.html.j2"
ENTRY_PAGE = "coordinating/staff-entry.html.j2"
FILE_PAGE = "coordinating/staff-file.html.j2"
LEAVING_PAGE = "coordinating/staff-leaving.html.j2"

LARGEST = 512 * 1024
"""Bytes of a file: some thousand people. Between its plan and its confirmation it is in the page's form alone."""

ROLES: Mapping[Role, Sentence] = {Role.REVIEWER: say("Reviewer"), Role.COORDINATOR: say("Coordinator")}
COLUMNS: Mapping[str, Sentence] = {
    "email": say("Mail address"),
    "name": say("Name"),
    "role": say("Role"),
    "language": say("Language"),
    "school": say("School"),
    "staff": say("Your own number of the person"),
    "languages": say("Other languages"),
    "subjects": say("Subjects"),
    "ages": say("Ages of pupils"),
    "away_from": say("Away from"),
    "away_until": say("Away until"),
    "left_on": say("Leaves on"),
}
"""What stands in an entry, as pages call it."""
NO_DAY = say("This is no day: write it as 2026-04-20")
MEANT: Mapping[str, Sentence] = {
    "email": say("This is no mail address: write one such as name@school.example"),
    "name": say("Write the name on one line of at most 200 letters"),
    "role": say("Choose a role"),
    "language": say("Choose a language"),
    "school": say("This is no number of a school"),
    "staff": say("A number has no spaces in it"),
    "languages": say("Write their codes with a semicolon between: en; pl"),
    "subjects": say("Write them with a semicolon between: Biology; Art"),
    "ages": say("Write the youngest and the oldest in years, with a semicolon between groups: 6-11; 12-15"),
    "away_from": NO_DAY,
    "away_until": NO_DAY,
}
"""What is expected of each field."""
WISHES: Mapping[Wish, Sentence] = {
    Wish.YES: say("gladly"),
    Wish.MAYBE: say("perhaps"),
    Wish.RATHER_NOT: say("rather not"),
    Wish.NONE: say("said nothing"),
}


def _organisation(visit: Visit) -> str:
    """The one of their organisations that the address, or the form, names; the first where neither does.

    Raises:
        NotFound: they do not coordinate that one.
    """
    own = visit.account.coordinates
    named = visit.sent.line("organisation", 40) if visit.form else ""
    named = named or visit.request.query_params.get("organisation", own[0])
    if named not in own:
        raise NotFound("There is nothing here.")
    return named


def _of(organisation: str) -> dict[str, str]:
    return {"organisation": organisation}


def _does(visit: Visit, act: Act) -> Performed:
    return perform(visit.here, act, by=visit.proof, door=Door.DESK)


# The list -----------------------------------------------------------------------------------------


def listed(visit: Visit) -> Response:
    """The staff."""
    return _listed(visit, _organisation(visit))


def _listed(visit: Visit, organisation: str, mistake: Mistake | None = None, status: int = 200) -> Response:
    with visit.here.record.reading() as session:
        staff = staff_of(session, organisation, visit.here.now())
    return visit.shows(
        LIST_PAGE,
        status,
        staff=staff,
        organisation=organisation,
        organisations=visit.account.coordinates,
        roles=ROLES,
        today=brussels_day(visit.here.now()),
        language_name=lambda code: language_name(code, visit.texts(LIST_PAGE).language),
        formats=", ".join(FORMATS),
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
        sent=visit.request.query_params.get("sent", ""),
    )


def back(visit: Visit) -> Response:
    """Has somebody back who left."""
    organisation, role = _organisation(visit), one_of(Role, visit.sent.line("role", 20))
    if role is None:
        raise NotFound("There is nothing here.")
    try:
        done = _does(visit, staffing.is_back(organisation, visit.sent.line("person", 80), role))
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _listed(visit, organisation, Mistake(why(visit.texts(LIST_PAGE), error), "former"), 409)
    return visit.goes_to(PATH, **_of(organisation), sent="1", **later(done.outage))


def download(visit: Visit) -> Response:
    """The staff as a file that can be changed and brought in again."""
    organisation = _organisation(visit)
    with visit.here.record.reading() as session:
        found = own_staff.entries(session, organisation)
    plain = [
        replace(one, **{name: csv_plain(getattr(one, name)) for name in ("name", "subjects")})
        for one in found
    ]
    content = b"\xef\xbb\xbf" + own_staff.written(
        organisation, plain
    )  # by its first three bytes Excel knows UTF-8
    headers = {"Content-Disposition": 'attachment; filename="staff.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


# One entry ----------------------------------------------------------------------------------------


def new(visit: Visit) -> Response:
    """The form for somebody new."""
    organisation = _organisation(visit)
    with visit.here.record.reading() as session:
        language = session.get_one(Organisation, organisation).language
    return _form(visit, organisation, None, Entry("", "", Role.REVIEWER, language))


def shown(visit: Visit) -> Response:
    """An entry, in a form."""
    organisation, entry = _entry(visit)
    return _form(visit, organisation, entry, entry)


def _entry(visit: Visit) -> tuple[str, Entry]:
    with visit.here.record.reading() as session:
        return own_staff.entry_of(session, visit.account.coordinates, visit.named("entry"))


def _form(
    visit: Visit,
    organisation: str,
    former: Entry | None,
    typed: Entry,
    mistakes: list[Mistake] | None = None,
    status: int = 200,
) -> Response:
    texts = visit.texts(ENTRY_PAGE)
    codes = sorted({ENGLISH, *translated(), *([typed.language] if typed.language else [])})
    with visit.here.record.reading() as session:
        own = wishes_of(session, organisation, former.person) if former else []
    return visit.shows(
        ENTRY_PAGE,
        status,
        organisation=organisation,
        former=former,
        typed=typed,
        roles=ROLES,
        columns=COLUMNS,
        languages_known=sorted(
            ((one, language_name(one, texts.language)) for one in codes), key=lambda one: one[1]
        ),
        wishes=own,
        wish_words=WISHES,
        mistakes=mistakes or [],
        at={one.field: one.text for one in mistakes or []},
        sent=visit.request.query_params.get("sent", ""),
        application=visit.sent.line("application", 40) if visit.form else "",
        leaves_on=date.fromisoformat(former.left_on) if former and former.left_on else None,
    )


def enter(visit: Visit) -> Response:
    """Enters somebody new."""
    return _takes(visit, _organisation(visit), None)


def change(visit: Visit) -> Response:
    """Changes an entry, or keeps a wish."""
    organisation, former = _entry(visit)
    if visit.sent.line("act", 20) == "wish":
        return _wishes(visit, organisation, former)
    if visit.sent.line("seen", 40) != former.digest:
        texts = visit.texts(ENTRY_PAGE)
        text = texts.say(
            "Somebody changed this entry meanwhile: look at it, and save again what is to be another"
        )
        return _form(visit, organisation, former, former, [Mistake(text, "name")], 409)
    return _takes(visit, organisation, former)


def _takes(visit: Visit, organisation: str, former: Entry | None) -> Response:
    texts = visit.texts(ENTRY_PAGE)
    typed = _typed(visit, former)
    mistakes = _mistakes(texts, typed, brussels_day(visit.arrived))
    if mistakes:
        return _form(visit, organisation, former, typed, mistakes, 422)
    wanted = Wanted(organisation, typed, former)
    try:
        done = _does(visit, staffing.change(wanted, staffing.look(visit.here, wanted).word))
    except (OutOfReach, NotFound):
        raise
    except InvalidInput as error:
        return _form(visit, organisation, former, typed, [_at_field(texts, one) for one in error.faults], 422)
    except LabelsError as error:
        return _form(visit, organisation, former, typed, [Mistake(why(texts, error), "name")], 409)
    entry = ENTRY.format(entry=own_staff.entry_id(typed.email, typed.role))
    return visit.goes_to(entry, sent="1", **later(done.outage))


def _typed(visit: Visit, former: Entry | None) -> Entry:
    """The entry as it was typed; what a form does not ask is as before. A role stays: another one is another entry."""
    columns = [one for one in own_staff.COLUMNS if one != "left_on"]
    kinds = _kinds(brussels_day(visit.arrived))
    typed = {name: kinds[name].kind.tidied(visit.sent.line(name, 1_000).strip()) for name in columns}
    if former is None:
        return Entry(**typed)
    return replace(former, **typed | {"role": former.role})


def _kinds(today: date) -> Mapping[str, Column]:
    """The columns of a staff's file, by their names."""
    [file] = (one for one in registry_files(today) if one.table == "staff")
    return {column.name: column for column in file.columns}


def _mistakes(texts: DeskTexts, typed: Entry, today: date) -> list[Mistake]:
    found = []
    for name, column in _kinds(today).items():
        if name not in MEANT:
            continue
        value = getattr(typed, name)
        if (not value and column.required) or (value and column.kind.objection(value)):
            found.append(Mistake(texts.told(MEANT[name]), name))
    if typed.away_until and not typed.away_from:
        found.append(Mistake(texts.say("Say from which day on"), "away_from"))
    elif not found and typed.away_until and typed.away_until < typed.away_from:
        found.append(Mistake(texts.say("The last day is before the first"), "away_until"))
    return sorted(found, key=lambda one: _ORDER.index(one.field))


_ORDER = (
    "name",
    "email",
    "role",
    "language",
    "away_from",
    "away_until",
    "languages",
    "subjects",
    "ages",
    "school",
    "staff",
)
"""The fields as the form has them."""


def _at_field(texts: DeskTexts, fault: Fault) -> Mistake:
    """What is wrong with an entry, at the field that it is about."""
    field = fault.where.rpartition(" · ")[2]
    problem, remedy = texts.told(fault.problem), texts.told(fault.remedy)
    return Mistake(texts.place("{problem} {remedy}", problem=problem, remedy=remedy), field)


def _wishes(visit: Visit, organisation: str, entry: Entry) -> Response:
    wish = one_of(Wish, visit.sent.line("wish", 20))
    if wish is None:
        raise NotFound("There is nothing here.")
    texts = visit.texts(ENTRY_PAGE)
    application = visit.sent.line("application", 40)
    try:
        _does(visit, staffing.wishes(organisation, entry.person, application, wish))
    except OutOfReach:
        raise
    except InvalidInput as error:
        return _form(visit, organisation, entry, entry, [_at_field(texts, one) for one in error.faults], 422)
    return visit.goes_to(visit.path, sent="1")


# A file -------------------------------------------------------------------------------------------


def bring(visit: Visit) -> Response:
    """Shows what a file would do, or does it."""
    organisation = _organisation(visit)
    texts = visit.texts(FILE_PAGE)
    file = _file(visit)
    if file is None:
        text = texts.say("Choose a file of at most {kib} KB", kib=LARGEST // 1024)
        return _listed(visit, organisation, Mistake(text, "file"), 422)
    wanted = Wanted(organisation, file=file)
    try:
        changes = staffing.look(visit.here, wanted)
        if not visit.sent.has("confirmed"):
            return _plan(visit, organisation, file, changes)
        done = _does(visit, staffing.change(wanted, visit.sent.line("word", 40)))
    except OutOfReach:
        raise
    except InvalidInput as error:
        return _plan(
            visit, organisation, file, None, [Mistake(texts.fault(one), "main") for one in error.faults], 422
        )
    except LabelsError as error:
        again = staffing.look(visit.here, wanted)
        return _plan(visit, organisation, file, again, [Mistake(why(texts, error), "confirm-title")], 409)
    return visit.goes_to(PATH, **_of(organisation), sent="1", **later(done.outage))


def _file(visit: Visit) -> File | None:
    """The file that came, or that the form of its plan carries."""
    if chosen := visit.sent.files("file"):
        content = chosen[0].file.read(LARGEST + 1)
        name = (chosen[0].filename or "")[-80:]
    else:
        name = visit.sent.line("name", 80)
        try:
            content = base64.b64decode(visit.sent.text("content", 2 * LARGEST), validate=True)
        except (binascii.Error, ValueError):
            return None
    name = name.replace("/", "").replace("\\", "").lstrip(".")
    if not content or len(content) > LARGEST or not name.lower().endswith(FORMATS):
        return None
    return File(name, content)


def _plan(
    visit: Visit,
    organisation: str,
    file: File,
    changes: Changes | None,
    mistakes: list[Mistake] | None = None,
    status: int = 200,
) -> Response:
    return visit.shows(
        FILE_PAGE,
        status,
        organisation=organisation,
        file=file.name,
        hidden={
            "organisation": organisation,
            "name": file.name,
            "content": base64.b64encode(file.content).decode(),
            "word": changes.word if changes else "",
        },
        changes=changes,
        columns=COLUMNS,
        roles=ROLES,
        mistakes=mistakes or [],
        list=f"{PATH}?organisation={organisation}",
    )


# Leaving ------------------------------------------------------------------------------------------


def leaving(visit: Visit) -> Response:
    """What is open with somebody, and on which day they are to leave. Who has it then is only tried out once they ask."""
    organisation, entry = _entry(visit)
    return _leaving(visit, organisation, entry)


def _leaving(
    visit: Visit,
    organisation: str,
    entry: Entry,
    departures: Sequence[Departure] | None = None,
    mistake: Mistake | None = None,
    status: int = 200,
) -> Response:
    """The page; with the plan of what goes to whom where `departures` say so."""
    with visit.here.record.reading() as session:
        awaited = open_with(session, entry.person, organisation, entry.role)
    today = brussels_day(visit.here.now())
    return visit.shows(
        LEAVING_PAGE,
        status,
        organisation=organisation,
        entry=entry,
        role=ROLES[Role(entry.role)],
        awaited=awaited,
        planned=departures is not None,
        departures=departures or (),
        word=own_staff.word_of(departures or ()),
        themselves=entry.person == visit.proof.person,
        on=visit.sent.line("on", 20) if visit.form else today.isoformat(),
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
    )


def leave(visit: Visit) -> Response:
    """Shows what would go to whom, or records on which day somebody leaves; today, what is open goes to others at once."""
    organisation, entry = _entry(visit)
    texts = visit.texts(LEAVING_PAGE)
    if visit.sent.has("stays"):
        act = staffing.is_back(organisation, entry.person, entry.role)
    else:
        try:
            on = date.fromisoformat(visit.sent.line("on", 20))
        except ValueError:
            return _leaving(visit, organisation, entry, mistake=Mistake(texts.told(NO_DAY), "on"), status=422)
        if visit.sent.has("look"):
            return _planned(visit, organisation, entry)
        act = staffing.leaves(organisation, entry, on, visit.sent.line("word", 40))
    try:
        done = _does(visit, act)
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _planned(visit, organisation, entry, Mistake(why(texts, error), "on"), 409)
    return visit.goes_to(PATH, **_of(organisation), sent="1", **later(done.outage))


def _planned(
    visit: Visit, organisation: str, entry: Entry, mistake: Mistake | None = None, status: int = 200
) -> Response:
    departures = staffing.what_leaving_moves(visit.here, organisation, entry)
    return _leaving(visit, organisation, entry, departures, mistake, status)


def routes() -> list[Route]:
    """The pages."""
    return [
        page(PATH, listed, back, allowed=coordinates),
        page(DOWNLOAD, download, allowed=coordinates),
        page(NEW, new, enter, allowed=coordinates),
        page(FILE, None, bring, allowed=coordinates, files=1),
        page(ENTRY, shown, change, allowed=coordinates),
        page(LEAVING, leaving, leave, allowed=coordinates),
    ]
