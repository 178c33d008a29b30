"""Many applications at once: what is to be done, the plan of it, and one confirmation."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import ACTS, fields_of, filters_in, query_of
from desk.applications import PATH as LIST
from desk.coordinators import coordinates
from desk.frame import Visit, kept_fields, later, page
from desk.lists import one_of
from desk.parts import Mistake, why
from labels.answering.many import DATES, MOST, PlanChanged, What, Wish
from labels.applications.uploads.limits import MIB
from labels.clock import read_deadline
from labels.errors import InvalidInput, LabelsError, NotFound, OutOfReach
from labels.record.schema import StepKind
from labels.steps.kinds import STEPS
from labels.turn import Door
from labels.views.applications import Filters, Part, Scope, how_many
from labels.views.load import load
from labels.words.text import has_words
from usecases import many as usecases
from usecases.performing import perform

PATH = "/cases/many"
PLAN = "/cases/plans/{plan}"
LONGEST = 2_000
"""Characters of a reason."""
LARGEST = 5 * MIB
"""Bytes of a file."""
TICKED = 500
"""Applications that an address may name."""

CHOOSE = "coordinating/many.html.j2"
SHOW = "coordinating/plan.html.j2"

KINDS = (
    StepKind.REVIEW,
    StepKind.INFORMATION,
    StepKind.SELF_ASSESSMENT,
    StepKind.DECLARATION,
    StepKind.SCREENING,
)
"""Of what somebody is reminded, and what is due at another time."""


def choose(visit: Visit) -> Response:
    """The page on which it is said what is to be done."""
    query: Mapping[str, str] = visit.request.query_params
    ticked = visit.request.query_params.getlist("chosen")
    typed: Mapping[str, str] = {}
    if "act" not in query and (kept := kept_fields(visit)):  # what was sent when the session had run out
        fields, _ = kept
        query = typed = {name: value for name, value in fields.items() if isinstance(value, str)}
        chosen = fields.get("chosen", [])
        ticked = [chosen] if isinstance(chosen, str) else list(chosen)
    what = one_of(What, query.get("act"))
    if what is None:
        raise NotFound("There is nothing here.")
    return _asked(visit, what, filters_in(query), tuple(one[:40] for one in ticked)[:TICKED], typed)


def _asked(
    visit: Visit,
    what: What,
    filters: Filters,
    ticked: tuple[str, ...],
    typed: Mapping[str, str],
    mistakes: list[Mistake] | None = None,
    status: int = 200,
) -> Response:
    own = frozenset(visit.account.coordinates)
    scope, now = Scope(own, own), visit.here.now()
    with visit.here.record.reading() as session:
        (matching,) = how_many(session, scope, now, replace(filters, part=Part.OPEN))
        people = sorted(load(session, scope, now), key=lambda one: (one.name, one.person))
    return visit.shows(
        CHOOSE,
        status,
        what=what,
        heading=ACTS[what],
        ticked=ticked,
        number=len(ticked) or matching,
        too_many=not ticked and matching > MOST,
        most=MOST,
        list=LIST + query_of(filters),
        query=fields_of(filters),
        people=people,
        kinds=[(one.value, STEPS[one].worded) for one in KINDS],
        whose=typed.get("whose", filters.reviewer),
        typed=lambda name: typed.get(name, ""),
        mistakes=mistakes or [],
        at={one.field: one.text for one in mistakes or []},
    )


def make(visit: Visit) -> Response:
    """Makes the plan."""
    sent = visit.sent
    what = one_of(What, sent.line("act", 20))
    if what is None:
        raise NotFound("There is nothing here.")
    texts = visit.texts(CHOOSE)
    fields = {name: sent.text(name, LONGEST) for name in sent.names()}
    filters = replace(filters_in(fields), part=Part.OPEN)
    ticked = tuple(one[:40] for one in sent.all("chosen"))[:TICKED]

    def again(mistakes: list[Mistake], status: int) -> Response:
        return _asked(visit, what, filters, ticked, fields, mistakes, status)

    mistakes = []
    reason = sent.text("reason", LONGEST).strip()
    if not has_words(reason):
        mistakes.append(Mistake(texts.say("Say why"), "reason"))
    until = None
    files = sent.files("file")
    if typed := sent.line("until", 30):
        try:
            until = read_deadline(typed)
        except ValueError:
            mistakes.append(Mistake(texts.say("This is no day: write it as 2026-04-20"), "until"))
    elif what in DATES and not files:
        mistakes.append(Mistake(texts.say("Say until when"), "until"))
    if mistakes:
        return again(mistakes, 422)
    to = sent.line("to", 80)
    wish = Wish(
        what,
        reason,
        visit.proof.person if to == "me" else to,
        sent.line("whose", 80),
        one_of(StepKind, sent.line("kind", 40)),
        until,
    )
    with tempfile.TemporaryDirectory() as folder:
        which = usecases.Selection(filters, ticked)
        if files:
            here = Path(folder) / "rows"
            with here.open("wb") as stored:
                shutil.copyfileobj(files[0].file, stored)
            which = usecases.Selection(file=here, file_name=(files[0].filename or "")[:80])
        try:
            made = usecases.plan(visit.here, visit.proof.person, visit.account.coordinates, wish, which)
        except (OutOfReach, NotFound):
            raise
        except InvalidInput as error:
            return again([Mistake(texts.fault(one), "file") for one in error.faults], 422)
        except LabelsError as error:
            return again([Mistake(why(texts, error), "reason")], 409)
    return visit.goes_to(PLAN.format(plan=made))


def show(visit: Visit) -> Response:
    """The plan, a page of it."""
    return _shown(visit)


def _shown(
    visit: Visit, changed: PlanChanged | None = None, mistake: str = "", status: int = 200
) -> Response:
    first = visit.request.query_params.get("from", "0")
    place = int(first) if first.isdecimal() and len(first) < 7 else 0
    plan = usecases.plan_of(
        visit.here, visit.named("plan"), visit.proof.person, first=place, limit=usecases.PAGE
    )
    return visit.shows(
        SHOW,
        status,
        plan=plan,
        heading=ACTS[plan.wish.what],
        kinds={one: STEPS[one].worded for one in StepKind},
        changed=changed.changed if changed else (),
        further=f"{visit.path}?from={plan.further}" if plan.further is not None else "",
        mistakes=[Mistake(mistake, "confirm-title")] if mistake else [],
    )


def confirm(visit: Visit) -> Response:
    """Carries the plan out, or makes it anew as things are now."""
    identifier = visit.named("plan")
    if visit.sent.has("again"):
        made = usecases.plan_again(visit.here, identifier, visit.proof.person, visit.account.coordinates)
        return visit.goes_to(PLAN.format(plan=made))
    try:
        done = perform(visit.here, usecases.confirm(identifier), by=visit.proof, door=Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except PlanChanged as error:
        return _shown(visit, changed=error, status=409)
    except LabelsError as error:
        return _shown(visit, mistake=why(visit.texts(SHOW), error), status=409)
    return visit.goes_to(visit.path, **later(done.outage))


def routes() -> list[Route]:
    """The pages."""
    return [
        page(PATH, choose, make, allowed=coordinates, largest=LARGEST, files=1),
        page(PLAN, show, confirm, allowed=coordinates),
    ]
