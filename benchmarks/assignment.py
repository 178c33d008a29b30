"""What assignments cost beside the best there are: on bids of real conferences, and on large years.

    python benchmarks/assignment.py aamas-2015.cat.gz aamas-2021.cat.gz 300x8000x2

Each argument is a file of PrefLib (00037, `.cat` or `.cat.gz`), or REVIEWERSxAPPLICATIONSxSEATS for a year with bids drawn
in the shares of the real ones. With `--record REVIEWERSxAPPLICATIONS`, a year of one organisation in a record of its own: what it
takes to read it, to plan it, and to ask everybody. Bids are wishes of the rules that ship, answered and not; a conflict bars. For each a table:
the plan, one application after the other by the same weights and by loads alone, then what becomes of the plan when an
application comes, a reviewer leaves, the input is permuted, and where it counts who sits together. Costs are those of wishes
unless languages, subjects or companions count too; `bound` is what no plan as full and as even costs less than.
Seconds are the processor's, memory is the whole process's so far.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.assignment.solving import solve
from labels.applications.file import read_application
from labels.applications.submitting import submit
from labels.kinds import Wish
from labels.people.staff import those_who_coordinate
from labels.record.engine import open_record
from labels.record.schema import Member, Project, School, Teacher
from labels.reviews import planning
from labels.reviews.asking import ask
from labels.reviews.choosing import Candidate, Judged, choose_reviewer
from labels.reviews.plan import Plan, Problem, Waiting
from labels.reviews.suiting import Profile, Sought, costs_of, is_experienced
from labels.rules.loading import load_rules
from labels.rules.model import AssignmentRules, RuleEdition
from labels.settings import Settings
from labels.turn import Turn
from tests.support.people import application_file, populate

_SHIPPED = load_rules("NSS-PL", date(2026, 3, 16)).national.review.assignment
assert _SHIPPED is not None
TOGETHER: AssignmentRules = _SHIPPED
SEATS = 3
"""Reviews of a paper, at conferences."""
_GROUP = re.compile(r"\{([^}]*)\}|(\d+)")
_SAID = (Wish.YES, Wish.MAYBE, Wish.NONE)
_BARRED = 3
_NOTHING: frozenset[str] = frozenset()


def _alone() -> AssignmentRules:
    """The rules that ship, where it costs nothing who sits together."""
    return _weighing(same_school=0, one_sided=0)


def _weighing(**weights: int) -> AssignmentRules:
    changes = {
        name: getattr(TOGETHER, name).model_copy(update={"value": value}) for name, value in weights.items()
    }
    return TOGETHER.model_copy(update=changes)


def read_bids(path: Path) -> Iterator[list[int]]:
    """What each reviewer bids for each application: 0 yes, 1 maybe, 2 no answer, 3 a conflict.

    A category of one is written without braces; what is absent has no answer.
    """
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open("rt") as file:
        lines = [line.strip() for line in file if line.strip()]
    header = dict(line[2:].split(":", 1) for line in lines if line.startswith("# ") and ":" in line)
    for line in lines:
        if line.startswith("#"):
            continue
        count, _, body = line.partition(":")
        row = [2] * int(header["NUMBER ALTERNATIVES"])
        for category, (many, one) in enumerate(_GROUP.findall(body)):
            for number in (many or one).split(","):
                if number.strip():
                    row[int(number) - 1] = category
        yield from [row] * int(count)


def drawn_bids(reviewers: int, applications: int) -> list[list[int]]:
    """Bids in the shares of the real ones: 3 of 100 yes, 3 maybe, 1 a conflict."""
    drawn = random.Random(7)
    of_each = ([3] * 1 + [0] * 3 + [1] * 3 + [2] * 93)[:100]
    return [drawn.choices(of_each, k=applications) for _ in range(reviewers)]


def problem_of(name: str) -> Problem:
    """The problem that an argument names."""
    if Path(name).exists():
        bids, seats = list(read_bids(Path(name))), SEATS
    else:
        reviewers, applications, seats = map(int, name.split("x"))
        bids = drawn_bids(reviewers, applications)
    people = [
        Candidate(f"r{n}@nss.example", f"Reviewer {n}", _NOTHING, _NOTHING, frozenset(), 0, person=f"r{n}")
        for n in range(len(bids))
    ]
    profile = Profile(_alone())
    waiting = []
    for place in range(len(bids[0])):
        said = {f"r{n}": row[place] for n, row in enumerate(bids)}
        wishes = {who: _SAID[bid] for who, bid in said.items() if bid < 2}
        barred = frozenset(who for who, bid in said.items() if bid == _BARRED)
        waiting.append(Waiting(f"a{place}", seats, Sought(profile, wishes), barred))
    return Problem(people, waiting, salt="2026")


def dressed(problem: Problem, rules: AssignmentRules) -> Problem:
    """The same with languages, subjects, schools and experience, drawn, under other rules."""
    drawn, languages, subjects = random.Random(3), ["de", "fr", "pl", "es", "it"], list("abcdefgh")
    schools = max(len(problem.people) // 4, 2)
    people = [
        replace(
            one,
            languages=frozenset(drawn.sample(languages, 2)),
            subjects=frozenset(drawn.sample(subjects, 3)),
            schools=frozenset({f"s{drawn.randrange(schools)}"}),
            given=drawn.choice([0, 9]),
        )
        for one in problem.people
    ]
    waiting = [
        replace(
            one,
            sought=replace(
                one.sought,
                profile=Profile(rules, drawn.choice(languages), frozenset({drawn.choice(subjects)})),
            ),
        )
        for one in problem.waiting
    ]
    return replace(problem, people=people, waiting=waiting)


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sits where, however it was found."""

    pairs: frozenset[tuple[str, str]]
    seconds: float
    bound: int | None = None


def of_plan(problem: Problem, *, explain: bool = True) -> tuple[Seating, Plan]:
    """The plan, with what it took."""
    begun = time.process_time()
    plan = solve(problem, explain=explain)
    pairs = frozenset((one.person, one.application) for one in plan.choices)
    return Seating(pairs, time.process_time() - begun, plan.bound), plan


def one_by_one(problem: Problem, *, weighed: bool) -> Seating:
    """By the product's own choice for one application, one after the other, in the order in which they came."""
    begun = time.process_time()
    people = {one.person: one for one in problem.people}
    pairs = set()
    for one in problem.waiting:
        judged = Judged("t@s.example", None, one.application, *(frozenset(),) * 5)
        excluded = {people[person].email for person in one.barred}
        beside: list[Candidate] = []

        def cost(candidate: Candidate, one: Waiting = one, beside: list[Candidate] = beside) -> int:
            return sum(costs_of(candidate, one.sought, beside).values()) if weighed else 0

        for _ in range(one.seats):
            chosen = choose_reviewer(people.values(), judged, excluded, one.application, cost)
            if chosen is None:
                break
            excluded.add(chosen.email)
            people[chosen.person] = replace(chosen, load=chosen.load + 1)
            beside.append(chosen)
            pairs.add((chosen.person, one.application))
    return Seating(frozenset(pairs), time.process_time() - begun)


def cost(problem: Problem, pairs: Iterable[tuple[str, str]]) -> int:
    """What a seating costs by the rules, who sits together included."""
    people = {one.person: one for one in problem.people}
    at: dict[str, list[Candidate]] = {one.application: [] for one in problem.waiting}
    for person, application in pairs:
        at[application].append(people[person])
    total = 0
    for one in problem.waiting:
        here = [*one.beside, *at[one.application]]
        total += sum(sum(costs_of(each, one.sought).values()) for each in at[one.application])
        rules = one.sought.profile.rules
        assert rules is not None
        schools = [school for each in here for school in each.schools]
        total += rules.same_school.value * (len(schools) - len(set(schools)))
        total += rules.one_sided.value * (2 - len({is_experienced(each, rules) for each in here}))
    return total


def tell(what: str, problem: Problem, seating: Seating, remark: str = "") -> None:
    """A line of the table."""
    load = Counter({one.person: one.load for one in problem.people})
    load.update(person for person, _ in seating.pairs)
    barred = {one.application: one.barred for one in problem.waiting}
    conflicts = sum(person in barred[application] for person, application in seating.pairs)
    seats = sum(one.seats for one in problem.waiting)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    bound = "" if seating.bound is None else f"{seating.bound:,}"
    print(
        f"{what:44}{cost(problem, seating.pairs):>8,}{bound:>8}{conflicts:>10}"
        f"{f'{min(load.values())}-{max(load.values())}':>8}{seats - len(seating.pairs):>7}"
        f"{seating.seconds:>8.2f}{memory:>7}  {remark}",
        flush=True,
    )


def measure(name: str) -> None:
    """The table of one set of bids."""
    problem = problem_of(name)
    pairs = len(problem.people) * len(problem.waiting)
    print(
        f"\n{name}: {len(problem.people)} reviewers, {len(problem.waiting):,} applications, {pairs:,} pairs"
    )
    print(f"{'':44}{'cost':>8}{'bound':>8}{'conflicts':>10}{'loads':>8}{'empty':>7}{'CPU s':>8}{'MB':>7}")
    bare, _ = of_plan(problem, explain=False)
    tell("the plan, without reasons", problem, bare)
    whole, plan = of_plan(problem)
    drawn = sum(one.extra == 0 for one in plan.choices)
    tell(
        "the plan, with reasons", problem, whole, f"{drawn} of {len(plan.choices)} choices drawn among equals"
    )
    if pairs < 1_000_000:
        tell("one after the other, by weights", problem, one_by_one(problem, weighed=True))
        tell("one after the other, by loads alone", problem, one_by_one(problem, weighed=False))
        _permuted(problem, plan)
    _again(problem, plan)
    _together(problem)


def _permuted(problem: Problem, plan: Plan) -> None:
    mixed = random.Random(1)
    people = mixed.sample(list(problem.people), len(problem.people))
    waiting = mixed.sample(list(problem.waiting), len(problem.waiting))
    same = solve(replace(problem, people=people, waiting=waiting)) == plan
    print(f"permuted input gives the same plan, reasons included: {'yes' if same else 'NO'}")


def _again(problem: Problem, plan: Plan) -> None:
    """One more application, and one reviewer who leaves, once everybody in the plan was asked."""
    people = [replace(one, load=plan.loads[one.person]) for one in problem.people]
    seats = problem.waiting[0].seats
    new = Waiting("new", seats, Sought(Profile(_alone())))
    more = Problem(people, [new], salt=problem.salt)
    seating, _ = of_plan(more)
    tell("one application more", more, seating, "0 seats moved: what was asked for is no part of it")
    gone = problem.people[0].person
    staying = [one for one in people if one.person != gone]
    by = {one.person: one for one in staying}
    freed = []
    for one in problem.waiting:
        sitting = [each.person for each in plan.choices if each.application == one.application]
        if gone in sitting:
            rest = [person for person in sitting if person != gone]
            freed.append(
                replace(
                    one,
                    seats=1,
                    barred=one.barred | set(sitting),
                    beside=tuple(by[person] for person in rest),
                )
            )
    fewer = Problem(staying, freed, salt=problem.salt)
    seating, _ = of_plan(fewer)
    kept = cost(
        problem,
        [(each.person, each.application) for each in plan.choices if each.person != gone],
    )
    after = kept + sum(
        sum(costs_of(by[person], next(one.sought for one in freed if one.application == what)).values())
        for person, what in seating.pairs
    )
    tell(
        "one reviewer leaves", fewer, seating,
        f"0 seats moved but the {len(freed)} that were theirs; the whole costs {after:,}",
    )  # fmt: skip


def _together(problem: Problem) -> None:
    """Where languages and subjects count, and then who sits together."""
    cases: list[tuple[str, AssignmentRules]] = [
        ("languages and subjects", _alone()),
        ("and new with experienced", _weighing(same_school=0)),
        ("and not two of one school: rules that ship", TOGETHER),
    ]
    for what, rules in cases:
        other = dressed(problem, rules)
        seating, plan = of_plan(other, explain=False)
        ratio = plan.cost / plan.bound if plan.bound else 1.0
        tell(what, other, seating, f"{ratio:.4f} of the bound")


def measure_record(home: Path, reviewers: int, applications: int) -> None:
    """What a plan takes from the record to the mail, but for Prefect and the sending."""
    record = open_record(Settings(_env_file=None, home=home))
    now, key = datetime(2026, 3, 16, 9, tzinfo=UTC), b"for this benchmark"
    edition = _together_edition()
    with record.writing() as session:
        populate(session, reviewers=reviewers)
        for number in range(applications):
            session.add(
                School(
                    id=f"S-{number}-", name=f"School {number}", country="PL", organisation="NSS-PL", city="Łódź",
                    registered_on=_DAY, principal_name=f"Head {number}", principal_email=f"h{number}@s.example",
                )
            )  # fmt: skip
        session.flush()
        for number in range(applications):
            teacher, project = f"T-{number}-", f"P-{number}-"
            session.add(
                Teacher(
                    id=teacher, name=f"Zofia {_letters(number)}", email=f"t{number}@s.example", school=f"S-{number}-",
                    registered_on=_DAY, language="pl",
                )
            )  # fmt: skip
            session.add(Project(id=project, title=f"Project {number}", started_on=_DAY, ended_on=None))
        session.flush()
        for number in range(applications):
            for teacher in (f"T-{number}-", "T-2"):
                session.add(Member(project=f"P-{number}-", teacher=teacher, role="founder", joined_on=_DAY))
    turn_of = partial(Turn, now=now, key=key)
    with record.writing() as session:
        turn = turn_of(session)
        for number in range(applications):
            file = read_application(
                application_file(teacher=f"T-{number}-", project=f"P-{number}-"), "application.json"
            )
            ask(turn, submit(turn, file, [], edition).application)
    print(f"\nA record with {reviewers} reviewers and {applications} applications that wait")
    with record.reading() as session:
        task = _timed(
            "read what is to be planned", lambda: planning.task(session, "NSS-PL", date(2026, 3, 16))
        )
    plans = _timed("plan", lambda: tuple(map(solve, task.problems)))
    with record.writing() as session:
        coordinator = next(iter(those_who_coordinate(session, "NSS-PL")))
        acting = turn_of(session).acting(coordinator.address, coordinator.id)
        done = _timed("ask everybody", lambda: planning.carry_out(acting, task, plans))
    print(f"{len(done.applications)} applications, {done.seats} reviews asked for")


_DAY = date(2020, 9, 1)
_T = TypeVar("_T")


def _letters(number: int) -> str:
    """A name of its own for each number: names that differ in digits alone may be one person's."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number)).capitalize() + "ska"


def _timed(what: str, act: Callable[[], _T]) -> _T:
    begun = time.process_time()
    done = act()
    print(f"{what:44}{time.process_time() - begun:>8.2f} s of processor", flush=True)
    return done


def _together_edition() -> RuleEdition:
    body = load_rules("NSS-PL", date(2026, 3, 16)).to_json()
    body["national"]["review"]["assignment"]["together"]["value"] = True
    return RuleEdition.from_json(body)


def main() -> None:
    """Prints a table for each set of bids."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bids", nargs="*")
    parser.add_argument("--record", metavar="REVIEWERSxAPPLICATIONS")
    asked = parser.parse_args()
    for name in asked.bids:
        measure(name)
    if asked.record:
        with tempfile.TemporaryDirectory() as home:
            measure_record(Path(home), *map(int, asked.record.split("x")))


if __name__ == "__main__":
    main()
