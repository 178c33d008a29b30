"""A school's self-assessment is looked at by its own people, filled in from the registry where that was not done yet."""

from __future__ import annotations

from collections.abc import Collection

from adapters.workspace import Workspace
from labels.errors import NotFound
from labels.school_label.prefilling import prefill
from labels.views import self_assessment as view
from labels.views.self_assessment import Sheet


def sheet(here: Workspace, person: str, schools: Collection[str], application: str) -> Sheet:
    """The self-assessment for somebody who was asked for something in it, or whose school it is.

    Raises:
        NotFound: it is another school's, or there is none.
    """
    now = here.now()
    with here.record.reading() as session:
        found = view.sheet(session, person, schools, application, now)
    if found is None:  # whoever is faster than the application's run
        with here.record.writing() as session:
            prefill(here.turn(session), application)
            found = view.sheet(session, person, schools, application, now)
    if found is None:
        raise NotFound("There is nothing here.")
    return found
