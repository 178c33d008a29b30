"""Mail that came back: the address is marked, mail to it waits, and a coordinator is told once what mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.mail.reports import ReadMail, read_folder
from adapters.workspace import Workspace
from labels.errors import NotFound
from labels.mail import messages, outbox, undelivered
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import behind
from labels.people.staff import coordinators
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import (
    Application,
    Bounce,
    Mail,
    Organisation,
    School,
    Staff,
    Teacher,
)
from labels.turn import Turn


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of reading mails."""

    mails: int = 0
    hard: int = 0
    """Reports that an address takes no mail."""
    soft: int = 0
    """Reports that a message did not get there, which say nothing of the address."""
    ignored: int = 0
    """Mails that are no report, or of no message that was sent from here; and what was read before."""
    stopped: tuple[str, ...] = ()
    """Addresses to which nothing is sent from now on."""


def take_in(here: Workspace, mails: Iterable[ReadMail]) -> TakenIn:
    """Takes in what mails report; each in a transaction of its own, and the same one twice as once.

    Raises:
        InvalidInput: a mail can't be read; those before it are taken in.
    """
    count = hard = soft = ignored = 0
    stopped: list[str] = []
    for mail in mails:
        count += 1
        taken = False
        with here.record.writing() as session:
            turn = here.turn(session)
            for report in mail.reports:
                before = undelivered.unreached(session, report.address)
                entered = undelivered.enter(turn, report)
                if entered is None:
                    continue
                taken = True
                bounce, message = entered
                if not bounce.hard:
                    soft += 1
                    continue
                hard += 1
                if before is None:
                    stopped.append(report.address)
                    _tell(turn, bounce, message)
        ignored += not taken
    return TakenIn(count, hard, soft, ignored, tuple(stopped))


def take_in_mailbox(here: Workspace) -> TakenIn:
    """What upkeep does: reads the mailbox of the settings, where there is one."""
    folder = here.settings.bounces
    return take_in(here, read_folder(folder)) if folder and folder.is_dir() else TakenIn()


def lift(here: Workspace, address: str) -> None:
    """Sends mail to an address again.

    Raises:
        NotFound: nothing counts against it.
    """
    with here.record.writing() as session:
        turn = here.turn(session)
        if not undelivered.lift(turn, address):
            raise NotFound(
                f"Nothing was reported of {address}, or it is lifted already: labels bounces --list"
            )
        note(turn, None, SYSTEM, Event.ADDRESS_LIFTED, address=address.lower())


def reported(here: Workspace) -> list[undelivered.Unreached]:
    """Every address of which something was reported."""
    with here.record.reading() as session:
        return undelivered.all_reported(session)


def _tell(turn: Turn, bounce: Bounce, mail: Mail) -> None:
    """One message to each coordinator of the organisations that the address belongs to, but those who read it there."""
    note(turn, None, SYSTEM, Event.ADDRESS_UNREACHED, address=bounce.address, status=bounce.status)
    for organisation in _organisations(turn.session, bounce.address, mail):
        message = messages.AddressUnreached(
            bounce=bounce.id,
            organisation_name=turn.session.get_one(Organisation, organisation).name,
            name=mail.to_name,
            address=bounce.address,
            said=f"{bounce.status} {bounce.said}".strip(),
        )
        for one in coordinators(turn.session, organisation):
            if one.address.lower() != bounce.address:
                outbox.queue(turn, message, Envelope(Recipient.of(one), (organisation, one.id)))


def _organisations(session: Session, address: str, mail: Mail) -> list[str]:
    """Those of the application that the message was about, or else of the people who have the address; the Central
    Support Service where that is none, or nobody else would be told."""
    of = session.scalar(sa.select(Application.organisation).where(Application.id == mail.application))
    people = [one.id for one in behind(session, address)]
    found = {of} if of else set(session.scalars(_BELONGS, {"people": people}))
    told = {
        organisation
        for organisation in found
        if any(one.address.lower() != address for one in coordinators(session, organisation))
    }
    central = sa.select(Organisation.id).where(Organisation.kind == "CSS")
    return sorted(told or session.scalars(central))


_PEOPLE: sa.BindParameter[list[str]] = sa.bindparam("people", expanding=True)
_BELONGS = sa.union(
    sa.select(Staff.organisation).where(Staff.person.in_(_PEOPLE)),
    sa.select(School.organisation)
    .join(Teacher, Teacher.school == School.id)
    .where(Teacher.person.in_(_PEOPLE)),
    sa.select(School.organisation).where(School.principal.in_(_PEOPLE)),
)
