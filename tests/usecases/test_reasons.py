"""What people do with a reason is refused where the reason says nothing, whichever door it comes through."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

import usecases
from labels.errors import NotAllowed
from labels.record import Record
from labels.record.schema import Outcome, Step, StepKind
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code, SignedIn
from labels.turn import Door, Turn
from tests.support.case import COORDINATOR, Case, decided, open_case
from tests.support.people import KEY, code_of
from tests.support.persons import person_at
from usecases import applying, coordinating
from usecases.acts import Act

ONLY_SQLITE = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
SAYS_NOTHING = pytest.mark.parametrize(
    "reason",
    ["", " \n", "\u200b\u2060", "\u2800\u3164", "\u00ad", "\u0301\u0308", "\ufe0f", ". . .", "—", "\ud800"],
)


def acts_with_a_reason(case: Case, step: Step, reason: str) -> Iterator[Act]:
    yield coordinating.reassign(step.id, "r5@nss.example", reason)
    yield coordinating.send_back(step.id, reason)
    yield coordinating.move_deadline(step.id, case.now + timedelta(days=30), reason)
    yield coordinating.remind(step.id, reason)
    yield coordinating.another(case.id, "", reason)
    yield coordinating.decide(step.id, "award", reason)
    yield coordinating.declare_conflict(case.id, "r5@nss.example", reason)
    yield coordinating.lift_conflict(case.id, "r5@nss.example", reason)


def refusal(case: Case, act: Act, proof: Code | SignedIn) -> str:
    """Why it was not done."""
    with case.record.writing() as session:
        try:
            done = act(Turn(session, case.now, KEY, Door.DESK), proof)
        except NotAllowed as error:
            return str(error)
    assert isinstance(done, Refusal), done
    return str(done.why)


@ONLY_SQLITE
@SAYS_NOTHING
def test_a_coordinator_does_nothing_for_a_reason_that_says_nothing(record: Record, reason: str) -> None:
    case = open_case(record)
    step, _ = case.ask()
    proof = SignedIn(person_at(record, COORDINATOR), "passkey", case.now)
    for act in acts_with_a_reason(case, step, reason):
        assert "A reason is needed, in words that somebody can read." in refusal(case, act, proof)


@ONLY_SQLITE
@SAYS_NOTHING
def test_an_appeal_without_a_word_is_none_and_may_still_be_lodged(record: Record, reason: str) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 1) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    proof = Code(code_of(right), right.assignee)
    assert "in words that somebody can read" in refusal(case, applying.appeal(case.id, reason), proof)
    with record.writing() as session:
        turn = Turn(session, case.now, KEY, Door.DESK)
        assert isinstance(applying.appeal(case.id, "Нису отворили прилоге.")(turn, proof), Accepted)


def with_a_reason() -> dict[str, Callable[..., object]]:
    """Every use case that is given a reason, or grounds."""
    modules = [
        importlib.import_module(one.name) for one in pkgutil.iter_modules(usecases.__path__, "usecases.")
    ]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and {"reason", "grounds"} & inspect.signature(value).parameters.keys()
    }


def test_every_use_case_that_is_given_a_reason_looks_at_what_it_says() -> None:
    known = with_a_reason()
    assert {
        "usecases.coordinating.reassign",
        "usecases.applying.appeal",
        "usecases.merging.ask",
    } <= known.keys()
    checking = {"usecases.acts.needs_words"}
    by_the_command = {
        "usecases.privacy.defer_erasure",
        "usecases.privacy.erase_person",
        "usecases.privacy.place_hold",
        "usecases.privacy.lift_hold",
    }
    assert {
        name for name, one in known.items() if "needs_words(" not in inspect.getsource(one)
    } <= checking | by_the_command
