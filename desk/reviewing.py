"""One review: the question of a conflict of interest, the case beside the points, asking, declining, checking, sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from markupsafe import Markup
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk.evidence import evidence_of, policy_for
from desk.frame import Visit, kept_fields_in, page
from desk.parts import Mistake, why
from desk.review_list import LIST, filters_in, judges, query_of
from labels.errors import InvalidInput, LabelsError, NotAllowed, NotFound
from labels.record.schema import Application
from labels.reviews.naming import Named, named_in
from labels.steps.answers import LONG_TEXT, Decline, DeclineReason, Question, ReviewTyped, read_model
from labels.turn import Door
from labels.views.briefs.school import SchoolBrief
from labels.views.review_case import ConflictQuestion, End, Ended, ReviewPage, Shown, review_for
from labels.views.review_list import next_review
from labels.words.sentences import Sentence, named, say
from labels.words.text import clean, word_count
from usecases import answering, reviewing
from usecases.acts import Act
from usecases.performing import perform

REASONS: dict[DeclineReason, Sentence] = {
    "no_time": say("I have no time before the deadline"),
    "language": say("I do not read its language well enough"),
    "subject": say("I know too little of its subject"),
    "other": say("Another reason"),
}
"""Why somebody gives a review back, besides a conflict of interest."""

_TOO_LONG = say("This text is longer than {most} characters.", most=LONG_TEXT)
_POINTS = "points."


@dataclass(frozen=True, slots=True)
class Left:
    """What was typed into a page whose review is not to be written any more: to be read and copied once more."""

    comment: str
    note: str


def review(visit: Visit) -> Response:
    """The page of one review, whatever is to be done there now."""
    with visit.here.record.reading() as session:
        shown = _seen_in(session, visit)
        kept = kept_fields_in(session, visit) if isinstance(shown, ReviewPage) else None
    if isinstance(shown, ReviewPage) and kept:
        # Sent when the session had run out: it is in the form again, and is saved with the next change.
        typed, _ = _typed({name: clean(str(value)) for name, value in kept[0].items()})
        shown = replace(shown, typed=typed)
        return _shown(visit, shown, kept_at=kept[1])
    return _shown(visit, shown)


def _seen(visit: Visit) -> Shown:
    with visit.here.record.reading() as session:
        return _seen_in(session, visit)


def _seen_in(session: Session, visit: Visit) -> Shown:
    return review_for(session, visit.named("step"), visit.account.person, visit.here.now())


def _shown(
    visit: Visit,
    shown: Shown,
    mistakes: Sequence[Mistake] = (),
    status: int = 200,
    left: Left | None = None,
    kept_at: datetime | None = None,
) -> Response:
    match shown:
        case ConflictQuestion():
            return visit.shows(
                "reviews/conflict.html.j2",
                status,
                shown=shown,
                mistakes=mistakes,
                typed="",
                yes=False,
                **_around(visit),
            )
        case Ended():
            return visit.shows("reviews/ended.html.j2", status, shown=shown, left=left, **_around(visit))
        case ReviewPage():
            if "mend" in visit.request.query_params and not mistakes:
                mistakes = _missing(shown)
            evidence = evidence_of(visit, shown.asked.step, shown.brief.documents)
            texts = visit.texts("reviews/review.html.j2")
            visit.headers.update(policy_for(visit.desk))
            return visit.shows(
                "reviews/review.html.j2",
                status,
                shown=shown,
                criteria=groups_of(shown),
                meanings={number: texts.meaning(said) for number, said in shown.brief.points.items()},
                evidence=evidence,
                mistakes=mistakes,
                wrong={one.field for one in mistakes},
                school=shown.brief if isinstance(shown.brief, SchoolBrief) else None,
                words_in=word_count,
                kept_at=kept_at,
                number=lambda value: Decimal(str(value)),
                **_around(visit),
            )


def _around(visit: Visit) -> dict[str, Any]:
    """What every page about a review has: the way back to the list as it was."""
    query = query_of(filters_in(visit.request.query_params))
    return {"back_to": LIST + query, "query": query, "step": visit.named("step")}


@dataclass(frozen=True, slots=True)
class Group:
    """A criterion of the total, with the sub-criteria that look at it more closely."""

    main: object
    parts: tuple[object, ...]


def groups_of(shown: ReviewPage) -> list[Group]:
    """The criteria of a review, the sub-criteria with what they belong to."""
    criteria = shown.brief.criteria
    return [
        Group(one, tuple(part for part in criteria if part.part_of == one.name))
        for one in criteria
        if one.part_of is None
    ]


def _missing(shown: ReviewPage) -> list[Mistake]:
    return [
        Mistake(
            say("Give points for “{criterion}”", criterion=named("criterion", one.name)), f"points-{one.id}"
        )
        for one in shown.sum.missing
    ]


# What is done ---------------------------------------------------------------------------------------


def _do(visit: Visit, act: Act) -> str:
    """Does it; what came of it by name.

    Raises:
        LabelsError: it was refused.
    """
    return perform(visit.here, act, by=visit.proof, door=Door.DESK).accepted.made


def _why(visit: Visit, error: LabelsError) -> str:
    return why(visit.texts("reviews/review.html.j2"), error)


def _refused(visit: Visit, error: LabelsError, field: str, left: Left | None = None) -> Response:
    """The page as it is now, with why something was not done; somebody else's review is not there at all."""
    shown = _seen(visit)
    if isinstance(shown, Ended):
        return _shown(visit, shown, status=409, left=left)
    return _shown(visit, shown, [Mistake(_why(visit, error), field)], 409)


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], given: dict[str, Any]) -> M | None:
    """What a form says as an answer; None where its text is no answer: empty, of signs alone, or too long."""
    try:
        return read_model(model, given, "form")
    except InvalidInput:
        return None


def conflict(visit: Visit) -> Response:
    """Takes the answer to the first question."""
    shown, said = _seen(visit), visit.sent.line("conflict")
    if not isinstance(shown, ConflictQuestion):
        return visit.goes_to(f"{LIST}/{visit.named('step')}{_query(visit)}")
    why = visit.sent.text("why")[:LONG_TEXT].strip()
    mistakes = []
    given = None
    if said not in ("yes", "no"):
        mistakes.append(Mistake(say("Say whether you have a conflict of interest"), "conflict-no"))
    elif said == "yes" and (given := _read(Decline, {"decline": why, "conflict": True})) is None:
        mistakes.append(Mistake(say("Say in a few words what the conflict of interest is"), "why"))
    if mistakes:
        return visit.shows(
            "reviews/conflict.html.j2",
            422,
            shown=shown,
            mistakes=mistakes,
            typed=why,
            yes=said == "yes",
            **_around(visit),
        )
    try:
        if given is not None:
            _do(visit, answering.answer(shown.asked.step, given))
        else:
            _do(visit, reviewing.say_no_conflict(shown.asked.step))
    except NotAllowed as error:
        return _refused(visit, error, "conflict-no")
    return visit.goes_to(f"{LIST}/{shown.asked.step}{_query(visit)}")


def _query(visit: Visit) -> str:
    return query_of(filters_in(visit.request.query_params))


def _typed(fields: Mapping[str, str]) -> tuple[ReviewTyped, list[Mistake]]:
    """What the form of a review says, and what of it is too much to keep."""
    mistakes = []
    texts = {}
    for name in ("comment", "note"):
        texts[name] = fields.get(name, "")
        if len(texts[name]) > LONG_TEXT:
            mistakes.append(Mistake(_TOO_LONG, name))
            texts[name] = texts[name][:LONG_TEXT]
    scores = {
        name.removeprefix(_POINTS): int(value)
        for name, value in fields.items()
        if name.startswith(_POINTS) and value.isdecimal() and len(value) < 4
    }
    return ReviewTyped(scores=scores, comment=texts["comment"], note=texts["note"]), mistakes


def save(visit: Visit) -> Response:
    """Keeps what was typed, and goes where the button leads; by itself while somebody types."""
    step, by_itself = visit.named("step"), visit.sent.has("draft")
    form = visit.sent
    typed, mistakes = _typed({name: form.text(name, 10 * LONG_TEXT) for name in form.names()})
    left = Left(typed.comment, typed.note)
    version = visit.sent.line("version")
    after = int(version) if version.isdecimal() and len(version) < 9 else None
    try:
        if mistakes and by_itself:
            raise NotAllowed(_TOO_LONG)
        number = _do(visit, reviewing.save_draft(step, typed, after))
    except NotFound:
        raise
    except LabelsError as error:
        if by_itself:
            told = Markup.escape(_why(visit, error)).striptags()
            return JSONResponse({"state": "fail", "text": told}, 409)
        return _not_saved(visit, error, typed, left)
    if by_itself:
        texts = visit.texts("reviews/review.html.j2")
        said = texts.said(say("Saved {time}", time=texts.hour(visit.here.now())))
        return JSONResponse({"state": "saved", "text": said, "version": number})
    if mistakes:
        return _shown(visit, _seen(visit), mistakes, 422)
    return _goes_on(visit, step)


def _not_saved(visit: Visit, error: LabelsError, typed: ReviewTyped, left: Left) -> Response:
    shown = _seen(visit)
    if not isinstance(shown, ReviewPage):
        return _shown(visit, shown, status=409, left=left)
    # What is typed here stays on the page; sent once more, it takes the place of what was saved elsewhere.
    mine = replace(shown, typed=typed)
    return _shown(visit, mine, [Mistake(_why(visit, error), "comment")], 409)


def _goes_on(visit: Visit, step: str) -> Response:
    where = visit.sent.line("go", 20)
    path, query = f"{LIST}/{step}", _query(visit)
    if where == "later":
        return visit.goes_to(LIST + query)
    if where in ("ask", "decline"):
        return visit.goes_to(f"{path}/{where}{query}")
    shown = _seen(visit)
    if isinstance(shown, ReviewPage) and (missing := _missing(shown)):
        return _shown(visit, shown, missing, 422)
    return visit.goes_to(f"{path}/check{query}")


def check(visit: Visit) -> Response:
    """What is about to be sent, and what to think of before."""
    return _checked(visit)


def _checked(visit: Visit, mistakes: Sequence[Mistake] = (), status: int = 200) -> Response:
    shown = _seen(visit)
    if not isinstance(shown, ReviewPage):
        return visit.goes_to(f"{LIST}/{visit.named('step')}{_query(visit)}")
    if shown.sum.missing:
        query = _query(visit)
        return visit.goes_to(f"{LIST}/{visit.named('step')}{query}{'&' if query else '?'}mend=1")
    return visit.shows(
        "reviews/check.html.j2",
        status,
        shown=shown,
        names=_names(visit, shown),
        criteria=groups_of(shown),
        mistakes=mistakes,
        **_around(visit),
    )


def _names(visit: Visit, shown: ReviewPage) -> tuple[Named, ...]:
    with visit.here.record.reading() as session:
        application = session.get_one(Application, shown.asked.application)
        return named_in(session, application, shown.typed.comment)


def send(visit: Visit) -> Response:
    """Sends the review as it was checked."""
    step, number = visit.named("step"), visit.sent.line("number")
    try:
        _do(visit, reviewing.send(step, int(number) if number.isdecimal() and len(number) < 9 else -1))
    except NotFound:
        raise
    except LabelsError as error:
        shown = _seen(visit)
        if isinstance(shown, Ended):
            if shown.how is End.SENT:  # the same button twice
                return visit.goes_to(f"{LIST}/{step}{_query(visit)}")
            return _shown(visit, shown, status=409)
        return _checked(visit, [Mistake(_why(visit, error), "sum")], 409)
    return visit.goes_to(f"{LIST}/{step}{_query(visit)}")


def ask(visit: Visit) -> Response:
    """The page for a question to the applicant."""
    return _with_form(visit, "reviews/ask.html.j2", typed="", mistakes=[])


def _with_form(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    shown = _seen(visit)
    if not isinstance(shown, ReviewPage):
        return _shown(visit, shown, status=409 if status != 200 else 200)
    return visit.shows(template, status, shown=shown, **values, **_around(visit))


def ask_applicant(visit: Visit) -> Response:
    """Sends a question to the applicant."""
    question = visit.sent.text("question", 10 * LONG_TEXT).strip()
    given = _read(Question, {"question": question})
    if given is None:
        wrong = _TOO_LONG if len(question) > LONG_TEXT else say("Write your question")
        mistakes = [Mistake(wrong, "question")]
        return _with_form(visit, "reviews/ask.html.j2", 422, typed=question, mistakes=mistakes)
    return _answered(visit, given, question)


def _answered(visit: Visit, given: Question | Decline, words: str) -> Response:
    """Gives an answer instead of a review; the words stay to be read where it is refused."""
    step = visit.named("step")
    try:
        _do(visit, answering.answer(step, given))
    except NotAllowed as error:
        return _refused(visit, error, "comment", Left(words, ""))
    return visit.goes_to(f"{LIST}/{step}{_query(visit)}")


def decline(visit: Visit) -> Response:
    """The page for giving a review back."""
    return _with_form(
        visit, "reviews/decline.html.j2", typed="", reason="", conflict="", mistakes=[], reasons=REASONS
    )


def give_back(visit: Visit) -> Response:
    """Gives a review back, with the reason and whether it is a conflict of interest."""
    form = visit.sent
    reason, said, words = (
        form.line("reason"),
        form.line("conflict"),
        form.text("words", 10 * LONG_TEXT).strip(),
    )
    mistakes = []
    if said not in ("yes", "no"):
        mistakes.append(Mistake(say("Say whether you have a conflict of interest"), "conflict-no"))
    if said != "yes" and reason not in REASONS:
        mistakes.append(Mistake(say("Choose the reason that comes nearest"), "reason-no_time"))
    listed = next((one for one in REASONS if one == reason), None)
    needed = said == "yes" or reason == "other"
    told = words or ("" if needed else str(REASONS[listed or "other"]))
    given = _read(
        Decline, {"decline": told, "conflict": said == "yes", "reason": None if said == "yes" else listed}
    )
    if given is None:
        wrong = _TOO_LONG if len(words) > LONG_TEXT else say("Say the reason in a few words")
        mistakes.append(Mistake(wrong, "words"))
    if mistakes or given is None:
        return _with_form(
            visit,
            "reviews/decline.html.j2",
            422,
            typed=words,
            reason=reason,
            conflict=said,
            mistakes=mistakes,
            reasons=REASONS,
        )
    return _answered(visit, given, words)


def further(visit: Visit) -> Response:
    """The next review to take up, or the list where there is none."""
    filters = filters_in(visit.request.query_params)
    with visit.here.record.reading() as session:
        row = next_review(session, visit.account.person, visit.here.now(), filters, but=visit.named("step"))
    return visit.goes_to(f"{LIST}/{row.step}{query_of(filters)}" if row else LIST)


def routes() -> list[Route]:
    """The addresses of these pages."""
    one = LIST + "/{step}"
    return [
        page(one, review, save, allowed=judges),
        page(f"{one}/conflict", review, conflict, allowed=judges),
        page(f"{one}/check", check, send, allowed=judges),
        page(f"{one}/ask", ask, ask_applicant, allowed=judges),
        page(f"{one}/decline", decline, give_back, allowed=judges),
        page(f"{one}/next", further, allowed=judges),
    ]
