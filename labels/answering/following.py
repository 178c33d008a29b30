"""What follows a person to a corrected address: what is asked of them, its codes, and mail that waits."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import person
from labels.record.schema import Application, Mail, Organisation, Step, StepState
from labels.registry.entering import Correction
from labels.steps.mailing import about_step, mail_step
from labels.steps.step import renew_code
from labels.turn import Turn
from labels.words.sentences import say


def follow(turn: Turn, corrections: Iterable[Correction]) -> int:
    """Sends each person's open steps to the corrected address, with new codes; how many steps there were.

    What was mailed to the former address may have reached a stranger: its codes are void. Mail that waits goes to the
    new address, at once. Both addresses are told.
    """
    steps = 0
    for one in corrections:
        _redirect(turn, one)
        open_steps = turn.session.execute(_OPEN, {"person": one.person}).all()
        for step, application in open_steps:
            renew_code(step, turn.key)
            if step.state is StepState.OPEN:
                purpose = say("Your address was corrected: the former code is void, and this is the new one.")
                about = about_step(turn.session, application, step)
                mail_step(turn, step, messages.Code(about=about, purpose=purpose))
        steps += len(open_steps)
        _tell_both(turn, one, len(open_steps))
    return steps


_OPEN = (
    sa.select(Step, Application)
    .join(Application, Application.id == Step.application)
    .where(Step.person == sa.bindparam("person"), Step.state.in_([StepState.OPEN, StepState.ASKED]))
    .order_by(Step.id)
)


def _redirect(turn: Turn, correction: Correction) -> None:
    """Mail that waits for the person goes to the new address, also where the former one refused it."""
    turn.session.execute(
        sa.update(Mail)
        .where(Mail.person == correction.person, Mail.sent_at.is_(None))
        .values(
            to_address=correction.address,
            next_attempt_at=turn.now,
            claimed_until=None,
            attempts=0,
            last_error=None,
        )
        .execution_options(synchronize_session=False)
    )


def _tell_both(turn: Turn, correction: Correction, steps: int) -> None:
    """One message to each address; at the former one the address is meant, whoever reads it."""
    whom = person(turn.session, correction.person)
    organisation = turn.session.scalar(_ORGANISATION, {"person": correction.person}) or "eTwinning"
    message = messages.AddressCorrected(person=whom.id, steps=steps, organisation_name=organisation)
    for which, address in (("former", correction.former), ("present", correction.address)):
        to = Recipient(whom.name, address, whom.language)
        outbox.queue(turn, message, Envelope(to, (which, turn.now.isoformat())))


_ORGANISATION = (
    sa.select(Organisation.name)
    .join(Application, Application.organisation == Organisation.id)
    .join(Step, Step.application == Application.id)
    .where(Step.person == sa.bindparam("person"))
    .order_by(Step.opened_at.desc())
    .limit(1)
)
