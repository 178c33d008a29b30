"""The tasks of the School Label's round; all may be repeated, and each goes on where it was interrupted."""

from __future__ import annotations

from datetime import date

from prefect import task
from prefect.artifacts import create_table_artifact

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.prefect.progress import Progress
from adapters.prefect.retrying import RETRIED
from adapters.prefect.runs import start_all
from adapters.workspace import workspace
from labels.school_label import inviting, rounds
from labels.words.countries import COUNTRIES
from tasks.process import in_a_turn
from usecases.inviting import begin, school_rules_on


@task(name="begin the round", **RETRIED)
def begin_the_round(on: date | None) -> int:
    """The year whose round this is."""
    return begin(workspace(), on).year


@task(name="check every school", **RETRIED)
def check_every_school(year: int) -> bool:
    """Whether the schools were checked just now; once they are, what was found stays."""
    return in_a_turn(rounds.check, year)


@task(name="invite the schools", **RETRIED)
def invite_the_schools(year: int) -> int:
    """Puts every invitation into the outbox; how many schools were invited now."""
    here = workspace()
    with here.record.reading() as session:
        day, left = rounds.round_of(session, year).on, inviting.to_invite(session, year)
    progress = Progress(f"school-round-{year}-invited", f"Schools invited in the round of {year}", left)
    done = 0
    while True:
        with here.record.writing() as session:
            batch = inviting.invite(here.turn(session), year, school_rules_on(here, day))
        if batch == inviting.NOBODY:
            progress.end()
            return done
        done += batch.schools
        progress.show(done)


@task(name="start the applications", **RETRIED)
def start_the_applications(year: int) -> int:
    """Gives every invited school's application its run; how many got one now."""
    here = workspace()
    with here.record.reading() as session:
        waiting = inviting.unstarted(session, year, limit=1_000_000)
    if not waiting:
        return 0
    progress = Progress(
        f"school-round-{year}-started", f"Applications of {year} that have a run", len(waiting)
    )
    with prefect_client() as client:
        start_all(here, client, waiting, progress.show)
    progress.end()
    return len(waiting)


@task(name="send the invitations", **RETRIED)
def send_the_invitations() -> str:
    """Sends what waits in the outbox; what can't go out now stays there for upkeep."""
    return str(send_due(workspace()))


@task(name="show the round", **RETRIED)
def show_the_round(year: int) -> int:
    """Shows what became of each country's schools; how many are invited altogether."""
    here = workspace()
    with here.record.reading() as session:
        countries = rounds.by_country(session, year)
    create_table_artifact(
        key=f"school-round-{year}",
        table=[
            {
                "country": f"{COUNTRIES.get(one.country, one.country)} ({one.country})",
                "checked": one.checked,
                "eligible": one.eligible,
                "invited": one.invited,
                "hold a label": one.holding,
                "registered too late": one.too_young,
                "too few active teachers": one.too_few_active,
                "no recent label": one.no_label,
            }
            for one in countries
        ],
        description=f"School Label {year}: a school that fails for two reasons counts under both.",
    )
    return sum(one.invited for one in countries)
