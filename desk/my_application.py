"""The page of one's own application: where it stands, a question and its answer, papers, withdraw, appeal, apply again."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.frame import Visit, page
from desk.my_projects import is_teacher
from desk.parts import FileShown, Happening, Mistake
from desk.standing import STAGES, place_in_chain, standing_line, tag_of, turn_of
from labels.applications.typed import is_link
from labels.errors import LabelsError, NotAllowed, NotFound
from labels.record.journal import Event
from labels.steps.answers import LONG_TEXT, Information
from labels.turn import Door
from labels.views import applicant
from labels.views.applicant import MyApplication
from labels.words.sentences import Sentence, say
from usecases import answering, drafting
from usecases import applying as rights
from usecases.performing import perform

PATH = "/applications/{application}"
GROUNDS = 20_000
"""Characters in the grounds of an appeal."""

_TOLD: dict[Event, Sentence] = {
    Event.SUBMITTED: say("You sent the application"),
    Event.MET_ALL_CONDITIONS: say("All conditions are met"),
    Event.ASKED_THE_APPLICANT: say("The reviewers asked a question"),
    Event.ANSWERED_THE_QUESTION: say("You answered the question"),
    Event.QUESTION_NOT_ANSWERED: say("The time for your answer passed; the review goes on without it"),
    Event.AWARDED: say("The label was awarded"),
    Event.REFUSED: say("The label was not awarded"),
    Event.INELIGIBLE: say("It did not meet the conditions"),
    Event.WITHDRAWN: say("You withdrew the application"),
    Event.APPEALED: say("You appealed"),
    Event.REISSUED: say("A paper was issued anew, with a correction"),
    Event.REVOKED: say("The label was taken back"),
}
_KNOWN = {
    "mail code": say("signed in with a code by mail"),
    "break-glass code": say("signed in with a code from the organisation"),
    "code": say("with a code from a mail"),
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


def show(visit: Visit) -> Response:
    """The page."""
    return _shown(visit, mine(visit))


def _shown(
    visit: Visit,
    one: MyApplication,
    mistakes: list[Mistake] | None = None,
    *,
    status: int = 200,
    typed: str = "",
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
        mistakes=mistakes or [],
        at={mistake.field: mistake.text for mistake in mistakes or []},
        typed=typed,
        asks=asks or query.get("asks", ""),
        received="received" in query,
        answered="answered" in query,
        LONG=LONG_TEXT,
    )


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
    known = _KNOWN.get(told.known_by, "")
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
            "picture" if document.media_type.startswith("image/") else "file",
            f"{texts.size(document.size)} · {texts.day(document.stored_at.date())}",
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
    if visit.sent.has("answer"):
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
    links = [line.strip() for line in visit.sent.text("links").split("\n") if line.strip()]
    texts = visit.texts("application.html.j2")
    mistakes = []
    if step not in {asked.step for asked in one.asked}:
        mistakes.append(Mistake(texts.say("This question takes no answer any more."), "q"))
    if not text:
        mistakes.append(Mistake(texts.say("Write your answer"), "text"))
    if len(text) > LONG_TEXT:
        mistakes.append(
            Mistake(texts.say("The answer is longer than {most} characters", most=LONG_TEXT), "text")
        )
    mistakes += [
        Mistake(
            texts.say("“{link}” is no link; it begins with https:// and has no space in it", link=link),
            "links",
        )
        for link in links
        if not is_link(link)
    ]
    if mistakes:
        return _shown(visit, one, mistakes, status=422, typed=text)
    given = Information(text=text, links=links)
    try:
        perform(visit.here, answering.answer(step, given), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _refused(visit, error, "text", text)
    return visit.goes_to(visit.path, answered="1")


def _withdraw(visit: Visit, one: MyApplication) -> Response:
    if not visit.sent.has("confirmed"):
        return _shown(visit, one, asks="withdraw")
    try:
        perform(visit.here, rights.withdraw(one.standing.id), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _refused(visit, error, "main", "")
    return visit.goes_to(visit.path)


def _appeal(visit: Visit, one: MyApplication) -> Response:
    grounds = visit.sent.text("grounds", GROUNDS * 2).strip()
    texts = visit.texts("application.html.j2")
    if not grounds:
        return _shown(
            visit, one, [Mistake(texts.say("Say what was wrong with the decision"), "grounds")], status=422
        )
    if len(grounds) > GROUNDS:
        long = texts.say("The grounds are longer than {most} characters", most=GROUNDS)
        return _shown(visit, one, [Mistake(long, "grounds")], status=422, typed=grounds)
    try:
        perform(visit.here, rights.appeal(one.standing.id, grounds), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _refused(visit, error, "grounds", grounds)
    return visit.goes_to(visit.path)


def _again(visit: Visit, one: MyApplication) -> Response:
    if not one.may_apply_again:
        raise NotFound("There is nothing here.")
    perform(visit.here, drafting.begin_again(one.standing.id), by=visit.proof, door=Door.DESK)
    return visit.goes_to(f"/projects/{one.project}/apply")


def _refused(visit: Visit, error: LabelsError, field: str, typed: str) -> Response:
    return _shown(visit, mine(visit), [Mistake(str(error), field)], status=409, typed=typed)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [page(PATH, show, act, allowed=is_teacher)]
