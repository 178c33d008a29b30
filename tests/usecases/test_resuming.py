"""What comes through Prefect's form is taken for whoever proved who they are, and does not stay in Prefect."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

import adapters.prefect.client
import adapters.prefect.runs
import usecases.resuming
from adapters.documents.opening import open_store
from adapters.mail.folder import MailFolder, plain_text
from adapters.mail.post import send_due
from adapters.prefect.client import BLANK, FilledIn
from adapters.prefect.form import form_for
from adapters.prefect.markdown.links import links
from adapters.workspace import Workspace
from labels.answering import accepting
from labels.applications import conditions
from labels.clock import frozen_clock
from labels.errors import LabelsError
from labels.record import Record
from labels.record.schema import Application, Journal, Mail, Resumption, Review, Step, StepState
from labels.reviews import asking
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Refusal
from labels.steps.proof import Code
from labels.steps.step import open_steps
from labels.turn import Door, Turn
from labels.views.briefs.by_label import brief_of
from tests.support.people import KEY, NOW, application_file, code_of, points, populate
from tests.support.small_prefect import SmallPrefect
from tests.usecases.test_races import nothing_happens
from usecases.applying import submit_file
from usecases.recovering import recover
from usecases.resuming import forget_answers, take_answer

CANARY = "Kanarek śpiewa w nocy"


class Forms:
    """An application whose reviewers fill in Prefect's form, one waiting after the other."""

    def __init__(self, here: Workspace, prefect: SmallPrefect) -> None:
        self.here, self.prefect = here, prefect
        self.id = submit_file(here, application_file(), "application.json", []).application
        adapters.prefect.runs.start(here, prefect, self.id)  # type: ignore[arg-type]  # stands in
        with here.record.writing() as session:
            assert conditions.check_conditions(Turn(session, NOW, KEY), self.id)
        with here.record.writing() as session:
            self.first, self.second = asking.ask(Turn(session, NOW, here.key), self.id)
        self.waits = 0

    def sends(self, code: str, **fields: Any) -> str:
        """A form that was filled in, taken by the run; what is shown next."""
        take_answer(self.here, self.id, "a run", FilledIn(self.waits, {"code": code, **fields}))
        self.waits += 1
        return self.shown()

    def shown(self) -> str:
        with self.here.record.reading() as session:
            application = session.get_one(Application, self.id)
            brief = brief_of(session, application, open_steps(session, application))
        return str(form_for(brief, links(self.here)).model_json_schema())

    def step(self, step: Step) -> Step:
        with self.here.record.reading() as session:
            return session.get_one(Step, step.id)

    def code(self, step: Step) -> str:
        return code_of(self.step(step), self.here.key)

    def review(self, step: Step) -> Review | None:
        with self.here.record.reading() as session:
            return session.get(Review, step.id)

    def mailed(self, step: Step) -> list[str]:
        """What the step's reviewer was mailed about it beside the first request."""
        send_due(self.here)
        found = [m for m in MailFolder(self.here.settings.mail_folder).messages() if step.id in plain_text(m)]
        assert all(step.assignee in message["To"] for message in found)
        return [plain_text(m) for m in found if str(m["Keywords"]).startswith("code")]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> SmallPrefect:
    one = SmallPrefect(nothing_happens)
    monkeypatch.setattr(adapters.prefect.client, "get_client", one.client)
    monkeypatch.setattr(
        adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
    )
    return one


@pytest.fixture
def here(record: Record, settings: Settings) -> Workspace:
    with record.writing() as session:
        populate(session)
    return Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))


@pytest.fixture
def forms(here: Workspace, prefect: SmallPrefect) -> Forms:
    return Forms(here, prefect)


def each(number: int = 4) -> dict[str, Any]:
    return {f"points_{name}": value for name, value in points(number).items()}


def with_a_slip(code: str) -> str:
    return code[:-1] + ("2" if code[-1] != "2" else "3")


# Slips and strangers ------------------------------------------------------------------------------


def test_one_wrong_letter_in_the_code_costs_no_review(forms: Forms) -> None:
    shown = forms.sends(with_a_slip(forms.code(forms.first)), **each(), comment=CANARY)
    assert "The code is not valid" in shown
    assert CANARY not in shown
    assert forms.review(forms.first) is None
    shown = forms.sends(forms.code(forms.first))
    review = forms.review(forms.first)
    assert review is not None
    assert (review.scores, review.comment) == (points(4), CANARY)
    assert "not accepted" not in shown


@pytest.mark.parametrize(
    "slip",
    [lambda code: code[1:], lambda code: code + "9", lambda code: code[1] + code[0] + code[2:]],
    ids=["a letter is missing", "one is too many", "two are swapped"],
)
def test_other_slips_cost_no_review_either(forms: Forms, slip: Callable[[str], str]) -> None:
    forms.sends(slip(forms.code(forms.first)), **each(), comment=CANARY)
    forms.sends(forms.code(forms.first))
    assert forms.review(forms.first) is not None


def test_a_former_code_costs_no_review(forms: Forms) -> None:
    former = forms.code(forms.first)
    forms.sends(former, points_results=4)  # refused, so it is void
    forms.sends(former, **each(), comment=CANARY)
    forms.sends(forms.code(forms.first))
    review = forms.review(forms.first)
    assert review is not None
    assert review.comment == CANARY


def test_what_came_under_a_wrong_code_is_nobodys_and_is_shown_to_nobody(forms: Forms) -> None:
    shown = forms.sends("2222-2222-22", **each(), comment=CANARY)
    assert CANARY not in shown
    forms.sends(forms.code(forms.first), **each(3))
    forms.sends(forms.code(forms.second), **each(3))
    for step in (forms.first, forms.second):
        review = forms.review(step)
        assert review is not None
        assert CANARY not in review.comment
    with forms.here.record.reading() as session:
        assert CANARY not in str([row for table in (Step, Mail, Journal) for row in told_of(session, table)])


def told_of(session: sa.orm.Session, table: Any) -> list[Any]:
    return list(session.execute(sa.select(table.__table__)))


def test_a_stranger_does_not_add_to_what_a_reviewer_had_filled_in(forms: Forms) -> None:
    forms.sends(forms.code(forms.first), **{**each(), "points_results": "many"}, comment="My own words.")
    forms.sends("2222-2222-22", comment=CANARY, note=CANARY, points_results=0)
    forms.sends(forms.code(forms.first), points_results=4)
    review = forms.review(forms.first)
    assert review is not None
    assert (review.comment, review.note, review.scores) == ("My own words.", "", points(4))


def test_a_slip_does_not_count_against_the_other_reviewer(forms: Forms) -> None:
    forms.sends(with_a_slip(forms.code(forms.first)), **each())
    assert forms.step(forms.second).code_failures == 0
    assert forms.step(forms.second).refused is None


# Codes that others may have read ------------------------------------------------------------------


def test_the_code_of_a_refused_answer_is_void_and_its_owner_alone_is_told_why(forms: Forms) -> None:
    code = forms.code(forms.first)
    shown = forms.sends(code, points_results=4, comment=CANARY)
    assert "is missing" not in shown, "which criterion was wrong is nobody else's to know"
    assert CANARY not in shown
    [mail] = forms.mailed(forms.first)
    assert forms.code(forms.first) in mail
    assert "is missing; expected 0 to 5 points" in mail
    with forms.here.record.writing() as session:
        zeros = ReviewAnswer(scores=points(0))
        by = Code(code, forms.first.assignee)
        refused = accepting.answer(forms.here.turn(session, Door.COMMAND_LINE), forms.first.id, by, zeros)
    assert isinstance(refused, Refusal)
    forms.sends(forms.code(forms.first), **{k: v for k, v in each().items() if k != "points_results"})
    review = forms.review(forms.first)
    assert review is not None
    assert (review.scores, review.comment) == (points(4), CANARY)


def test_a_code_that_is_typed_into_another_applications_form_is_void_there(forms: Forms) -> None:
    submitted = submit_file(
        forms.here, application_file(teacher="T-2", project="P-1"), "application.json", []
    )
    assert submitted.application != forms.id
    with forms.here.record.writing() as session:
        conditions.check_conditions(Turn(session, NOW, KEY), submitted.application)
    with forms.here.record.writing() as session:
        steps = asking.ask(Turn(session, NOW, forms.here.key), submitted.application)
    code = code_of(steps[0], forms.here.key)
    forms.sends(code, **each(), comment=CANARY)
    assert forms.code(steps[0]) != code
    [mail] = forms.mailed(steps[0])
    assert forms.code(steps[0]) in mail
    assert CANARY not in mail
    with forms.here.record.reading() as session:
        mine = session.scalars(
            sa.select(Step).where(Step.application == forms.id, Step.assignee == steps[0].assignee)
        ).all()
    kept = [step.typed for step in mine if step.state is StepState.OPEN]
    assert kept == [{**each(), "comment": CANARY}] * len(kept), (
        "it is kept for the same person's own step here"
    )


# It leaves Prefect --------------------------------------------------------------------------------


@contextlib.contextmanager
def killed(*_: Any) -> Iterator[None]:
    raise KeyboardInterrupt
    yield


def sent(forms: Forms, **fields: Any) -> UUID:
    """A run that was resumed with an answer and has not read it."""
    prefect = forms.prefect
    with forms.here.record.reading() as session:
        run = UUID(session.get_one(Application, forms.id).run)
    inputs = prefect.runs[run].inputs
    inputs["suspended-0-response"] = orjson.dumps({"code": forms.code(forms.first), **fields})
    asked: dict[str, Any] = {"properties": {name: {} for name in ("code", "comment", *each())}}
    inputs["suspended-0-schema"] = orjson.dumps(asked)
    return run


@pytest.mark.parametrize("fields", [each(), {"points_results": 9}], ids=["taken", "refused"])
def test_a_kill_between_the_transaction_and_the_deletion_is_made_up_for_by_upkeep(
    forms: Forms, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    run = sent(forms, **fields, comment=CANARY)
    with monkeypatch.context() as patch:
        patch.setattr(forms.prefect, "around", killed)
        with pytest.raises(KeyboardInterrupt):
            usecases.resuming.take_unseen(forms.here, forms.prefect, forms.id, str(run))  # type: ignore[arg-type]
    assert forms.prefect.answers()
    assert (forms.review(forms.first) is None) is ("points_results" in fields and len(fields) == 1)
    recover(forms.here, forms.prefect)  # type: ignore[arg-type]  # stands in
    assert forms.prefect.answers() == []
    with forms.here.record.reading() as session:
        assert not session.scalars(sa.select(Resumption).where(Resumption.in_prefect)).all()
    assert forget_answers(forms.here, forms.prefect) == 0  # type: ignore[arg-type]  # stands in


def test_the_form_of_a_run_that_was_only_woken_is_not_asked_for(
    forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = sent(forms), list[object]()
    forms.prefect.runs[run].inputs["suspended-0-response"] = orjson.dumps(BLANK)
    monkeypatch.setattr(forms.prefect, "read_flow_run_input", lambda *what: asked.append(what))
    usecases.resuming.take_unseen(forms.here, forms.prefect, forms.id, str(run))  # type: ignore[arg-type]
    assert asked == []
    with forms.here.record.reading() as session:
        [known] = session.scalars(sa.select(Resumption).where(Resumption.run == str(run)))
    assert (known.accepted, known.remark, known.in_prefect) == (False, "looked at the record again", False)


def test_a_run_that_prefect_forgot_has_nothing_left_to_delete(forms: Forms) -> None:
    sent(forms, **each())
    forms.sends(forms.code(forms.first), **each())
    with forms.here.record.writing() as session:
        session.execute(sa.update(Resumption).values(run="5f0c7a64-3f5e-4d0c-8f57-0d4f3f3f1a11"))
    forms.prefect.lose_everything()
    assert forget_answers(forms.here, forms.prefect) == 1  # type: ignore[arg-type]  # stands in


def test_an_error_on_the_way_says_nothing_of_what_was_typed(
    forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise ValueError(f"could not read {CANARY}")

    monkeypatch.setattr(usecases.resuming, "answer_in", fails)
    with pytest.raises(LabelsError) as failed:
        forms.sends(forms.code(forms.first), **each(), comment=CANARY)
    assert "ValueError at test_resuming.py" in str(failed.value)
    assert CANARY not in "".join(traceback.format_exception(failed.value))
    assert Path(__file__).name in str(failed.value)


def test_an_error_of_the_record_does_not_repeat_the_values_of_its_statement(record: Record) -> None:
    with pytest.raises(sa.exc.IntegrityError) as failed, record.writing() as session:
        session.execute(
            sa.insert(Resumption).values(
                run="a", wait=0, application="NQL-NONE", at=NOW, accepted=True, remark=CANARY
            )
        )
    assert CANARY not in str(failed.value)
