"""Why a school may apply for its label or not, for the coordinators of its organisation: what they are called about."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, page
from desk.my_school import CONDITIONS, tag_of
from labels.errors import NotFound
from labels.record.schema import School
from labels.views.applications import scope_of
from labels.views.school import my_school

PATH = "/cases/schools/{school}"


def show(visit: Visit) -> Response:
    """The conditions of a school, as the last round found them and as they stand, and its applications."""
    school, here = visit.named("school"), visit.here
    organisations = scope_of(visit.account).organisations
    with here.record.reading() as session:
        row = session.get(School, school)
        if row is None or (organisations is not None and row.organisation not in organisations):
            raise NotFound("There is nothing here.")
        one = my_school(session, [school], school, here.now(), here.settings.rules)
    return visit.shows("coordinating/school.html.j2", one=one, conditions=CONDITIONS, tag_of=tag_of)


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, allowed=coordinates)]
