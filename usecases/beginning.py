"""Beginning the yearly cycle of the European Quality Label, and its run."""

from __future__ import annotations

from adapters.prefect.client import prefect_client
from adapters.prefect.runs import start
from adapters.workspace import Workspace
from labels.european_label import freezing
from labels.people import staff
from labels.record.schema import Application, Stage
from usecases.cycles import rules_of_year


def begin_cycle(here: Workspace, year: int | None = None) -> str:
    """Begins the cycle of a year, by default the latest whose window is over, and starts its run; once.

    Raises:
        InvalidInput: there is no such year, or no Central Support Service.
        NotAllowed: labels of that year can still be awarded.
        OutOfReach: Prefect does not answer; `labels recover` starts the run later.
    """
    with here.record.writing() as session:
        if year is None:
            central = staff.central_organisation(session).id
            year = freezing.latest_year(lambda one: rules_of_year(here, one)(central).european, here.now())
        application = freezing.begin(here.turn(session), year, rules_of_year(here, year))
        closed = session.get_one(Application, application).stage is Stage.CLOSED
    if not closed:
        with prefect_client() as client:
            start(here, client, application)
    return application
