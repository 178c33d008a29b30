"""A reviewer who never answers, worked by the flow, upkeep and people on a virtual clock, from submission to certificate."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

import tasks.upkeep
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Application, Award, Journal, Mail, Outcome, Step, StepKind
from labels.rules.loading import RULES
from labels.steps.step import open_steps
from tests.support.killing import Fate
from tests.support.people import populate
from tests.support.small_world import COMMAND, FORM, Act, Story, World, review

LATE = """
national:
  review:
    late:
      pauses: {value: [3, 7], source: assumption}
      tell_every: {value: 7, source: assumption}
      ends_after: {value: 10, source: assumption}
      others: {value: 1, source: assumption}
      enough: {value: 1, source: assumption}
    additional:
      most: {value: 1, source: assumption}
      chosen_by: {value: rules, source: assumption}
    decided_by: {value: coordinator, source: assumption}
"""


def answers(step: Step) -> Act | None:
    """Whoever has the second seat never answers; the coordinator has one more asked first, and then awards the label."""
    if step.kind is StepKind.DECISION:
        given = {"decide": "another" if step.number == 1 else "award", "reason": "It convinces me."}
        return FORM, given
    return None if step.seat == 2 else (COMMAND if step.seat == 1 else FORM, review(4))


class SlowWorld(World):
    """A world in which a day passes at a time, and upkeep looks at deadlines and reminds."""

    def _pass_time(self) -> None:
        self.time += timedelta(days=1)
        self.prefect.age(timedelta(days=1))

    def _upkeep(self) -> None:
        tasks.upkeep.pass_deadlines.fn()
        tasks.upkeep.remind.fn()
        super()._upkeep()

    def _somebody_acts(self) -> Callable[[], None] | None:
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one()
            for step in open_steps(session, application):
                acts, code = answers(step), self._code_for(step)
                if acts is None or code is None:
                    continue
                door, given = acts
                if door == COMMAND:
                    return partial(self._answer, step.id, step.assignee, code, given)
                if (run := self._waiting_run(application)) is not None:
                    return partial(self._fill_in, run, code, given)
        return None


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_reviewer_who_never_answers_keeps_nobody_waiting(record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "editions" / "2026" / "NSS-PL.yaml").write_text(LATE)
    with record.writing() as session:
        populate(session)
    home = tmp_path / "home"
    home.mkdir()
    story = Story("a reviewer never answers", Outcome.AWARDED, lambda step: (COMMAND, {}))
    world = SlowWorld(story, home, record, Fate())
    world.here = type(world.here)(
        settings=world.here.settings.model_copy(update={"rules": folder}),
        record=record,
        documents=world.here.documents,
        fixed_key=world.here.key,
        clock=lambda: world.time,
    )
    world.live()
    with record.reading() as session:
        assert session.scalars(sa.select(Application.outcome)).all() == [Outcome.AWARDED]
        assert session.scalar(sa.select(sa.func.count()).select_from(Award)) == 1
        reviews = session.execute(
            sa.select(Step.seat, Step.state).where(Step.kind == StepKind.REVIEW).order_by(Step.number)
        ).all()
        told = session.scalars(sa.select(Journal.what).order_by(Journal.id)).all()
        mails = session.scalars(sa.select(Mail.template)).all()
    assert [(seat, state.value) for seat, state in reviews] == [
        (1, "answered"),
        (2, "expired"),
        (2, "expired"),
        (3, "answered"),
    ]
    rules = (Event.REVIEW_NOT_GIVEN, Event.ASKED_TO_DECIDE, Event.CALLED_ONE_MORE, Event.RULED, Event.AWARDED)
    assert [what for what in told if what in rules] == [
        Event.REVIEW_NOT_GIVEN,
        Event.REVIEW_NOT_GIVEN,
        Event.ASKED_TO_DECIDE,
        Event.CALLED_ONE_MORE,
        Event.ASKED_TO_DECIDE,
        Event.RULED,
        Event.AWARDED,
    ]
    assert mails.count("review_void") == 2
    assert mails.count("decision_asked") == 2
    assert mails.count("overdue") >= 4, "the coordinator was told of each week that passed"
    assert mails.count("awarded") == 1
