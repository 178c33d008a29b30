"""A year of all three processes with virtual people: what waited how long, at what cost, and what ten times as much needs.

Run it with `.venv/bin/python -m benchmarks.year`. It makes up a registry of Europe's size by `--scale`, plans a
year's applications on a fixed seed, and lets the clock jump from event to event while people apply, review, ask,
decline, forget and appeal. `--engine record` calls the steps of the flows one after the other in this process;
`--engine prefect` has a real server and the warm worker drive the same year. At the end it checks what must be true
and fails where it is not.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from adapters.papers.certificates import render_certificate
from adapters.papers.letters import render_letter
from adapters.workspace import Workspace, open_workspace
from benchmarks.year import checking, telling, world
from benchmarks.year.engines import OnPrefect
from benchmarks.year.ledger import Ledger
from benchmarks.year.picture import draw
from labels.clock import BRUSSELS
from labels.kinds import LabelKind
from labels.record import Record
from labels.record.schema import Application, SchoolOutcome
from labels.settings import Settings
from labels.views.rehearsal import quantile, waits
from tests.support.papers import certificate, letter
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.people import People
from usecases.rehearsing.playing import SettableClock, Year

MARKS = (
    (date(2027, 1, 15), "15 January: schools are checked and invited"),
    (date(2027, 6, 30), "30 June: the last day"),
    (date(2027, 10, 1), "1 October: the European cycle"),
)


DAYS = {"the School Label's round": date(2027, 1, 15), "the last day": world.COMMON_LAST_DAY}
SHOWN = 411
"""Days in the picture: from October to the middle of the November after the next."""


def main() -> None:
    """Plays the year and prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=0.001, help="1 is Europe: 45,000 applications")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--label", choices=[str(one) for one in world.LABELS], help="this label alone")
    parser.add_argument("--engine", choices=("record", "prefect"), default="record")
    parser.add_argument(
        "--papers", type=float, default=0.05, help="share of the papers that is really rendered"
    )
    parser.add_argument("--picture", type=Path, help="where the picture goes, as SVG")
    parser.add_argument("--home", type=Path, help="an empty folder that is kept; a temporary one unless told")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL instead of SQLite")
    parser.add_argument(
        "--engine-ms", type=float, default=0.0, help="CPU ms of Prefect for one application, to reckon with"
    )
    parser.add_argument("--markdown", action="store_true", help="tables as the documentation has them")
    parser.add_argument(
        "--digest", action="store_true", help="print the digest of what happened, and nothing else"
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.home:
            arguments.home.mkdir(parents=True, exist_ok=True)
        home = arguments.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labels-year-")))
        play(home, arguments, stack)


def play(home: Path, arguments: argparse.Namespace, stack: ExitStack) -> None:
    """One year in a folder of its own."""
    clock_file = home / "clock"

    def show(at: object) -> None:
        draft = clock_file.with_suffix(".new")
        draft.write_text(str(at), encoding="ascii")
        draft.replace(clock_file)

    on_prefect = arguments.engine == "prefect"
    clock = SettableClock(world.BEGINS, show if on_prefect else lambda at: None)
    settings = Settings(
        _env_file=None, home=home, database_url=arguments.database_url, secret="a year", clock_file=clock_file
    )
    ledger = Ledger(clock)
    people = People(arguments.seed)

    def say(line: str) -> None:
        if not arguments.digest:
            print(line, file=sys.stderr, flush=True)

    here = open_workspace(settings)
    if not on_prefect:
        here = Workspace(here.settings, here.record, here.documents, here.key, clock)
    label = LabelKind(arguments.label) if arguments.label else None
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="labels-registry-") as folder:
        made = world.make(here.record, Path(folder), arguments.scale, arguments.seed, label)
    say(
        f"{len(made.planned):,} applications planned in {made.counts['schools.csv']:,} schools, {time.monotonic() - began:.0f} s"
    )
    planned = made.planned if label in (None, LabelKind.NATIONAL) else []
    if label is LabelKind.EUROPEAN:
        given = world.label_at_once(here.record, made.planned, arguments.seed)
        say(f"{given:,} National Quality Labels given at once")
    before = _size(here.record)
    engine: InProcess | OnPrefect
    if on_prefect:
        engine = OnPrefect(settings, ledger, stack)
        here = engine.here
    else:
        engine = InProcess(here, people.share_of_papers(arguments.papers), ledger)
        if arguments.papers:
            _warm_up()
    began = time.monotonic()
    year = Year(here, clock, engine, people, ledger.part, say)
    year.play(planned, world.season_of(label))
    took = time.monotonic() - began
    with here.record.reading() as session:
        taken = engine.box.taken if isinstance(engine, InProcess) else None
        counts = checking.check(session, here.now(), taken, year.refused + year.nobody_left)
        print(checking.digest(session))
    if not arguments.digest:
        report(here, year, engine, ledger, counts, arguments, took, _size(here.record) - before)


def _warm_up() -> None:
    """Loads what papers are rendered with: that is no part of a year's work."""
    render_certificate(certificate())
    render_letter(letter())


def report(
    here: Workspace,
    year: Year,
    engine: InProcess | OnPrefect,
    ledger: Ledger,
    counts: dict[str, int],
    arguments: argparse.Namespace,
    took: float,
    grown: int,
) -> None:
    """Prints what came of it, and draws it."""
    scale, markdown = arguments.scale, arguments.markdown
    applications = counts["applications"]
    print(
        f"\nScale {scale:g}, seed {arguments.seed}, engine {arguments.engine}: {applications:,} applications, "
        f"{year.events:,} events, {took:.0f} s"
    )
    print("All held: " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    with here.record.reading() as session:
        found = waits(session)
        last = max(one.closed for one in found if one.closed).astimezone(BRUSSELS).date()
        queues = telling.queues(session, found, world.BEGINS.date(), max(last, date(2027, 12, 31)))
        kinds, countries = telling.by_kind(found), telling.by_country(session, found)
        volumes = _volumes(session, scale, counts, arguments.label)
    print(telling.table("Volumes, and Europe's by the factor", ("", "here", "Europe's"), volumes, markdown))
    print(telling.table("Waiting, by step, in days", telling.KIND_HEADS, kinds, markdown))
    print(
        telling.table(
            "National Quality Labels by country, in days", telling.COUNTRY_HEADS, countries, markdown
        )
    )
    print(telling.table("Longest queues", ("queue", "longest", "on"), queues.peaks(), markdown))
    print(telling.table("Cost", telling.COST_HEADS, telling.cost(ledger, applications), markdown))
    print(f"\nBytes of the record for one application: {grown / applications:,.0f}")
    if isinstance(engine, OnPrefect):
        print(f"Bytes of Prefect's database for one application: {engine.grown() / applications:,.0f}")
        print(
            f"From a change to the application at rest: p50 {quantile(engine.waited, 0.5):.2f} s, "
            f"p95 {quantile(engine.waited, 0.95):.2f} s ({len(engine.waited)} times)"
        )
    if isinstance(engine, InProcess):
        each = telling.prices(ledger, applications, arguments.engine_ms / 1000)
        needs = telling.needs(ledger, scale, each, DAYS)
        title = f"Share of the processors ({telling.CORES} cores a machine), with all papers rendered"
        if arguments.engine_ms:
            title += f" and {arguments.engine_ms:g} ms of Prefect for each application"
        print(telling.table(title, telling.need_heads(scale), needs, markdown))
    print(
        f"\nPeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )
    if arguments.picture:
        below = (
            f"Played by virtual people at {scale:g} of Europe’s volumes ({applications:,} applications), numbers multiplied "
            "to the whole. Of a school’s teachers who are asked for one thing, one counts."
        )
        shown = telling.Queues(
            queues.first,
            {name: days[:SHOWN] for name, days in queues.awaited.items()},
            queues.arrived[:SHOWN],
        )
        arguments.picture.write_text(draw(shown, 1 / scale, MARKS, below), encoding="utf-8")
        print(f"Picture: {arguments.picture}")


def _volumes(
    session: sa.orm.Session, scale: float, counts: dict[str, int], label: str | None
) -> list[list[str]]:
    def number(*conditions: sa.SQLColumnExpression[bool], table: type = Application) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0

    kind = Application.label
    pupils = session.scalar(
        sa.select(sa.func.sum(Application.content["pupils"]["count"].as_integer())).where(
            kind == "national", Application.outcome == "awarded"
        )
    )
    invitations = session.scalar(sa.text("SELECT count(*) FROM mail WHERE template = 'school_invited'"))
    rows: dict[str, list[tuple[str, int, int]]] = {
        "national": [
            ("National Quality Label: applications", number(kind == "national"), world.APPLICATIONS),
            ("… labels", counts["national labels"], 34_000),
            ("… certificates for their pupils", pupils or 0, 680_000),
        ],
        "european": [
            ("European Quality Label: projects", counts["european projects"], 2_700),
            ("… labels", counts["european labels"], 17_000),
        ],
        "school": [
            ("School Label: schools checked", number(table=SchoolOutcome), world.SCHOOLS),
            ("… eligible", number(SchoolOutcome.eligible, table=SchoolOutcome), world.ELIGIBLE),
            ("… invitations", invitations or 0, world.INVITATIONS),
            ("… labels", counts["school labels"], world.SCHOOL_LABELS),
        ],
    }
    return [
        [name, f"{here:,}", f"{europe * scale:,.0f}"]
        for of, several in rows.items()
        if label in (None, of)
        for name, here, europe in several
    ]


def _size(record: Record) -> int:
    """Bytes of the record."""
    with record.reading() as session:
        if record.engine.dialect.name == "sqlite":
            pages = session.scalar(sa.text("PRAGMA page_count")) or 0
            return int(pages) * int(session.scalar(sa.text("PRAGMA page_size")) or 0)
        return int(session.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


if __name__ == "__main__":
    main()
