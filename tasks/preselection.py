"""The tasks of the School Label's round; all may be repeated, and each goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from prefect import task
from prefect.artifacts import create_table_artifact

from labels.clock import brussels_day
from labels.record.schema import SchoolRound
from labels.registry.countries import COUNTRIES
from labels.rules import RuleEdition, load_rules, load_school_rules
from labels.school_label import inviting, rounds
from tasks.post import send_due
from tasks.progress import Progress
from tasks.retrying import RETRIED
from tasks.runs import prefect_client, start_all
from tasks.workspace import Workspace, workspace

DEPLOYMENT = "school-label-preselection/preselection"
"""The deployment that runs a round (prefect.yaml)."""


RulesFor = Callable[[str], RuleEdition]


def rules_on(here: Workspace, day: date) -> RulesFor:
    """The rules in force on a day, for every organisation."""
    return lambda organisation: load_rules(organisation, day, here.settings.rules)


def school_rules_on(here: Workspace, day: date) -> RulesFor:
    """The same, as the applications of schools are judged by them."""
    return lambda organisation: load_school_rules(organisation, day, here.settings.rules)


def begin(here: Workspace, on: date | None = None) -> SchoolRound:
    """The round of the year of `on`, by default today's; begun now where it has not been.

    Raises:
        InvalidInput: the day is none that a round could be of, or there is no Central Support Service.
        NotAllowed: the day is still to come, or the round would end before it begins.
    """
    day = on or brussels_day(here.now())
    with here.record.writing() as session:
        return rounds.begin(session, day, rules_on(here, day), now=here.now())


@task(name="begin the round", **RETRIED)
def begin_the_round(on: date | None) -> int:
    """The year whose round this is."""
    return begin(workspace(), on).year


@task(name="check every school", **RETRIED)
def check_every_school(year: int) -> bool:
    """Whether the schools were checked just now; once they are, what was found stays."""
    here = workspace()
    with here.record.writing() as session:
        return rounds.check(session, year, now=here.now())


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
            batch = inviting.invite(session, year, school_rules_on(here, day), now=here.now(), key=here.key)
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
