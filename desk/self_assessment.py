"""A school's self-assessment: written by several people at once, checked, handed in by one of them, confirmed by the principal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk.forms import FILES
from desk.frame import Visit, kept_fields, later, page
from desk.my_application import Typed as Answer
from desk.my_application import answered, files_kept, kept_files, mistakes_in, with_files
from desk.parts import FileShown, Mistake, why
from desk.templating import rendered
from desk.uploads import FIELD, LARGEST, kind_of, listed, stored_files, too_much
from labels.applications.documents import StoredDocument
from labels.applications.drafting import StaleDraft, TooMuch
from labels.applications.typed import is_link
from labels.errors import InvalidInput, NotAllowed, NotFound
from labels.record.schema import Application
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition, SchoolDocument
from labels.school_label.drafting import Typed
from labels.school_label.fields import Change, Field, Fields, mark, named, said
from labels.steps.answers import LONG_TEXT, Declaration, Decline
from labels.turn import Door
from labels.views.self_assessment import Missing, Sheet
from labels.words.sentences import say
from labels.words.text import clean, word_count
from usecases import answering, self_assessing, signing_in
from usecases.performing import perform

PATH = "/self-assessment/{application}"
FORM = "schools/self-assessment.html.j2"
CHECK = "schools/check.html.j2"
CONFIRM = "schools/confirm.html.j2"
READ = "schools/handed-in.html.j2"
WAS = "was."
"""Before the name of a field: the mark of what stood there when the page was drawn."""

FILLED = {
    "members": say("Members"),
    "projects": say("Projects"),
    "professional_development": say("Professional development"),
    "events": say("Events"),
}
"""What the registry knows of a school."""
DOCUMENTS = {
    SchoolDocument.SAFETY: say("The document on the responsible use of the Internet"),
    SchoolDocument.POLICY: say("The school’s policy or plan that names eTwinning"),
    SchoolDocument.DECLARATION: say("The declaration, signed by the principal"),
}


def opened(visit: Visit) -> Sheet:
    """The self-assessment that this page's address names.

    Raises:
        NotFound: it is another school's.
    """
    account = visit.account
    return self_assessing.sheet(visit.here, account.person, account.schools, visit.named("application"))


def written(visit: Visit) -> Sheet:
    """The same for somebody who can write on it now.

    Raises:
        NotAllowed: it was handed in or its time is over, or they were not invited.
    """
    one = opened(visit)
    if not one.writing:
        raise NotAllowed(
            say("This self-assessment takes no changes from you now. What you typed was not saved.")
        )
    return one


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form shows in place of what is saved: what somebody sent that could not be taken, or is kept for them."""

    values: Mapping[Field, Any] = field(default_factory=dict)
    was: Mapping[Field, str] = field(default_factory=dict)
    kept_at: datetime | None = None


# The form -----------------------------------------------------------------------------------------


def form(visit: Visit) -> Response:
    """The form for whoever writes; for the school's other people what was handed in so far."""
    one = opened(visit)
    if not one.writing:
        return _read_only(visit, one)
    shown = Shown()
    if kept := kept_fields(visit):
        sent = {name: clean(value) for name, value in kept[0].items() if isinstance(value, str)}
        shown = Shown(*_sent(one, sent), kept_at=kept[1])
    return _shown(visit, one, shown)


def _shown(
    visit: Visit, one: Sheet, shown: Shown = Shown(), mistakes: Sequence[Mistake] = (), status: int = 200
) -> Response:
    query = visit.request.query_params
    values = {**one.now.fields, **shown.values}
    return visit.shows(
        FORM,
        status,
        one=one,
        value=lambda *name: values.get(name, ""),
        was=lambda *name: shown.was.get(name) or mark(one.now.fields.get(name)),
        by=lambda *name: _by(visit, one, name),
        disputing=_disputing(one, values, query.get("dispute", "")),
        filled=FILLED,
        documents=DOCUMENTS,
        files=files_of(visit, one),
        clashes=_clashes(visit, one),
        count=word_count,
        kept_at=shown.kept_at,
        saved="saved" in query,
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        aside=Markup(_aside(visit, one)),
    )


def _disputing(one: Sheet, values: Fields, asked: str) -> set[str]:
    """The rows for which there is a field that says what is wrong."""
    rows = {row.id for part in one.filled for row in part.rows}
    disputed = {
        name[1] for name, value in values.items() if name[0] == "disputed" and said(value) is not None
    }
    return (disputed | {asked}) & rows


def _by(visit: Visit, one: Sheet, name: Field) -> str:
    """Who changed a field last, and when; nothing where nobody did."""
    touched = one.now.touched.get(name)
    if touched is None:
        return ""
    texts = visit.texts(FORM)
    when = texts.day_hour(touched.at)
    if touched.person == visit.account.person:
        return texts.say("you, {when}", when=when)
    return texts.say("{name}, {when}", name=_name(one, touched.person) or touched.author, when=when)


def _name(one: Sheet, person: str | None) -> str:
    return next((writer.name for writer in one.writers if writer.person == person), "")


@dataclass(frozen=True, slots=True)
class ClashShown:
    """A field that two people changed at once, with what each wrote."""

    name: str
    what: str
    yours: str
    theirs: str
    by: str
    mark: str
    text: bool
    """Whether both could stand in it, one after the other."""


def _clashes(visit: Visit, one: Sheet) -> list[ClashShown]:
    texts = visit.texts(FORM)
    found = []
    for clash in one.clashes:
        value = texts.say("nothing")
        theirs, yours = (_in_words(visit, one, clash.field, side) for side in (clash.theirs, clash.yours))
        touched = one.now.touched.get(clash.field)
        found.append(
            ClashShown(
                named(clash.field),
                what_of(visit, one, clash.field),
                yours or value,
                theirs or value,
                _name(one, touched.person) if touched else "",
                mark(clash.theirs),
                isinstance(clash.yours, str) and isinstance(clash.theirs, str),
            )
        )
    return found


def _in_words(visit: Visit, one: Sheet, where: Field, value: Any) -> str:
    if said(value) is None:
        return ""
    texts = visit.texts(FORM)
    if where[-1] == "level" and isinstance(value, int) and not isinstance(value, bool):
        return Markup("{} – {}").format(value, texts.meaning(one.questions.levels.get(value, "")))
    if value is True:
        return texts.say("This is right")
    return "\n".join(value) if isinstance(value, list) else str(value)


def what_of(visit: Visit, one: Sheet, where: Field) -> str:
    """What a field is about, in words."""
    texts = visit.texts(FORM)
    match where:
        case ("answers", pillar, question, *_):
            asked = next((q for q in one.questions.questions if (q.pillar, q.id) == (pillar, question)), None)
            return texts.meaning(asked.text) if asked else question
        case ("plan", pillar):
            of = next((p for p in one.questions.pillars if p.id == pillar), None)
            return texts.say("Plan: {pillar}", pillar=texts.named("criterion", of.name) if of else pillar)
        case ("requirements", name):
            asked_for = next((r for r in one.questions.requirements if r.id == name), None)
            return Markup("{}. {}").format(name, texts.meaning(asked_for.text if asked_for else ""))
        case ("confirmed" | "disputed", name) if name in FILLED:
            return str(texts.shown(FILLED[name]))
        case ("disputed", name):
            row = next((r for part in one.filled for r in part.rows if r.id == name), None)
            return row.title if row else name
        case ("links",):
            return texts.say("Links")
        case ("documents", name):
            return str(texts.shown(DOCUMENTS[SchoolDocument(name)]))
    return named(where)


# What is missing, always in view ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the form, and how much of it is done."""

    name: object
    href: str
    state: str
    word: str
    missing: tuple[tuple[str, str], ...]
    """What is missing of it: in words, and where."""


def parts_of(visit: Visit, one: Sheet) -> list[Part]:
    """The parts of the form, with what is missing in each."""
    texts = visit.texts(FORM)

    def part(name: object, href: str, of: int, missed: list[Missing]) -> Part:
        done = of - len({missing.field[:3] for missing in missed})
        word = texts.say("{done} of {all}", done=max(done, 0), all=of)
        state = "done" if not missed else "begun" if done > 0 else "not-yet"
        return Part(name, href, state, word, tuple(_missed(visit, one, missing) for missing in missed))

    def of(*begins: str) -> list[Missing]:
        return [missing for missing in one.missing if missing.field[: len(begins)] == begins]

    parts = [
        part(
            texts.named("criterion", pillar.name),
            f"#{pillar.id}",
            len(one.questions_in(pillar.id)),
            of("answers", pillar.id),
        )
        for pillar in one.questions.pillars
    ]
    if one.questions.plan:
        parts.append(part(texts.say("Plan"), "#plan", len(one.questions.pillars), of("plan")))
    record = of("confirmed") + of("disputed")
    parts.append(part(texts.say("What is on record"), "#record", len(one.filled), record))
    parts.append(
        part(texts.say("Requirements"), "#requirements", len(one.questions.requirements), of("requirements"))
    )
    parts.append(part(texts.say("Documents"), "#documents", len(DOCUMENTS), of("documents")))
    if short := [missing for missing in one.missing if missing.what in ("share", "unknown")]:
        parts.append(part(texts.say("All levels together"), f"#{one.questions.pillars[0].id}", 1, short))
    return parts


def _missed(visit: Visit, one: Sheet, missing: Missing) -> tuple[str, str]:
    """What is missing, in words, and the field of the form that mends it."""
    texts = visit.texts(FORM)
    what = what_of(visit, one, missing.field)
    match missing.what:
        case "level":
            return texts.say(
                "Choose a level: {question}", question=what
            ), f"level-{'.'.join(missing.field[1:3])}"
        case "text":
            return texts.say("Say how one can see it: {question}", question=what), named(missing.field)
        case "confirm":
            return texts.say("Confirm “{part}”, or say what is wrong", part=what), named(missing.field)
        case "reason":
            return texts.say("Say what is wrong: {part}", part=what), named(missing.field)
        case "plan":
            return texts.say("Write what the school plans. {pillar}", pillar=what), named(missing.field)
        case "requirement":
            return texts.say("Not shown yet: {requirement}", requirement=what), named(missing.field)
        case "document":
            return texts.say("Missing: {document}", document=what), FIELD
        case "share":
            needed = one.questions.threshold
            told = texts.say(
                "The levels reach {reached} per cent; {needed} are needed. Where the school is further than you said, raise "
                "the level; else apply in a later round.",
                reached=one.reached,
                needed=needed,
            )
            return told, one.questions.pillars[0].id
    return texts.say("“{field}” is no part of this form", field=what), one.questions.pillars[0].id


def mistakes_of(visit: Visit, one: Sheet) -> list[Mistake]:
    """Everything that keeps it from being handed in."""
    return [Mistake(*_missed(visit, one, missing)) for missing in one.missing]


def _aside(visit: Visit, one: Sheet) -> str:
    """The part of the page that says how far it is and who is in: a save brings it anew."""
    template = "schools/aside.html.j2"
    return rendered(template, visit.texts(FORM), one=one, path=visit.path, parts=parts_of(visit, one),
                    people=_people(visit, one), clashing=bool(one.clashes), root="", form_token="")  # fmt: skip


def _people(visit: Visit, one: Sheet) -> list[tuple[str, str]]:
    """Who is in: each with when they changed something last."""
    texts = visit.texts(FORM)
    return [
        (
            texts.say("you") if who.person == visit.account.person else who.name,
            texts.day_hour(who.saved_at) if who.saved_at else "",
        )
        for who in sorted(
            one.writers, key=lambda who: who.saved_at.timestamp() if who.saved_at else 0, reverse=True
        )
    ]


# What was sent ------------------------------------------------------------------------------------


def _known(one: Sheet) -> dict[str, Field]:
    """The fields that a form of ours can have, by their names in it."""
    fields: list[Field] = [("links",)]
    for asked in one.questions.questions:
        fields += [("answers", asked.pillar, asked.id, last) for last in ("level", "text")]
    for part in one.filled:
        fields += [("confirmed", part.field), ("disputed", part.field)]
        fields += [("disputed", row.id) for row in part.rows]
    fields += [("plan", pillar.id) for pillar in one.questions.pillars if one.questions.plan]
    fields += [("requirements", requirement.id) for requirement in one.questions.requirements]
    return {named(where): where for where in fields}


def _sent(one: Sheet, sent: Mapping[str, str]) -> tuple[dict[Field, Any], dict[Field, str]]:
    """What was typed in each field that the form had, and the mark of what had stood there."""
    known = _known(one)
    marks = {known[name[len(WAS) :]]: text[:20] for name, text in sent.items() if name[len(WAS) :] in known
             and name.startswith(WAS)}  # fmt: skip
    return {where: _value(one, where, sent.get(named(where), "")) for where in marks}, marks


def _value(one: Sheet, where: Field, text: str) -> Any:
    if where[0] == "confirmed":
        return bool(text) or None
    if where[-1] == "level" and where[0] == "answers":
        return int(text) if re.fullmatch(r"\d{1,2}", text) and int(text) in one.questions.levels else None
    if where == ("links",):
        return [line.strip() for line in text.split("\n") if line.strip()]
    return text.strip()


def _wrong(visit: Visit, one: Sheet, values: Fields) -> list[Mistake]:
    """What can't be saved as it is."""
    texts = visit.texts(FORM)
    mistakes = []
    for where, value in values.items():
        if isinstance(value, str) and len(value) > LONG_TEXT:
            told = texts.say(
                "This is longer than {most} characters: {what}",
                most=LONG_TEXT,
                what=what_of(visit, one, where),
            )
            mistakes.append(Mistake(told, named(where)))
        if where == ("links",):
            if len(value) > 20:
                mistakes.append(Mistake(texts.say("At most 20 links are taken"), "links"))
            mistakes += [
                Mistake(
                    texts.say(
                        "“{link}” is no link; it begins with https:// and has no space in it", link=link
                    ),
                    "links",
                )
                for link in value
                if not is_link(link)
            ]
    return mistakes


def send(visit: Visit) -> Response:
    """Saves what was changed: by itself while somebody types, or by one of the form's buttons."""
    one = opened(visit)
    if visit.sent.has("step"):
        return _answer(visit, one)
    if not one.writing and not visit.sent.has("draft") and not visit.sent.has("upload_only"):
        return _too_late(visit, one)
    one = written(visit)
    assert one.step is not None
    if visit.sent.has("upload_only"):
        mistakes = _store(visit, one)
        return listed(visit, files_of(visit, opened(visit)), mistakes, 0)
    values, marks = _sent(one, {name: visit.sent.text(name, LONG_TEXT * 2) for name in visit.sent.names()})
    wrong = _wrong(visit, one, values)
    bad = {mistake.field for mistake in wrong}
    changes = {
        where: Change(said(value), marks[where])
        for where, value in values.items()
        if mark(value) != marks[where] and named(where) not in bad
    }
    chosen, dropped = _choice(visit, one)
    act = answering.draft(one.step.id, Typed(changes | chosen, dropped))
    perform(visit.here, act, by=visit.proof, door=Door.DESK)
    if visit.sent.has("draft"):
        return _saved(visit, values, marks, wrong)
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    wrong += _store(visit, one)
    if removed := visit.sent.text("remove", 300):
        act = answering.draft(one.step.id, Typed({}), without=[removed])
        perform(visit.here, act, by=visit.proof, door=Door.DESK)
    if wrong:
        shown = Shown({where: values[where] for where in values if named(where) in bad},
                      {where: marks[where] for where in values if named(where) in bad})  # fmt: skip
        return _shown(visit, opened(visit), shown, wrong, status=422)
    return _on(visit)


def _too_late(visit: Visit, one: Sheet) -> Response:
    """What was handed in meanwhile, with what somebody had typed still: it can be read and copied once more."""
    values, marks = _sent(one, {name: visit.sent.text(name, LONG_TEXT * 2) for name in visit.sent.names()})
    left = [
        (what_of(visit, one, where), value if isinstance(value, str) else "\n".join(value))
        for where, value in values.items()
        if isinstance(value, str | list) and said(value) is not None and mark(value) != marks[where]
    ]
    return _read_only(visit, one, left, status=409)


def _on(visit: Visit) -> Response:
    """The page that follows on a save, by the button that was pressed."""
    if visit.sent.has("remove") or visit.sent.has("add"):
        return visit.goes_to(f"{visit.path}#documents")
    if row := visit.sent.line("dispute", 80):
        return visit.goes_to(visit.path, dispute=row)
    if visit.sent.has("choose") or opened(visit).clashes:
        return visit.goes_to(visit.path, saved="1")
    if visit.sent.has("keep"):
        return visit.goes_to(visit.path, saved="1")
    return visit.goes_to(f"{visit.path}/check")


def _choice(visit: Visit, one: Sheet) -> tuple[dict[Field, Change], tuple[Field, ...]]:
    """Which of two versions of a field somebody chose: their own or both, as a change; or the colleague's."""
    how, _, name = visit.sent.line("choose", 200).partition(":")
    clash = next((clash for clash in one.clashes if named(clash.field) == name), None)
    if clash is None:
        return {}, ()
    was = visit.sent.line(f"clash.{name}", 40)
    match how:
        case "mine":
            return {clash.field: Change(clash.yours, was)}, ()
        case "both" if isinstance(clash.theirs, str) and isinstance(clash.yours, str):
            return {clash.field: Change(f"{clash.theirs}\n{clash.yours}", was)}, ()
        case "theirs":
            return {}, (clash.field,)
    return {}, ()


def _saved(visit: Visit, values: Fields, marks: Mapping[Field, str], wrong: Sequence[Mistake]) -> Response:
    """What the page's script learns of a save: whether it is safe, what colleagues changed, what is missing still."""
    one, texts = opened(visit), visit.texts(FORM)
    if wrong:
        state, text = "fail", wrong[0].text
    elif one.clashes:
        state, text = (
            "fail",
            texts.say("A colleague changed the same field. Both versions are kept: choose one."),
        )
    else:
        state, text = "saved", texts.say("Saved {when}", when=visit.here.now())
    now = one.now.fields
    agreed = {named(w): mark(now.get(w)) for w in values if said(now.get(w)) == said(values[w])}
    others = {
        named(w): {
            "value": _as_typed(now.get(w)),
            "was": mark(now.get(w)),
            "by": Markup(_by(visit, one, w)).striptags(),
        }
        for w in values
        if mark(values[w]) == marks[w] and mark(now.get(w)) != marks[w]
    }
    told = {
        "state": state,
        "text": Markup(text).striptags(),
        "was": agreed,
        "theirs": others,
        "aside": _aside(visit, one),
    }
    return JSONResponse(told)


def _as_typed(value: Any) -> str:
    """A value as it stands in its field."""
    if said(value) is None:
        return ""
    return "1" if value is True else "\n".join(value) if isinstance(value, list) else str(value)


# Documents ----------------------------------------------------------------------------------------


def files_of(visit: Visit, one: Sheet, *, remove: bool = True) -> list[FileShown]:
    """The documents that were handed in."""
    texts = visit.texts(FORM)
    return [
        FileShown(
            document.name,
            kind_of(document.media_type),
            " · ".join(
                filter(
                    None,
                    (
                        str(texts.shown(DOCUMENTS[SchoolDocument(document.meets)])) if document.meets else "",
                        texts.size(document.size),
                        texts.day_hour(document.stored_at),
                    ),
                )
            ),
            href=f"/schools/{one.school}/documents/{document.id}" if one.school else "",
            remove=document.name if remove and one.writing else "",
        )
        for document in one.documents
    ]


def _store(visit: Visit, one: Sheet) -> list[Mistake]:
    """Stores the files that came along, as what they were said to be; why some were not taken."""
    texts, edition = visit.texts(FORM), _edition(visit, one)
    stored, mistakes = stored_files(visit, texts, edition)
    if stored and one.step is not None:
        kind = visit.sent.line("kind", 20)
        if kind in tuple(SchoolDocument):
            stored = [_called(file, kind) for file in stored]
        act = answering.draft(one.step.id, Typed({}), stored)
        try:
            perform(visit.here, act, by=visit.proof, door=Door.DESK)
        except TooMuch:
            mistakes.append(too_much(texts, edition))
    return mistakes


def _called(file: StoredDocument, kind: str) -> StoredDocument:
    """A file by whose name one can tell what it is for."""
    if file.name.casefold().startswith(kind):
        return file
    return StoredDocument(file.kind, f"{kind}-{file.name}", file.key, file.media_type, file.size)


def _edition(visit: Visit, one: Sheet) -> RuleEdition:
    with visit.here.record.reading() as session:
        return rules_of(session, session.get_one(Application, one.application))


# Before it is handed in ---------------------------------------------------------------------------


def check(visit: Visit) -> Response:
    """All answers on one page, with everything that would keep them from being handed in."""
    one = opened(visit)
    if not one.writing:
        return visit.goes_to(f"/self-assessment/{one.application}")
    return _checked(visit, one)


def _checked(visit: Visit, one: Sheet, mistakes: Sequence[Mistake] = (), status: int = 200) -> Response:
    return visit.shows(
        CHECK,
        status,
        form=f"/self-assessment/{one.application}",
        missing=mistakes_of(visit, one),
        mistakes=list(mistakes),
        me=visit.account.person,
        **_answers(visit, one),
    )


def _answers(visit: Visit, one: Sheet) -> dict[str, Any]:
    """What every page needs that shows the answers to be read."""
    return {
        "one": one,
        "filled": FILLED,
        "documents": DOCUMENTS,
        "files": files_of(visit, one, remove=False),
        "value": lambda *name: one.now.fields.get(name, ""),
        "disputed": {
            n[1]: v for n, v in one.now.fields.items() if n[0] == "disputed" and said(v) is not None
        },
    }


def hand_in(visit: Visit) -> Response:
    """Says who hands in, or hands in what was checked."""
    one = written(visit)
    assert one.step is not None
    if visit.sent.has("who"):
        chosen = next((who for who in one.writers if who.person == visit.sent.line("person", 60)), None)
        if chosen is None:
            raise NotFound("There is nothing here.")
        act = answering.choose_who_hands_in(one.step.id, chosen.person)
        perform(visit.here, act, by=visit.proof, door=Door.DESK)
        return visit.goes_to(visit.path)
    number = visit.sent.line("number", 9)
    act = answering.hand_in(one.step.id, int(number) if number.isdecimal() else -1)
    try:
        done = perform(visit.here, act, by=visit.proof, door=Door.DESK)
    except InvalidInput:
        now = opened(visit)
        return _checked(visit, now, mistakes_of(visit, now), status=422)
    except StaleDraft:
        told = visit.texts(CHECK).say(
            "A colleague changed something meanwhile. Here is what stands there now: look at it once more, and hand it in then."
        )
        return _checked(visit, opened(visit), [Mistake(told, "main")], status=409)
    except NotAllowed as error:
        return _checked(visit, opened(visit), [Mistake(why(visit.texts(CHECK), error), "who")], status=409)
    return visit.goes_to(f"/self-assessment/{one.application}", received="1", **later(done.outage))


def declaration(visit: Visit) -> Response:
    """The declaration that the principal signs, made of the answers, to be printed."""
    one = opened(visit)
    return visit.shows("schools/declaration.html.j2", **_answers(visit, one))


# After it is handed in ----------------------------------------------------------------------------


def _answer(visit: Visit, one: Sheet) -> Response:
    """An answer to a question of the reviewers, by whoever handed in."""
    step, text = visit.sent.line("step", 80), visit.sent.text("text", LONG_TEXT * 2).strip()
    mine = {it.step for it in one.asked if it.open and it.person == visit.account.person}
    if step not in mine:
        raise NotFound("There is nothing here.")
    sizes = {file.key: file.size for file in one.documents}
    typed, wrong = with_files(
        visit, Answer(step, text, visit.sent.text("links")), sizes, _edition(visit, one)
    )
    if visit.sent.has("upload_only"):
        return listed(visit, files_kept(visit, typed), wrong, 0)
    if wrong or visit.sent.has("add") or visit.sent.has("remove"):
        return _read_only(visit, one, status=422 if wrong else 200, typed=typed, mistakes=wrong)
    if mistakes := mistakes_in(visit, typed, mine):
        return _read_only(visit, one, status=422, typed=typed, mistakes=mistakes)
    try:
        done = answered(visit, typed)
    except NotAllowed as error:
        refused = [Mistake(why(visit.texts(READ), error), "text")]
        return _read_only(visit, opened(visit), status=409, typed=typed, mistakes=refused)
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    return visit.goes_to(visit.path, answered="1", **later(done.outage))


def _typed_answer(visit: Visit) -> Answer:
    """What somebody sent as an answer when their session had run out."""
    if not (kept := kept_fields(visit)) or "step" not in kept[0]:
        return Answer()
    fields = {name: clean(value) for name, value in kept[0].items() if isinstance(value, str)}
    words = kept[0].get("kept", [])
    files = kept_files(visit, fields.get("step", ""), [words] if isinstance(words, str) else words)
    return Answer(fields.get("step", ""), fields.get("text", ""), fields.get("links", ""), files)


def _read_only(
    visit: Visit,
    one: Sheet,
    left: Sequence[tuple[str, str]] = (),
    status: int = 200,
    typed: Answer | None = None,
    mistakes: Sequence[Mistake] = (),
) -> Response:
    """What was handed in, for the school's own people, with the reviewers' questions and answers."""
    typed = _typed_answer(visit) if typed is None else typed
    return visit.shows(
        READ,
        status,
        me=visit.account.person,
        typed=typed,
        kept=files_kept(visit, typed),
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        answered="answered" in visit.request.query_params,
        left=left,
        received="received" in visit.request.query_params,
        confirmed="confirmed" in visit.request.query_params,
        **_answers(visit, one),
    )


# The principal ------------------------------------------------------------------------------------


def confirm(visit: Visit) -> Response:
    """What the principal confirms, or gives back."""
    one = opened(visit)
    if not one.confirming:
        return visit.goes_to(f"/self-assessment/{one.application}")
    return _to_confirm(visit, one)


def _to_confirm(
    visit: Visit, one: Sheet, mistakes: Sequence[Mistake] = (), typed: str = "", status: int = 200
) -> Response:
    return visit.shows(
        CONFIRM,
        status,
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        typed=typed,
        back_asked="back" in visit.request.query_params or bool(typed),
        **_answers(visit, one),
    )


def declare(visit: Visit) -> Response:
    """Confirms it for the school, or gives it back to whoever handed it in, with a word."""
    one = opened(visit)
    if not one.confirming or one.step is None:
        return visit.goes_to(f"/self-assessment/{one.application}")
    texts = visit.texts(CONFIRM)
    reason = visit.sent.text("reason", LONG_TEXT).strip()
    if visit.sent.has("give_back"):
        if not reason:
            return _to_confirm(
                visit, one, [Mistake(texts.say("Say what is to be mended"), "reason")], status=422
            )
        given: Declaration | Decline = Decline(decline=reason)
    else:
        if not (visit.sent.has("true") and visit.sent.has("backs")):
            told = texts.say("Say that you have read it and that it is true, or give it back")
            return _to_confirm(visit, one, [Mistake(told, "true")], status=422)
        given = Declaration(declare=True)
    try:
        done = perform(visit.here, answering.answer(one.step.id, given), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _to_confirm(visit, one, [Mistake(why(texts, error), "main")], reason, status=409)
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    return visit.goes_to(f"/self-assessment/{one.application}", confirmed="1", **later(done.outage))


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(PATH, form, send, largest=LARGEST, files=FILES),
        page(f"{PATH}/check", check, hand_in),
        page(f"{PATH}/declaration", declaration),
        page(f"{PATH}/confirm", confirm, declare),
    ]
