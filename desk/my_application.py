"""The page of one's own application: where it stands, a question and its answer, papers, withdraw, appeal, apply again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.tokens import sealed, unsealed
from desk.classes import PATH as CLASSES
from desk.credentials import offers_credentials
from desk.forms import FILES
from desk.frame import Visit, kept_fields, later, page
from desk.known import KNOWN
from desk.my_projects import is_teacher
from desk.parts import FileShown, Happening, Mistake, why
from desk.standing import STAGES, place_in_chain, standing_line, tag_of, turn_of
from desk.uploads import LARGEST, kind_of, listed, stored_files, too_much
from labels.applications.documents import StoredDocument
from labels.applications.typed import is_link
from labels.applications.uploads.limits import MIB
from labels.errors import LabelsError, NotAllowed, NotFound
from labels.papers.verifying import valid_code
from labels.pupil_label.classes import labels_of
from labels.record.journal import Event
from labels.record.schema import Application, PaperKind
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.steps.answers import LONG_TEXT, Information
from labels.turn import Door
from labels.views import applicant
from labels.views.applicant import MyApplication
from labels.words.sentences import Sentence, say
from labels.words.text import has_words
from usecases import answering, drafting, signing_in
from usecases import applying as rights
from usecases.performing import Performed, perform

PATH = "/applications/{application}"
OF_A_SCHOOL = "SL-"
"""Before the number of every school's application."""
GROUNDS = 20_000
"""Characters in the grounds of an appeal."""

_TOLD: dict[Event, Sentence] = {
    Event.SUBMITTED: say("You sent the application"),
    Event.MET_ALL_CONDITIONS: say("All conditions are met"),
    Event.ASKED_THE_APPLICANT: say("The reviewers asked a question"),
    Event.ANSWERED_THE_QUESTION: say("You answered the question"),
    Event.QUESTION_NOT_ANSWERED: say("The time for your answer passed; the review goes on without it"),
    Event.TOOK_BACK_A_QUESTION: say("The question needs no answer any more"),
    Event.AWARDED: say("The label was awarded"),
    Event.REFUSED: say("The label was not awarded"),
    Event.INELIGIBLE: say("It did not meet the conditions"),
    Event.WITHDRAWN: say("You withdrew the application"),
    Event.APPEALED: say("You appealed"),
    Event.REOPENED: say("The decision was reopened: it is made again"),
    Event.REISSUED: say("A paper was issued anew, with a correction"),
    Event.REVOKED: say("The label was taken back"),
}
_AUTOMATIC = {Event.MET_ALL_CONDITIONS: say("checked automatically")}


def mine(visit: Visit) -> MyApplication:
    """The application that this page's address names.

    Raises:
        NotFound: it is somebody else's, or there is none.
    """
    with visit.here.record.reading() as session:
        return applicant.my_application(
            session, visit.account.teachers, visit.named("application"), visit.here.now()
        )


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into one of the page's forms, which is shown again until it is taken."""

    step: str = ""
    """The question that `text`, `links` and `files` answer."""
    text: str = ""
    links: str = ""
    files: tuple[StoredDocument, ...] = ()
    """Files of an answer that are in the store: they are evidence once the answer is taken."""
    grounds: str = ""


def show(visit: Visit) -> Response:
    """The page, with what was sent when the session had run out; a school's application has a page of its own."""
    if visit.named("application").startswith(OF_A_SCHOOL):
        return visit.goes_to(f"/self-assessment/{visit.named('application')}")
    typed = Typed()
    if kept := kept_fields(visit):
        fields = {name: value for name, value in kept[0].items() if isinstance(value, str)}
        typed = Typed(
            fields.get("step", ""),
            fields.get("text", ""),
            fields.get("links", ""),
            (),
            fields.get("grounds", ""),
        )
        words = kept[0].get("kept", [])
        files = kept_files(visit, typed.step, [words] if isinstance(words, str) else words)
        typed = dataclasses.replace(typed, files=files)
    return _shown(visit, mine(visit), typed=typed)


def _shown(
    visit: Visit,
    one: MyApplication,
    mistakes: list[Mistake] | None = None,
    *,
    status: int = 200,
    typed: Typed = Typed(),
    asks: str = "",
) -> Response:
    template = "application.html.j2"
    query = visit.request.query_params
    return visit.shows(
        template,
        status,
        one=one,
        standing=one.standing,
        stages=STAGES,
        now_at=place_in_chain(one.standing),
        line=standing_line(one.standing),
        turn=turn_of(one.standing),
        tag=tag_of(one.standing),
        events=_events(visit, one),
        files=_files(visit, one),
        papers=[d for d in one.documents if d.kind in applicant.PAPERS],
        wallet=_wallet(visit, one),
        to_wallet=say("Put it into a wallet"),
        for_pupils=_for_pupils(visit, one),
        mistakes=mistakes or [],
        at={mistake.field: mistake.text for mistake in mistakes or []},
        typed=typed,
        kept=files_kept(visit, typed),
        limits=_edition(visit, one).national.limits if one.asked else None,
        asks=asks or query.get("asks", ""),
        received="received" in query,
        answered="answered" in query,
        later="later" in query or (not one.begun and visit.desk.following.waits(one.standing.id)),
        LONG=LONG_TEXT,
    )


def _for_pupils(visit: Visit, one: MyApplication) -> str:
    """Where certificates for their pupils are made; empty where the label has none, or counts no longer."""
    with visit.here.record.reading() as session:
        theirs = {label.award for label in labels_of(session, visit.account.teachers)}
    return f"{CLASSES}/{one.standing.id}" if one.standing.id in theirs else ""


def _wallet(visit: Visit, one: MyApplication) -> str:
    """Where the certificate's credential for a wallet is; empty where it has none."""
    papers = [d.paper for d in one.documents if d.kind == PaperKind.CERTIFICATE and d.paper]
    if not papers or not offers_credentials(visit.here)[0]:
        return ""
    with visit.here.record.reading() as session:
        code = valid_code(session, papers, visit.here.stamp, now=visit.here.now())
    return f"{visit.here.settings.check_url}/{code}#wallet" if code else ""


def _events(visit: Visit, one: MyApplication) -> list[Happening]:
    """What happened, oldest first, and what is to come."""
    texts = visit.texts("application.html.j2")
    entries = [(told.at, _told(visit, told)) for told in one.told]
    if one.review_since:
        began = Happening(str(texts.shown(say("The review began"))), texts.when(one.review_since))
        entries.append((one.review_since, began))
    events = [happening for _, happening in sorted(entries, key=lambda entry: entry[0])]
    if one.standing.outcome is None:
        by = texts.say("by {day}", day=one.standing.decide_by) if one.standing.decide_by else ""
        events.append(Happening(str(texts.shown(say("Decision"))), by, state="later"))
    return events


def _told(visit: Visit, told: applicant.Told) -> Happening:
    texts = visit.texts("application.html.j2")
    known = KNOWN.get(told.known_by, "")
    who = _AUTOMATIC.get(told.what, "")
    return Happening(
        str(texts.shown(_TOLD[told.what])),
        texts.when(told.at),
        who=str(texts.shown(who)),
        known=str(texts.shown(known)),
        words=told.words,
    )


def _files(visit: Visit, one: MyApplication) -> list[FileShown]:
    texts = visit.texts("application.html.j2")
    files = [
        FileShown(
            document.name,
            kind_of(document.media_type),
            f"{texts.size(document.size)} · {texts.day_of(document.stored_at)}",
            href=f"/my-documents/{document.id}",
        )
        for document in one.documents
        if document.kind not in applicant.PAPERS
    ]
    return files + [FileShown(link, "link", "", href=link) for link in one.links]


# Acts ---------------------------------------------------------------------------------------------


def act(visit: Visit) -> Response:
    """An answer to a question, a withdrawal, an appeal, or a new beginning, by the button that was pressed."""
    one = mine(visit)
    if visit.sent.has("step"):
        return _answer(visit, one)
    if visit.sent.has("withdraw"):
        return _withdraw(visit, one)
    if visit.sent.has("appeal"):
        return _appeal(visit, one)
    if visit.sent.has("again"):
        return _again(visit, one)
    raise NotFound("There is nothing here.")


def _answer(visit: Visit, one: MyApplication) -> Response:
    step, text = visit.sent.line("step", 80), visit.sent.text("text", LONG_TEXT * 2).strip()
    sizes = {file.key: file.size for file in one.documents if file.kind == "evidence"}
    asked = Typed(step, text, visit.sent.text("links"))
    typed, wrong = with_files(visit, asked, sizes, _edition(visit, one))
    if visit.sent.has("upload_only"):
        return listed(visit, files_kept(visit, typed), wrong, 0)
    if wrong or visit.sent.has("add") or visit.sent.has("remove"):
        return _shown(visit, one, wrong, status=422 if wrong else 200, typed=typed)
    if mistakes := mistakes_in(visit, typed, {asked.step for asked in one.asked}):
        return _shown(visit, one, mistakes, status=422, typed=typed)
    try:
        done = answered(visit, typed)
    except NotAllowed as error:
        return _refused(visit, error, "text", typed)
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    return visit.goes_to(visit.path, answered="1", **later(done.outage))


def answered(visit: Visit, typed: Typed) -> Performed:
    """Gives an answer in which nothing is wrong.

    Raises:
        NotAllowed: the question takes none any more.
    """
    given = Information(text=typed.text, links=_lines(typed.links))
    return perform(
        visit.here, answering.answer(typed.step, given, typed.files), by=visit.proof, door=Door.DESK
    )


def mistakes_in(visit: Visit, typed: Typed, asked: Collection[str]) -> list[Mistake]:
    """What keeps an answer from being taken; `asked` are the questions that take one."""
    texts = visit.texts("application.html.j2")
    mistakes = []
    if typed.step not in asked:
        mistakes.append(Mistake(texts.say("This question takes no answer any more."), "q"))
    if not typed.text:
        mistakes.append(Mistake(texts.say("Write your answer"), "text"))
    if len(typed.text) > LONG_TEXT:
        mistakes.append(
            Mistake(texts.say("The answer is longer than {most} characters", most=LONG_TEXT), "text")
        )
    return mistakes + [
        Mistake(
            texts.say("“{link}” is no link; it begins with https:// and has no space in it", link=link),
            "links",
        )
        for link in _lines(typed.links)
        if not is_link(link)
    ]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


# Files of an answer -------------------------------------------------------------------------------

_PURPOSE = b"desk/answer/1\n"


def with_files(
    visit: Visit, typed: Typed, of_before: Mapping[str, int], edition: RuleEdition
) -> tuple[Typed, list[Mistake]]:
    """What was typed with the files that are there already and those that came along; and what is wrong with those.

    `of_before` are the sizes of the application's other files, by their keys.
    """
    texts = visit.texts("application.html.j2")
    there = kept_files(visit, typed.step, visit.sent.all("kept"))
    removed = visit.sent.text("remove")
    there = tuple(file for file in there if file.key != removed)
    stored, wrong = stored_files(visit, texts, edition)
    files = tuple({file.key: file for file in (*stored, *there)}.values())[::-1]
    sizes = {**of_before, **{file.key: file.size for file in files}}
    if stored and sum(sizes.values()) > edition.national.limits.uploads_mib.value * MIB:
        files, wrong = there, [*wrong, too_much(texts, edition)]
    return dataclasses.replace(typed, files=files), wrong


def kept_files(visit: Visit, step: str, words: Sequence[str]) -> tuple[StoredDocument, ...]:
    """The files that a form carries as signed words, each made for the answer to one question."""
    files = []
    for word in words[:FILES]:
        try:
            of, *columns = unsealed(word, _PURPOSE, *visit.here.good_keys())
        except NotFound:
            continue
        # One that was put there too long ago may be gone from the store.
        if of == [step, visit.account.person] and visit.here.documents.exists(str(columns[1])):
            files.append(StoredDocument("evidence", *columns))
    return tuple(files)


def files_kept(visit: Visit, typed: Typed) -> list[FileShown]:
    """The files of an answer, each with the word by which the form carries it."""
    texts = visit.texts("application.html.j2")
    of = [typed.step, visit.account.person]
    return [
        FileShown(
            file.name,
            kind_of(file.media_type),
            texts.size(file.size),
            remove=file.key,
            kept=sealed([of, file.name, file.key, file.media_type, file.size], _PURPOSE, visit.here.key),
        )
        for file in typed.files
    ]


def _edition(visit: Visit, one: MyApplication) -> RuleEdition:
    with visit.here.record.reading() as session:
        return rules_of(session, session.get_one(Application, one.standing.id))


# The other acts -----------------------------------------------------------------------------------


def _withdraw(visit: Visit, one: MyApplication) -> Response:
    if not visit.sent.has("confirmed"):
        return _shown(visit, one, asks="withdraw")
    try:
        done = perform(visit.here, rights.withdraw(one.standing.id), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _refused(visit, error, "main", Typed())
    return visit.goes_to(visit.path, **later(done.outage))


def _appeal(visit: Visit, one: MyApplication) -> Response:
    grounds = visit.sent.text("grounds", GROUNDS * 2).strip()
    texts = visit.texts("application.html.j2")
    if not has_words(grounds):
        return _shown(
            visit, one, [Mistake(texts.say("Say what was wrong with the decision"), "grounds")], status=422
        )
    if len(grounds) > GROUNDS:
        long = texts.say("The grounds are longer than {most} characters", most=GROUNDS)
        return _shown(visit, one, [Mistake(long, "grounds")], status=422, typed=Typed(grounds=grounds))
    try:
        done = perform(visit.here, rights.appeal(one.standing.id, grounds), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _refused(visit, error, "grounds", Typed(grounds=grounds))
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    return visit.goes_to(visit.path, **later(done.outage))


def _again(visit: Visit, one: MyApplication) -> Response:
    if not one.may_apply_again:
        raise NotFound("There is nothing here.")
    perform(visit.here, drafting.begin_again(one.standing.id), by=visit.proof, door=Door.DESK)
    return visit.goes_to(f"/projects/{one.project}/apply")


def _refused(visit: Visit, error: LabelsError, field: str, typed: Typed) -> Response:
    return _shown(
        visit,
        mine(visit),
        [Mistake(why(visit.texts("application.html.j2"), error), field)],
        status=409,
        typed=typed,
    )


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [page(PATH, show, act, allowed=is_teacher, largest=LARGEST, files=FILES)]
