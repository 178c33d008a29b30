"""What those who are asked do: answer a step, save a draft for their colleagues, have a new code mailed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.answering import accepting, organisation_codes, proving
from labels.applications.documents import StoredDocument
from labels.errors import NotMailed
from labels.mail import outbox
from labels.people.staff import known_organisation, means_organisation
from labels.pupil_label import classes
from labels.record.schema import Organisation
from labels.school_label.drafting import Typed
from labels.steps.answers import Answer
from labels.turn import Door
from usecases.acts import Act


def answer(step: str, given: Answer, documents: Sequence[StoredDocument] = ()) -> Act:
    """A person's answer to a step; `documents` are in the store already."""
    return lambda turn, proof: accepting.answer(turn, step, proof, given, documents=documents)


def draft(
    step: str,
    given: Answer | Typed,
    documents: Sequence[StoredDocument] = (),
    without: Collection[str] = (),
) -> Act:
    """A draft of a school's self-assessment for all of its teachers, whole or of single fields, with files or without some."""
    return lambda turn, proof: accepting.save_draft(
        turn, step, proof, given, documents=documents, without=without
    )


def hand_in(step: str, number: int) -> Act:
    """Hands the shared draft of a school's self-assessment in, as it stood after save `number`."""
    return lambda turn, proof: accepting.hand_in(turn, step, proof, number)


def choose_who_hands_in(step: str, who: str) -> Act:
    """One of a school's teachers is to hand in for all of them: by their id, their step's, or an address of theirs alone."""
    return lambda turn, proof: accepting.choose_who_hands_in(turn, step, proof, who)


def send_again(step: str, at_most: int) -> Act:
    """An invitation of a school is mailed once more, at most so often an hour."""
    return lambda turn, proof: proving.send_again(turn, step, proof, at_most)


def mail_code(here: Workspace, subject: str, email: str, door: Door) -> str:
    """Mails the one-time code for a step, an application, an organisation or the class of an award; what it is for.

    Raises:
        NotFound: there is no such step, application or award.
        NotAllowed: nothing there is for this person, or it was asked for too often within the hour.
        NotMailed: the code is recorded, and its mail is sent later.
    """
    with here.record.writing() as session:
        turn = here.turn(session, door)
        if classes.is_for_a_class(session, subject, email):
            rules = classes.rules_for(session, subject, turn.now, here.settings.rules)
            reason = classes.send_code(turn, subject, email, rules, here.settings.codes_an_hour)
            what_keeps_it = partial(outbox.not_out, reason=reason)
            application = None
        elif turn.session.get(Organisation, subject) is not None or means_organisation(subject):
            known_organisation(session, subject)
            reason = organisation_codes.send_code(turn, subject, email, here.settings.codes_an_hour)
            what_keeps_it = partial(outbox.not_out, reason=reason)
            application = None
        else:
            subject = proving.send_code(turn, subject, email, here.settings.codes_an_hour)
            what_keeps_it = partial(outbox.held_up, step=subject)
            application = proving.find_step(session, subject).application
    send_due(here, application)
    with here.record.reading() as session:
        if why := what_keeps_it(session):
            raise NotMailed(f"The code for {subject} could not be mailed yet and is sent later. {why}")
    return subject
