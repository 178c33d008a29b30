"""What a case reads like, section by section, the passages side by side: for whoever coordinates it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import OUTCOMES
from desk.coordinators import coordinates
from desk.frame import Visit, page
from labels.applications.likeness import Relation
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.views.case import case_for
from labels.views.likeness import AUDIENCES, likeness_for
from labels.views.looker import Audience, looker_at
from labels.words.sentences import Sentence, named, say

PATH = "/cases/{application}/likeness"
TEMPLATE = "coordinating/likeness.html.j2"

RELATIONS: Mapping[Relation, Sentence] = {
    Relation.PARTNER: say("A partner in the same project: partners describe the same work"),
    Relation.SAME_APPLICANT: say("The same applicant, for another project"),
    Relation.OTHER: say("Another applicant, for another project"),
}
"""What the other case is to the one that reads like it."""


def show(visit: Visit) -> Response:
    """The page.

    Raises:
        NotFound: there is no such case, it is no teacher's, or it is another country's: nobody learns which.
    """
    application = visit.named("application")
    with visit.here.record.reading() as session:
        looker = looker_at(session, application, visit.proof.person)
        if looker.audience not in AUDIENCES:
            raise NotFound("There is nothing here.")
        case = case_for(session, application, looker)
        if case.label != LabelKind.NATIONAL:
            raise NotFound("There is nothing here.")
        found = likeness_for(session, application, visit.proof.person)
    return visit.shows(
        TEMPLATE,
        case=case,
        theirs=looker.audience is Audience.COORDINATOR,
        found=found.shown,
        elsewhere=found.elsewhere,
        relations=RELATIONS,
        outcomes=OUTCOMES,
        criterion=lambda name: named("criterion", name),
    )


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, allowed=coordinates)]
