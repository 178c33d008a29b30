"""The mail that asks a person to answer a step."""

from __future__ import annotations

from typing import Any

from labels.clock import in_words
from labels.mail import outbox
from labels.people.named import person_named
from labels.record.schema import Application, Step
from labels.steps.step import common_context
from labels.turn import Turn


def mail_step(
    turn: Turn,
    application: Application,
    step: Step,
    template: outbox.Template,
    *,
    to: tuple[str, str] | None = None,
    **context: Any,
) -> None:
    """Mails the step to its assignee; `to` has their name and language where the caller knows them."""
    name, language = to or person_named(turn.session, step.assignee)
    outbox.queue(
        turn.session,
        reason=f"{application.id}/{template.value}/{step.id}/{step.code_number}",
        template=template,
        language=language,
        to_name=name,
        to_address=step.assignee,
        context=common_context(turn.session, application)
        | {"step": step.id, "due": in_words(step.due_at) if step.due_at else ""}
        | context,
        now=turn.now,
        application=application.id,
        step=step.id,
    )
