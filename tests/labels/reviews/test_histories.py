"""A hundred histories of reviews from outside go through event by event, under one edition of rules.

`histories.txt` has a history a line, in the order of its events (`derive_histories.py` says where they are from):

| word | event | here |
|---|---|---|
| `invite(` `invite)` | reviewers are invited | the application waits for reviewers; the rules have asked three |
| `2:b+` `2:b-` `X:d-` | person *b* accepts or rejects in seat 2; *d* does who was called besides | their review |
| `2:late` `X:late` | a time-out | upkeep ends the review, whose deadline has passed |
| `collect(` `collect)` | the reviews are collected | nobody is awaited; a coordinator is asked to decide |
| `decide(` `decide)` | somebody decides | the step of the coordinator; their decision, of which the next word tells |
| `another(` `another)` | one more reviewer is invited | another coordinator is asked whom; they name somebody |
| `accept(` … `reject)` | the end | the label is awarded or refused |

Here nobody is asked twice to judge one application, so a history in which the same person is invited again ends there.
"""

from __future__ import annotations

import collections
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.answering import deadlines
from labels.errors import NotAllowed
from labels.record import Record
from labels.record.schema import Application, Award, Outcome, Staff, Step, StepKind, StepState
from labels.reviews import deciding
from labels.reviews.repeating import decided_again
from labels.rules.loading import RULES, load_rules
from labels.rules.model import RuleEdition
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Refusal
from labels.steps.proof import Proof, SignedIn
from tests.support.case import COORDINATOR, Case
from tests.support.people import KEY, TODAY, points, populate
from tests.support.persons import person_at
from usecases import coordinating
from usecases.acts import Act

HERE = Path(__file__).parent
HISTORIES = tuple(tuple(line.split()) for line in (HERE / "histories.txt").read_text().splitlines())
REVIEWERS = 22
INVITES = "second@nss.example"
"""The coordinator who invites; the other one decides."""


class AskedTwice(Exception):
    """Somebody is invited who was asked before."""


def asks_twice(history: tuple[str, ...]) -> bool:
    """Whether one person reviews more than once."""
    people = [word.partition(":")[2][0] for word in history if ":" in word and not word.endswith("late")]
    return len(people) > len(set(people))


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> RuleEdition:
    """The rules of `histories.yaml`, read from files as everybody's are."""
    folder = tmp_path_factory.mktemp("rules") / "rules"
    shutil.copytree(RULES, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copyfile(HERE / "histories.yaml", folder / "editions" / "2026" / "NSS-PL.yaml")
    return load_rules("NSS-PL", TODAY, folder)


class History:
    """One application that goes through what a history tells."""

    def __init__(self, record: Record, edition: RuleEdition, words: tuple[str, ...]) -> None:
        with record.writing() as session:
            populate(session, reviewers=REVIEWERS)
            session.add(
                Staff(
                    email=INVITES, role="coordinator", name="Second", organisation="NSS-PL", language="pl",
                    school=None,
                )
            )  # fmt: skip
        self.words = words
        self.case = Case(record, edition=edition)
        assert self.case.conditions()
        self.people: dict[str, str] = {}
        """The address of each person of the history who was asked."""
        self.seats: dict[str, Step] = {}
        """Who has a seat of the history: `1`, `2`, `3`, and `X` for whoever was called last."""
        self.awaited: list[Step] = []
        self.gone = 0
        """Events that went through."""

    def goes_through(self) -> None:
        """Each event in turn.

        Raises:
            AskedTwice: the next event has somebody invited who was asked before.
        """
        for place, word in enumerate(self.words):
            self.case.now += timedelta(minutes=1)
            match word.partition(":"):
                case [seat, ":", "late"]:
                    self._ends(seat)
                case [seat, ":", result]:
                    self._reviews(seat, result[0], accepts=result[1] == "+")
                case ["invite(", *_]:
                    assert not self.awaited
                case ["invite)", *_]:
                    self._invited()
                case ["collect(" | "collect)" | "decide(", *_]:
                    [step] = self._asked()
                    assert step.kind is StepKind.DECISION
                case ["decide)", *_]:
                    self._decides(self.words[place + 1])
                case ["another(", *_]:
                    [step] = self._asked()
                    assert step.kind is StepKind.ASSIGNMENT
                case ["another)", *_]:
                    self._names(self.words[place + 1])
                case ["accept(" | "reject(", *_]:
                    assert self._asked() == []
                case [end, *_]:
                    outcome = self.case.do(deciding.decide, self.case.id)
                    assert outcome is {"accept)": Outcome.AWARDED, "reject)": Outcome.REFUSED}[end]
            self.gone += 1

    def _asked(self) -> list[Step]:
        self.awaited = self.case.ask()
        return self.awaited

    def _invited(self) -> None:
        """The rules have asked three. Where one answers after the time of another was over, they were given more of it."""
        three = self._asked()
        assert [(step.kind, step.seat) for step in three] == [(StepKind.REVIEW, n) for n in (1, 2, 3)]
        self.seats = {str(step.seat): step for step in three}
        block = self.words[2 : self.words.index("collect(")]
        for word in block:
            seat, _, result = word.partition(":")
            if result != "late":
                if result[0] in self.people:
                    raise AskedTwice
                self.people[result[0]] = self.seats[seat].assignee
        late = [word.endswith("late") for word in block]
        if any(late) and not all(late[late.index(True) :]):
            for place, word in enumerate(block):
                step = self.seats[word[0]]
                assert step.due_at is not None
                until = step.due_at + timedelta(days=place + 1)
                self._acts(INVITES, coordinating.move_deadline(step.id, until, "They asked for it."))

    def _reviews(self, seat: str, who: str, *, accepts: bool) -> None:
        step = self.seats[seat]
        assert step.assignee == self.people[who]
        given = ReviewAnswer(scores=points(4 if accepts else 1), comment="Accept." if accepts else "Reject.")
        taken = self.case.answer(step, given)
        assert not isinstance(taken, Refusal), taken
        self._asked()

    def _ends(self, seat: str) -> None:
        with self.case.record.reading() as session:
            step = session.get_one(Step, self.seats[seat].id)
        assert step.due_at is not None
        self.case.now = max(self.case.now, step.due_at + timedelta(seconds=1))
        passed = deadlines.pass_deadlines(self.case.record, now=self.case.now, key=KEY)
        assert step.id in [one.step for one in passed] or step.state is StepState.EXPIRED
        self._asked()

    def _decides(self, then: str) -> None:
        [step] = self._asked()
        ruling = {"another(": "another", "accept(": "award", "reject(": "refuse"}[then]
        self._acts(COORDINATOR, coordinating.decide(step.id, ruling, f"I {ruling}."))

    def _names(self, then: str) -> None:
        [step] = self._asked()
        who = then.partition(":")[2].removesuffix("late")[:1]
        asked = {one.assignee for one in self.case.all(Step) if one.kind is StepKind.REVIEW}
        free = next(
            name
            for n in range(1, REVIEWERS + 1)
            if (name := f"r{n}@nss.example") not in asked | set(self.people.values())
        )
        whom = self.people.setdefault(who, free) if who else free
        reassign = coordinating.reassign(step.id, whom, "They know it.")
        if whom in asked:
            with pytest.raises(NotAllowed, match="judges or judged this application already"):
                self._acts(INVITES, reassign)
            raise AskedTwice
        self._acts(INVITES, reassign)
        [review] = self._asked()
        self.seats["X"] = review

    def _acts(self, who: str, act: Act) -> None:
        by: Proof = SignedIn(person_at(self.case.record, who), "passkey", self.case.now)
        outcome = self.case.do(act, by)
        if isinstance(outcome, Refusal):
            raise outcome.as_error()


@pytest.mark.sampled
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", range(1, len(HISTORIES) + 1))
def test_a_history_goes_through_event_by_event_unless_it_asks_somebody_twice(
    number: int, record: Record, edition: RuleEdition
) -> None:
    words = HISTORIES[number - 1]
    history = History(record, edition, words)
    if asks_twice(words):
        with pytest.raises(AskedTwice):
            history.goes_through()
        assert words[history.gone] in ("invite)", "another)")
        return
    history.goes_through()
    assert history.gone == len(words)
    case = history.case
    assert case.row().outcome is not None
    assert len(case.all(Award)) == (case.row().outcome is Outcome.AWARDED)
    lapsed = [one for one in case.all(Step) if one.state is StepState.EXPIRED]
    assert len(lapsed) == sum(word.endswith("late") for word in words)
    with case.record.reading() as session:
        [again] = decided_again(session, applications=sa.select(Application.id))
    assert again.same
    assert not again.erased


def test_the_histories_are_those_of_the_log() -> None:
    counted = collections.Counter(word for history in HISTORIES for word in history)
    assert len(HISTORIES) == 100
    assert counted.total() == 3_730
    assert sum(number for word, number in counted.items() if word.endswith("late")) == 423
    assert sum(map(asks_twice, HISTORIES)) == 54
    plain = [one for one in HISTORIES if not any(word.endswith("late") or word == "another)" for word in one)]
    assert len(plain) == 2, "without a time-out, and without a reviewer whom a person called"
