"""The form of an application: saved while one types, checked before it is handed in, handed in once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk.forms import FILES
from desk.frame import Visit, kept_fields, page
from desk.my_projects import PATH, is_teacher
from desk.parts import FileShown, Mistake
from desk.uploads import LARGEST, kind_of, listed, stored_files, too_much
from labels.applications import drafting
from labels.applications.conditions import ABOUT_THE_PROJECT
from labels.applications.drafting import Drafted, StaleDraft, TooMuch
from labels.applications.eligibility import PRECONDITIONS
from labels.applications.typed import ApplicationTyped, Wrong
from labels.errors import NotAllowed, NotFound
from labels.rules.calendars import place
from labels.turn import Door
from labels.views import applicant
from labels.words.sentences import Sentence, say
from labels.words.text import one_line, word_count
from usecases import drafting as use
from usecases import signing_in
from usecases.performing import perform

TEXT = 20_000

_WRONG = {
    Wrong.PUPILS: say("Write how many pupils took part, as a number"),
    Wrong.AGE: say("Write the average age of the pupils, from 2 to 30 years"),
    Wrong.TOO_MANY_LINKS: say("At most 50 links are taken"),
}


@dataclass(frozen=True)
class Open:
    """The form of one project, as it is opened by one teacher."""

    of: use.Applying
    draft: Drafted
    latest: applicant.Standing | None
    """The latest application for the project."""
    refusals: bool
    """Whether an application for it was refused: the form then asks where the new evidence is, if the rules do."""


def opened(visit: Visit) -> Open:
    """The form that this page's address names.

    Raises:
        NotFound: it is no project of theirs.
    """
    with visit.here.record.reading() as session:
        return opened_in(session, visit, visit.here.now())


def opened_in(session: Session, visit: Visit, at: datetime) -> Open:
    """The same in a session that reads more, by the rules of an instant."""
    project = visit.named("project")
    for teacher in visit.account.teachers:
        try:
            of = use.applying(visit.here, session, teacher, project, at)
        except NotFound:
            continue
        latest, refusals = applicant.latest_for(session, teacher, project)
        return Open(of, drafting.draft_of(session, teacher, project), latest, refusals)
    raise NotFound("There is nothing here.")


def form(visit: Visit) -> Response:
    """The form, with what was saved, or what was sent when the session had run out."""
    one = opened(visit)
    if one.latest and one.latest.outcome is None:
        return visit.goes_to(f"/applications/{one.latest.id}")
    typed, kept_at = one.draft.typed, None
    if kept := kept_fields(visit):
        typed, kept_at = _typed(dict(kept[0]), one), kept[1]
    return _shown(visit, one, typed, kept_at=kept_at)


def _shown(
    visit: Visit,
    one: Open,
    typed: ApplicationTyped,
    mistakes: Sequence[Mistake] = (),
    *,
    status: int = 200,
    kept_at: datetime | None = None,
    note: Sentence | str = "",
) -> Response:
    rules = one.of.edition.national
    return visit.shows(
        "apply.html.j2",
        status,
        of=one.of,
        draft=one.draft,
        typed=typed,
        kept_at=kept_at,
        note=note,
        conditions=[(name.value, PRECONDITIONS[name][0]) for name in rules.preconditions.value],
        criteria=criteria_of(one),
        again=again_of(one),
        files=files_of(visit, one.draft),
        count=word_count,
        mistakes=list(mistakes),
        at={mistake.field: mistake.text for mistake in mistakes},
        limits=rules.limits,
        placement=place(visit.here.now(), rules.calendar, one.of.country),
        parts=parts_of(one, typed),
    )


def criteria_of(one: Open) -> list[dict[str, Any]]:
    """The sections of the form, each with the sub-criteria that look at it more closely."""
    criteria = one.of.edition.criteria_set
    return [
        {
            "id": counted.id,
            "name": Sentence(counted.name, context="criterion"),
            "meaning": counted.meaning,
            "parts": [
                {
                    "name": Sentence(part.name, context="criterion"),
                    "meaning": part.meaning,
                    "minimum": part.minimum,
                }
                for part in criteria.criteria
                if part.part_of == counted.id
            ],
        }
        for counted in criteria.counted
    ]


def again_of(one: Open) -> list[tuple[str, Sentence]]:
    """The criteria of which a re-application says where the new evidence is; none where nobody asks."""
    if not one.refusals or not one.of.edition.national.reapplication.name_criteria.value:
        return []
    return [
        (criterion.id, Sentence(criterion.name, context="criterion"))
        for criterion in one.of.edition.criteria_set.criteria
    ]


def files_of(visit: Visit, draft: Drafted, *, remove: bool = True) -> list[FileShown]:
    """The files of a draft."""
    texts = visit.texts("apply.html.j2")
    return [
        FileShown(
            one.document.name,
            kind_of(one.document.media_type),
            f"{texts.size(one.document.size)} · {texts.moment(one.stored_at)}",
            remove=str(one.id) if remove else "",
        )
        for one in draft.evidence
    ]


def parts_of(one: Open, typed: ApplicationTyped) -> list[tuple[Sentence, str, str, Sentence]]:
    """The parts of the form: name, where it is, its state and what that is called."""
    done, begun, bare = say("done"), say("begun"), say("not begun")

    def part(name: Sentence, where: str, filled: int, of: int) -> tuple[Sentence, str, str, Sentence]:
        state, word = ("done", done) if filled == of else ("begun", begun) if filled else ("not-yet", bare)
        return name, where, state, word

    asked = one.of.edition.national.preconditions.value
    found = [
        part(
            say("Before you begin"),
            "#s-pre",
            sum(typed.preconditions.get(p.value, False) for p in asked),
            len(asked),
        ),
        part(
            say("The project in short"),
            "#s-pro",
            sum(map(bool, (typed.description.strip(), typed.pupils.strip(), typed.average_age.strip()))),
            3,
        ),
    ]
    for criterion in one.of.edition.criteria_set.counted:
        words = word_count(typed.sections.get(criterion.id, ""))
        fits = 0 < words <= one.of.edition.national.limits.section_words.value
        found.append(
            part(
                Sentence(criterion.name, context="criterion"),
                f"#sections.{criterion.id}",
                fits + bool(words),
                2,
            )
        )
    found.append(part(say("Evidence"), "#s-evi", 2 * bool(one.draft.evidence or typed.links.strip()), 2))
    return found


# What was sent ------------------------------------------------------------------------------------


def _typed(fields: dict[str, Any], one: Open) -> ApplicationTyped:
    """The form as it was sent; a field that it does not have is none of ours."""

    def text(name: str) -> str:
        value = fields.get(name, "")
        return value[:TEXT] if isinstance(value, str) else ""

    rules = one.of.edition
    return ApplicationTyped(
        preconditions={
            p.value: f"precondition.{p.value}" in fields for p in rules.national.preconditions.value
        },
        description=text("description"),
        links=text("links"),
        pupils=one_line(text("pupils"), 40),
        average_age=one_line(text("average_age"), 40),
        sections={c.id: text(f"sections.{c.id}") for c in rules.criteria_set.counted},
        again={c: t for c, _ in again_of(one) if (t := text(f"again.{c}")).strip()},
    )


def send(visit: Visit) -> Response:
    """Saves the form: by itself while one types, or on the way to the page that checks the answers."""
    one = opened(visit)
    fields = {name: visit.sent.text(name, TEXT * 2) for name in visit.sent.names()}
    typed = _typed(fields, one)
    version = fields.get("version", "")
    act = use.save_draft(
        one.of.teacher,
        one.of.project,
        typed,
        int(version) if version.isdecimal() and len(version) < 9 else -1,
    )
    try:
        saved = perform(visit.here, act, by=visit.proof, door=Door.DESK)
    except StaleDraft:
        return _stale(visit, one, typed)
    if visit.sent.has("draft"):
        told = visit.texts("apply.html.j2").say("Saved {when}", when=visit.here.now())
        aside = visit.shows("apply-parts.html.j2", parts=parts_of(one, typed)).body
        return JSONResponse(
            {
                "state": "saved",
                "text": _bare(told),
                "version": saved.accepted.made,
                "aside": bytes(aside).decode(),
            }
        )
    signing_in.forget_form(visit.here, visit.account.person, visit.path)
    if removed := visit.sent.line("remove", 12):
        if removed.isdecimal():
            act = use.remove_evidence(one.of.teacher, one.of.project, int(removed))
            perform(visit.here, act, by=visit.proof, door=Door.DESK)
        return visit.goes_to(f"{visit.path}#s-evi")
    mistakes = _store(visit, one)
    if visit.sent.has("upload_only"):
        now = opened(visit)
        return listed(visit, files_of(visit, now.draft), mistakes, now.draft.version)
    if mistakes:
        return _shown(visit, opened(visit), typed, mistakes, status=422)
    if visit.sent.has("keep"):
        return visit.goes_to(visit.path, saved="1")
    if visit.sent.has("add"):
        return visit.goes_to(f"{visit.path}#s-evi")
    return visit.goes_to(f"{PATH}/{one.of.project}/check")


def _stale(visit: Visit, one: Open, typed: ApplicationTyped) -> Response:
    """What was typed stays on the page; saved once more, it takes the place of what the other window saved."""
    texts = visit.texts("apply.html.j2")
    when = one.draft.saved_at or visit.here.now()
    told = texts.say(
        "This form was changed in another window, {when}. What stands here is saved with your next change.",
        when=when,
    )
    if visit.sent.has("draft"):
        return JSONResponse({"state": "fail", "text": _bare(told), "version": str(one.draft.version)})
    return _shown(visit, one, typed, [Mistake(told, "s-pro")], status=409)


def _bare(text: str) -> str:
    return Markup(text).striptags()


def _store(visit: Visit, one: Open) -> list[Mistake]:
    """Stores the files that came along, whatever else is wrong with the form; why some were not taken."""
    texts = visit.texts("apply.html.j2")
    stored, mistakes = stored_files(visit, texts, one.of.edition)
    if stored:
        act = use.add_evidence(one.of.teacher, one.of.project, stored, one.of.edition)
        try:
            perform(visit.here, act, by=visit.proof, door=Door.DESK)
        except TooMuch:
            mistakes.append(too_much(texts, one.of.edition))
    return mistakes


# Before it is handed in ---------------------------------------------------------------------------


def check(visit: Visit) -> Response:
    """All answers on one page, with everything that would keep them from being handed in."""
    return _checked(visit)


def _checked(visit: Visit, *, confirm: bool = False, status: int = 200) -> Response:
    now = visit.here.now()
    with visit.here.record.reading() as session:
        one = opened_in(session, visit, now)
        if one.latest and one.latest.outcome is None:
            return visit.goes_to(f"/applications/{one.latest.id}")
        found = use.checked(session, one.of, one.draft.typed, now)
    mistakes = mistakes_of(visit, one, found)
    if confirm:
        mistakes.append(
            Mistake(visit.texts("check.html.j2").say("Say that what is written here is true"), "true")
        )
    rules = one.of.edition.national
    return visit.shows(
        "check.html.j2",
        status,
        of=one.of,
        typed=one.draft.typed,
        criteria=criteria_of(one),
        conditions=[(name.value, PRECONDITIONS[name][0]) for name in rules.preconditions.value],
        again=again_of(one),
        files=files_of(visit, one.draft, remove=False),
        links=[line.strip() for line in one.draft.typed.links.split("\n") if line.strip()],
        mistakes=mistakes,
        at={mistake.field: mistake.text for mistake in mistakes},
        ready=found.ready,
        form=f"{PATH}/{one.of.project}/apply",
        placement=place(now, rules.calendar, one.of.country),
        saved_at=one.draft.saved_at,
    )


def mistakes_of(visit: Visit, one: Open, found: use.Checked) -> list[Mistake]:
    """What stands in the way, each with the field that mends it."""
    texts = visit.texts("check.html.j2")
    mistakes = []
    for blank in found.blanks:
        if blank.wrong is Wrong.NO_LINK:
            said = texts.say(
                "“{link}” is no link; it begins with https:// and has no space in it", link=blank.what
            )
        elif blank.wrong in _WRONG:
            said = str(texts.shown(_WRONG[blank.wrong]))
        else:
            said = blank.what or blank.wrong.value
        mistakes.append(Mistake(said, blank.field))
    for condition in found.unmet:
        about = texts.shown(condition.problem), texts.shown(condition.remedy)
        mistakes.append(Mistake(_joined(*about), field_of(condition.code)))
    return sorted(mistakes, key=lambda one: _place_of(one.field))


_IN_ORDER = ("main", "precondition", "description", "pupils", "average_age", "sections", "s-again", "again")


def _place_of(field: str) -> int:
    """Where a field stands in the form, from the top; what has no other place is at its end."""
    part = field.partition(".")[0]
    return _IN_ORDER.index(part) if part in _IN_ORDER else len(_IN_ORDER)


def _joined(problem: object, remedy: object) -> str:
    return Markup("{} {}").format(problem, remedy)


def field_of(code: str) -> str:
    """The field of the form that a condition is about; the top of the page, where nothing in the form mends it."""
    if code in ABOUT_THE_PROJECT:
        return "main"
    if code.startswith("reapplication"):
        return "s-again"
    return code


def hand_in(visit: Visit) -> Response:
    """Hands the draft in; a second time leads to what the first has made."""
    if not visit.sent.has("true"):
        return _checked(visit, confirm=True, status=422)
    try:
        act = use.hand_in(visit.here, visit.account.teachers, visit.named("project"), visit.arrived)
        done = perform(visit.here, act, by=visit.proof, door=Door.DESK, mail=False)  # it follows the answer
    except use.NotReady:
        return _checked(visit, status=422)
    except NotAllowed:
        # Another click was faster, or another window: what it has made is what there is.
        again = opened(visit)
        if again.latest and again.latest.outcome is None:
            return visit.goes_to(f"/applications/{again.latest.id}")
        raise
    answer = visit.goes_to(f"/applications/{done.accepted.made}", received="1")
    answer.background = visit.desk.following.of(visit.here, done.accepted.made)
    return answer


# Before anything is written -----------------------------------------------------------------------


def questions(visit: Visit) -> Response:
    """Every question of the form, to read before one starts."""
    one = opened(visit)
    values: dict[str, Any] = {
        "of": one.of,
        "criteria": criteria_of(one),
        "conditions": [PRECONDITIONS[name][0] for name in one.of.edition.national.preconditions.value],
        "limits": one.of.edition.national.limits,
        "again": again_of(one),
    }
    answer = visit.shows("questions.html.j2", **values)
    if "download" in visit.request.query_params:
        answer.headers["Content-Disposition"] = 'attachment; filename="questions.html"'
    return answer


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(f"{PATH}/{{project}}/apply", form, send, allowed=is_teacher, largest=LARGEST, files=FILES),
        page(f"{PATH}/{{project}}/check", check, hand_in, allowed=is_teacher),
        page(f"{PATH}/{{project}}/questions", questions, allowed=is_teacher),
    ]
