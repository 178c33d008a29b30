"""A year of the European Quality Label: where each organisation stands, rankings with their reasons, screening, award, gallery."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.my_gallery import as_picture
from desk.parts import Mistake, why
from labels.applications.uploads.inspecting import too_many
from labels.errors import InvalidInput, LabelsError, NotFound, OutOfReach
from labels.european_label.contributions import Part, contribution_of
from labels.european_label.freezing import FIRST_YEAR, LAST_YEAR, latest_year
from labels.european_label.gallery import gallery as gallery_of
from labels.record.schema import Outcome, Stage, Step, StepKind
from labels.reviews.scoring import in_points
from labels.sessions.accounts import Account
from labels.steps.answers import Screening
from labels.turn import Door
from labels.views import year as views
from labels.views.cycle import PREVIEW, CycleView, OrganisationView, inspect
from labels.views.looker import reach_of
from labels.words.sentences import Sentence, say
from labels.words.text import has_words
from usecases import answering, cycles
from usecases.performing import perform

PATH = "/year"
YEAR = "/year/{year}"
RANKING = "/year/{year}/of/{organisation}"
AWARD = "/year/{year}/award"
FAIRNESS = "/year/{year}/fairness"
GALLERY = "/year/{year}/gallery"
GIVEN_PICTURE = "/year/{year}/gallery/{project}/picture"
PUBLISHED = "/gallery/{year}"
PUBLISHED_PAGE = "/gallery/{year}/index.html"
PUBLISHED_DATA = "/gallery/{year}/gallery.json"
PUBLISHED_PICTURE = "/gallery/{year}/pictures/{picture}"

YEAR_PAGE = "year/year.html.j2"
RANKING_PAGE = "year/ranking.html.j2"
AWARD_PAGE = "year/award.html.j2"
CONFIRM_PAGE = "year/confirm.html.j2"
FAIRNESS_PAGE = "year/fairness.html.j2"
GALLERY_PAGE = "year/gallery.html.j2"

LONGEST = 2_000
"""Characters of a reason."""
MOST = 200
"""What one form may strike."""

STANDS: Mapping[str, Sentence] = {
    PREVIEW: say("not begun: this is what it would be"),
    "nothing to screen": say("nothing to screen"),
    Stage.SUBMITTED: say("begun"),
    Stage.SCREENING: say("being screened"),
    Stage.AWARDING: say("being awarded"),
    Stage.DECIDED: say("decided"),
    Stage.CLOSED: say("closed"),
    Outcome.NOMINATED: say("has put forward"),
    Outcome.EXPIRED: say("nothing put forward"),
    Outcome.AWARDED: say("awarded"),
    Outcome.REFUSED: say("nothing awarded"),
}
"""Where a year, or an organisation's part of it, stands."""


def is_central(account: Account) -> bool:
    """Whether somebody coordinates the Central Support Service."""
    return account.central


def _year(visit: Visit) -> int:
    typed = visit.named("year")
    if not typed.isdecimal() or len(typed) != 4 or not FIRST_YEAR <= int(typed) <= LAST_YEAR:
        raise NotFound("There is nothing here.")
    return int(typed)


def _view(visit: Visit) -> CycleView:
    """What whoever looks may see of the year.

    Raises:
        NotFound: there is no such year, or nothing of it is theirs: nobody learns which.
    """
    year = _year(visit)
    with visit.here.record.reading() as session:
        reach = reach_of(session, visit.proof.person)
        try:
            return inspect(session, year, cycles.rules_of_year(visit.here, year), reach)
        except InvalidInput:
            raise NotFound("There is nothing here.") from None


def latest(visit: Visit) -> Response:
    """Leads to the latest year that has begun, or to the one that comes next."""
    with visit.here.record.reading() as session:
        begun = views.years(session)
    year = begun[0] if begun else latest_year(_rules(visit), visit.here.now())
    return visit.goes_to(YEAR.format(year=year))


def _rules(visit: Visit) -> Any:
    return lambda year: cycles.rules_of_year(visit.here, year)("default").european


# The year -----------------------------------------------------------------------------------------


def shown(visit: Visit) -> Response:
    """Where the year stands, organisation by organisation."""
    view = _view(visit)
    with visit.here.record.reading() as session:
        names, begun = views.names(session), views.years(session)
        mine = {
            one.organisation
            for one in view.organisations
            if views.open_step_of(session, one.nomination, StepKind.SCREENING, visit.proof.person)
        }
        award = views.open_step_of(session, view.application, StepKind.AWARDING, visit.proof.person)
    return visit.shows(
        YEAR_PAGE,
        view=view,
        names=names,
        stands=STANDS,
        years=sorted({*begun, view.year}, reverse=True),
        mine=mine,
        award=award is not None,
        central=visit.account.central,
        qualifying=sum(one.qualifies for one in view.projects),
        awarded=sum(one.awarded == "awarded" for one in view.projects),
        published=cycles.is_published(visit.here, view.year),
    )


# A ranking, and its screening ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """What whoever decides may approve or strike, now."""

    step: Step
    names: Mapping[str, str]
    """What each is called, by what the record calls it."""

    @property
    def seen(self) -> str:
        """By which it is known whether it is still what was shown."""
        return hashlib.sha256(" ".join(sorted(self.names)).encode()).hexdigest()[:16]


def ranking(visit: Visit) -> Response:
    """The ranking of one organisation, with the reason of every place."""
    return _ranking(visit)


def _ranking(visit: Visit, mistake: str = "", status: int = 200) -> Response:
    view, one = _organisation(visit)
    with visit.here.record.reading() as session:
        titles = views.titles(session, (row.project for row in one.ranking))
        teachers = views.teachers(session, (row.teacher for row in one.ranking))
        names = views.names(session)
        said = views.said(session, one.nomination, StepKind.SCREENING) if one.nomination else ()
    choice = _screening(visit, one, titles, teachers)
    return visit.shows(
        RANKING_PAGE,
        status,
        view=view,
        one=one,
        name=names[one.organisation],
        titles=titles,
        teachers=teachers,
        stands=STANDS,
        points=in_points,
        choice=choice,
        said=said,
        mistakes=[Mistake(mistake, "screening")] if mistake else [],
    )


def _organisation(visit: Visit) -> tuple[CycleView, OrganisationView]:
    view, organisation = _view(visit), visit.named("organisation")
    for one in view.organisations:
        if one.organisation == organisation:
            return view, one
    raise NotFound("There is nothing here.")


def _screening(
    visit: Visit, one: OrganisationView, titles: Mapping[str, str], teachers: Mapping[str, str]
) -> Choice | None:
    with visit.here.record.reading() as session:
        step = views.open_step_of(session, one.nomination, StepKind.SCREENING, visit.proof.person)
    if step is None:
        return None
    return Choice(
        step,
        {
            row.candidate: " · ".join(
                filter(None, (titles.get(row.project, row.project), teachers.get(row.teacher or "")))
            )
            for row in one.ranking
            if (row.proposed or row.moved_up) and row.screened is None
        },
    )


def screen(visit: Visit) -> Response:
    """Has what is struck given its reasons, then screens the proposal."""
    _, one = _organisation(visit)
    with visit.here.record.reading() as session:
        titles = views.titles(session, (row.project for row in one.ranking))
        teachers = views.teachers(session, (row.teacher for row in one.ranking))
    choice = _screening(visit, one, titles, teachers)
    texts = visit.texts(RANKING_PAGE)
    if choice is None:
        return _ranking(visit, texts.say("It is not asked of you any more"), 409)
    return _decided(visit, choice, _ranking)


# The award ----------------------------------------------------------------------------------------


def award(visit: Visit) -> Response:
    """Every project of the year, and why it qualifies or not."""
    return _award(visit)


def _award(visit: Visit, mistake: str = "", status: int = 200) -> Response:
    view = _view(visit)
    with visit.here.record.reading() as session:
        names = views.names(session)
        said = (
            views.said(session, view.application, StepKind.AWARDING)
            if view.application and visit.account.central
            else ()
        )
    return visit.shows(
        AWARD_PAGE,
        status,
        view=view,
        names=names,
        titles={one.project: one.title for one in view.projects},
        stands=STANDS,
        central=visit.account.central,
        choice=_awarding(visit, view),
        said=said,
        mistakes=[Mistake(mistake, "award")] if mistake else [],
    )


def _awarding(visit: Visit, view: CycleView) -> Choice | None:
    with visit.here.record.reading() as session:
        step = views.open_step_of(session, view.application, StepKind.AWARDING, visit.proof.person)
    if step is None:
        return None
    return Choice(
        step, {one.project: one.title for one in view.projects if one.qualifies and not one.awarded}
    )


def give(visit: Visit) -> Response:
    """Has what is struck given its reasons, then decides on the award."""
    choice = _awarding(visit, _view(visit))
    texts = visit.texts(AWARD_PAGE)
    if choice is None:
        return _award(visit, texts.say("It is not asked of you any more"), 409)
    return _decided(visit, choice, _award)


# Deciding, of either ------------------------------------------------------------------------------


def _decided(visit: Visit, choice: Choice, again: Any) -> Response:
    """Asks for the reasons of what is struck; once they are there, decides on all of it."""
    texts = visit.texts(CONFIRM_PAGE)
    if visit.sent.line("seen", 40) != choice.seen:
        return _again(
            visit, again, texts.say("Something has changed since you saw this: look at it, and choose again")
        )
    struck = [one for one in dict.fromkeys(visit.sent.all("strike")) if one in choice.names]
    if len(struck) > MOST:
        return _again(visit, again, texts.told(too_many(len(struck), MOST)), 422)
    reasons = {one: visit.sent.text(f"reason-{number}", LONGEST).strip() for number, one in enumerate(struck)}
    if not visit.sent.has("confirmed"):
        return _confirm(visit, choice, struck, reasons)
    missing = [
        Mistake(texts.say("Say why"), f"reason-{number}")
        for number, one in enumerate(struck)
        if not has_words(reasons[one])
    ]
    if missing:
        return _confirm(visit, choice, struck, reasons, missing, 422)
    given = Screening(approve=[one for one in choice.names if one not in reasons], strike=reasons)
    try:
        done = perform(visit.here, answering.answer(choice.step.id, given), by=visit.proof, door=Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _again(visit, again, why(texts, error))
    return visit.goes_to(visit.path, sent="1", **later(done.outage))


def _again(visit: Visit, again: Any, mistake: str, status: int = 409) -> Response:
    answer: Response = again(visit, mistake, status)
    return answer


def _confirm(
    visit: Visit,
    choice: Choice,
    struck: Sequence[str],
    reasons: Mapping[str, str],
    mistakes: list[Mistake] | None = None,
    status: int = 200,
) -> Response:
    return visit.shows(
        CONFIRM_PAGE,
        status,
        year=_year(visit),
        awarding=choice.step.kind is StepKind.AWARDING,
        approved=[name for one, name in choice.names.items() if one not in struck],
        struck=[(one, choice.names[one], reasons[one]) for one in struck],
        seen=choice.seen,
        mistakes=mistakes or [],
        at={one.field: one.text for one in mistakes or []},
    )


# Fairness and the gallery -------------------------------------------------------------------------


def fairness(visit: Visit) -> Response:
    """How severe each organisation is, and what that makes: shown, never applied."""
    view = _view(visit)
    rows = {row.candidate: row.project for one in view.organisations for row in one.ranking}
    with visit.here.record.reading() as session:
        names = views.names(session)
        titles = views.titles(session, (rows[one.candidate] for one in view.would_change))
    return visit.shows(
        FAIRNESS_PAGE,
        view=view,
        names=names,
        title=lambda one: titles.get(rows[one.candidate], one.candidate),
    )


def gallery(visit: Visit) -> Response:
    """The gallery as it would be published now."""
    return _gallery(visit)


def _gallery(visit: Visit, mistake: Mistake | None = None, status: int = 200, typed: str = "") -> Response:
    year = _year(visit)
    with visit.here.record.reading() as session:
        found = gallery_of(session, year, preview=True)
        given = views.contributions(session, year)
    shown = {one.project: one.title for country in found.countries for one in country.projects}
    return visit.shows(
        GALLERY_PAGE,
        status,
        gallery=found,
        given=[(shown[one.project], one) for one in given if one.project in shown and (one.words or one.key)],
        typed=typed,
        at={mistake.field: mistake.text} if mistake else {},
        published=cycles.is_published(visit.here, year),
        address=PUBLISHED.format(year=year),
        mistakes=[mistake] if mistake else [],
        sent=visit.request.query_params.get("sent", ""),
    )


def publish(visit: Visit) -> Response:
    """Publishes it, or strikes something that was given for it."""
    if visit.sent.has("strike"):
        return _strike(visit)
    try:
        cycles.publish_by(visit.here, _year(visit), visit.sent.line("seen", 80), visit.proof, Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _gallery(visit, Mistake(why(visit.texts(GALLERY_PAGE), error), "publish"), 409)
    return visit.goes_to(visit.path, sent="1")


def _strike(visit: Visit) -> Response:
    """Takes the words or the picture of a project out, with the reason."""
    year, (part, _, project) = _year(visit), visit.sent.line("strike", 200).partition(":")
    reason = visit.sent.text("reason", LONGEST).strip()
    if part not in list(Part):
        raise NotFound("There is nothing here.")
    if not has_words(reason):
        missing = Mistake(visit.texts(GALLERY_PAGE).say("Say why"), f"reason-{project}")
        return _gallery(visit, missing, 422)
    act = cycles.strike(year, project, Part(part), reason)
    cycles.contribute(visit.here, year, act, visit.proof, Door.DESK)
    return visit.goes_to(visit.path, sent="struck")


def given_picture(visit: Visit) -> Response:
    """A picture that was given, for whoever is to look at it."""
    with visit.here.record.reading() as session:
        found = contribution_of(session, _year(visit), visit.named("project"))
    if found is None or found.key is None:
        raise NotFound("There is nothing here.")
    return as_picture(visit, found.key)


_OWN_STYLE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""A published gallery has its style in itself, and nothing else."""


def lead(visit: Visit) -> Response:
    """Leads to the page beside its data, so that its own links are right wherever its folder is served."""
    return visit.goes_to(PUBLISHED_PAGE.format(year=_year(visit)))


def read(visit: Visit) -> Response:
    """The published gallery, for everybody."""
    page = cycles.published_file(visit.here, _year(visit), "index.html")
    return _public(page, "text/html; charset=utf-8")


def data(visit: Visit) -> Response:
    """The same as data, for a portal."""
    return _public(cycles.published_file(visit.here, _year(visit), "gallery.json"), "application/json")


def published_picture(visit: Visit) -> Response:
    """A picture of it."""
    found = cycles.published_picture(visit.here, _year(visit), visit.named("picture"))
    return _public(found, cycles.PICTURE)


def _public(content: bytes, media: str) -> Response:
    headers = {
        "Content-Security-Policy": _OWN_STYLE,
        "Cache-Control": "public, max-age=300",
        "X-Robots-Tag": "all",
    }
    return Response(content, media_type=media, headers=headers)


def routes() -> list[Route]:
    """The pages."""
    return [
        page(PATH, latest, allowed=coordinates),
        page(YEAR, shown, allowed=coordinates),
        page(RANKING, ranking, screen, allowed=coordinates),
        page(AWARD, award, give, allowed=coordinates),
        page(FAIRNESS, fairness, allowed=is_central),
        page(GALLERY, gallery, publish, allowed=is_central),
        page(GIVEN_PICTURE, given_picture, allowed=is_central),
        page(PUBLISHED, lead, allowed=None),
        page(PUBLISHED_PAGE, read, allowed=None),
        page(PUBLISHED_DATA, data, allowed=None),
        page(PUBLISHED_PICTURE, published_picture, allowed=None),
    ]
