"""The School Label's check of every school, against the best query that computes only the three flags.

Run it with `.venv/bin/python benchmarks/preselection.py`; it makes up a registry in a temporary
folder, imports it and prints a table. The yardstick, on the same tables in the same run, is the
fastest of three hand-written queries that only count how many schools meet each condition; ours
also finds the latest label, lists every active teacher and who holds a label, and stores it all
for every school. Then it invites until 40,000 messages are in the outbox, and asks about single
schools as `labels school-check --school` does.

With `--database postgresql://…` (an empty database) it does so there.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from labels.turn import Turn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlalchemy as sa

from benchmarks.registry_generator import LAST_DAY, generate_registry
from labels.clock import end_of_day
from labels.record.engine import Record, migrate, open_engine
from labels.record.schema import School
from labels.registry.importing import import_registry
from labels.rules.loading import load_rules, load_school_rules
from labels.school_label import inviting, rounds
from labels.school_label.preselection import CutOffs, check_schools

MOST = 1.5
"""Ours may take so many times as long as the yardstick."""
INVITATIONS = 40_000
WITHIN = 30.0
"""Seconds for so many invitations."""
ON = LAST_DAY + timedelta(days=1)
KEY = b"a key for benchmarks"
T = TypeVar("T")

ACTIVE = """
 (EXISTS (SELECT 1 FROM member m JOIN project p ON p.id = m.project
          WHERE m.teacher = t.id AND m.joined_on <= :day AND p.started_on <= :day
            AND (p.ended_on IS NULL OR p.ended_on >= :since))
  OR EXISTS (SELECT 1 FROM activity a
             WHERE a.teacher = t.id AND a.confirmed AND a."on" BETWEEN :since AND :day))"""
EUROPEAN = """
 (SELECT count(DISTINCT h.country) FROM member f
  JOIN teacher ft ON ft.id = f.teacher JOIN school h ON h.id = ft.school
  WHERE f.project = a.project AND f.role = 'founder') > 1"""
LABELS = f"""
 SELECT DISTINCT a.project FROM award a
 WHERE a.label = 'national' AND a.awarded_on BETWEEN :since AND :day AND a.revoked_at IS NULL AND {EUROPEAN}"""
INVOLVED = """
 SELECT t.school FROM lp JOIN member m ON m.project = lp.project JOIN teacher t ON t.id = m.teacher
 WHERE m.joined_on <= :day"""
COUNT = """
 SELECT sum(CASE WHEN r THEN 1 ELSE 0 END), sum(CASE WHEN a THEN 1 ELSE 0 END),
        sum(CASE WHEN l THEN 1 ELSE 0 END), sum(CASE WHEN r AND a AND l THEN 1 ELSE 0 END)
 FROM flags"""
TWO_ACTIVE = (
    f"(SELECT count(*) FROM (SELECT 1 FROM teacher t WHERE t.school = s.id AND {ACTIVE} LIMIT 2) two) > 1"
)
FLAGS = {
    "each school by itself": f"""
 WITH flags AS (SELECT s.registered_on < :before AS r, {TWO_ACTIVE} AS a,
   EXISTS (SELECT 1 FROM teacher t JOIN member m ON m.teacher = t.id JOIN award a ON a.project = m.project
           WHERE t.school = s.id AND m.joined_on <= :day AND a.label = 'national'
             AND a.awarded_on BETWEEN :since AND :day AND a.revoked_at IS NULL AND {EUROPEAN}) AS l
   FROM school s) {COUNT}""",
    "labels as a set": f"""
 WITH lp AS MATERIALIZED ({LABELS}),
 flags AS (SELECT s.registered_on < :before AS r, {TWO_ACTIVE} AS a, s.id IN ({INVOLVED}) AS l FROM school s) {COUNT}""",
    "all as sets": f"""
 WITH lp AS MATERIALIZED ({LABELS}),
 act AS (SELECT m.teacher FROM project p JOIN member m ON m.project = p.id
         WHERE p.started_on <= :day AND (p.ended_on IS NULL OR p.ended_on >= :since) AND m.joined_on <= :day
         UNION SELECT a.teacher FROM activity a WHERE a.confirmed AND a."on" BETWEEN :since AND :day),
 two AS (SELECT t.school FROM act JOIN teacher t ON t.id = act.teacher GROUP BY t.school HAVING count(*) > 1),
 flags AS (SELECT s.registered_on < :before AS r, s.id IN (SELECT school FROM two) AS a,
           s.id IN ({INVOLVED}) AS l FROM school s) {COUNT}""",
}


def main() -> None:
    """Makes up the registry, times the yardstick and ours, and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schools", type=int, default=1_000_000)
    parser.add_argument("--teachers", type=int, default=2_000_000)
    parser.add_argument("--projects", type=int, default=1_180_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=2, help="how often; the best of each counts")
    parser.add_argument("--database", help="an empty PostgreSQL database, instead of a file of SQLite's")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder, url = Path(home, "registry"), arguments.database or f"sqlite:///{home}/record.db"
        generate_registry(
            folder,
            teachers=arguments.teachers,
            schools=arguments.schools,
            projects=arguments.projects,
            seed=arguments.seed,
        )
        migrate(url)
        record = Record(open_engine(url))
        took, report = timed(lambda: import_registry(record, folder, ON))
        print(f"{report.rows:,} rows imported in {took:.1f} s\n")
        compare(record, arguments.times)


def compare(record: Record, times: int) -> None:
    """Times the yardstick and our check in turn, then the invitations and single schools."""
    dates = CutOffs.by_rules(ON, load_rules("CSS", ON).school)
    best = dict.fromkeys([*FLAGS, "ours"], float("inf"))
    counts = set()
    for _ in range(times):
        for name, query in FLAGS.items():
            took, found = timed(lambda query=query: flags(record, query, dates))  # type: ignore[misc]  # mypy can't infer a default
            best[name] = min(best[name], took)
            counts.add(found)
        begin_anew(record)
        took, _ = timed(lambda: check(record))
        best["ours"] = min(best["ours"], took)
        counts.add(found_by_us(record))
    [(registered, active, labelled, eligible)] = counts  # all of them found the same
    print(
        f"schools registered long enough {registered:,}, with active teachers {active:,}, "
        f"with a label {labelled:,}, eligible {eligible:,}\n"
    )
    for name, seconds in best.items():
        print(f"{name:24}{seconds:>8.2f} s")
    ratio = best["ours"] / min(best[name] for name in FLAGS)
    print(f"\nours / the best that only counts: {ratio:.2f} (at most {MOST}: {verdict(ratio <= MOST)})")

    took, mails = timed(lambda: invite(record))
    rate = took * INVITATIONS / mails
    print(
        f"{mails:,} invitations queued in {took:.1f} s: {INVITATIONS:,} in {rate:.1f} s "
        f"(at most {WITHIN:g}: {verdict(rate <= WITHIN)})"
    )
    with record.reading() as session:
        some = session.scalars(sa.select(School.id).order_by(School.id).limit(20_000)).all()[::100]
        took, _ = timed(lambda: [list(check_schools(session, dates, one)) for one in some])
    each = took / len(some) * 1_000
    print(f"one school: {each:.2f} ms (at most 1: {verdict(each <= 1)})")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def verdict(reached: bool) -> str:
    """As the table says it."""
    return "reached" if reached else "MISSED"


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds that something takes, and what came of it."""
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


def flags(record: Record, query: str, dates: CutOffs) -> tuple[int, ...]:
    """How many schools meet each condition and all of them, by a hand-written query."""
    days: dict[str, date] = {
        "day": dates.on,
        "since": dates.active_since,
        "before": dates.registered_before,
    }
    statement = sa.text(query).bindparams(*(sa.bindparam(name, type_=sa.Date) for name in days))
    with record.reading() as session:
        return tuple(int(count) for count in session.execute(statement, days).one())


def begin_anew(record: Record) -> None:
    """A round that has checked nothing yet."""
    with record.writing() as session:
        for table in ("school_outcome", "school_round"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        rounds.begin(Turn(session, end_of_day(ON), KEY), ON, lambda whose: load_rules(whose, ON))


def check(record: Record) -> None:
    """Our check, with its outcome stored for every school."""
    with record.writing() as session:
        rounds.check(Turn(session, end_of_day(ON), KEY), ON.year)


def found_by_us(record: Record) -> tuple[int, ...]:
    """How many schools meet each condition and all of them, by what was stored."""
    with record.reading() as session:
        rows = rounds.by_country(session, ON.year)
    checked = sum(one.checked for one in rows)
    return (
        checked - sum(one.too_young for one in rows),
        checked - sum(one.too_few_active for one in rows),
        checked - sum(one.no_label for one in rows),
        sum(one.eligible for one in rows),
    )


def invite(record: Record) -> int:
    """Queues invitations until there are as many as asked for, or nobody is left; how many there are."""
    mails = 0
    while mails < INVITATIONS:
        with record.writing() as session:
            done = inviting.invite(
                Turn(session, end_of_day(ON), KEY), ON.year, lambda whose: load_school_rules(whose, ON)
            )
        if done == inviting.NOBODY:
            break
        mails += done.mails
    return mails


if __name__ == "__main__":
    main()
