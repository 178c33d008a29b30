"""One-time codes of coordinators for acts that are about no application, such as saying who is one person."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.proving import Coordinator
from labels.errors import NotAllowed
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.mending import AskForCode
from labels.people.named import recipient
from labels.people.persons import behind, person
from labels.people.staff import coordinates
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import FormerStaff, Organisation, OrganisationCode, School, Staff, Teacher
from labels.steps.codes import code_hash, code_matches, made_with, review_code
from labels.steps.limit import CODES_AN_HOUR, may_be_mailed
from labels.steps.outcome import Refusal
from labels.steps.proof import Proof, SignedIn, who_may_be_meant
from labels.turn import Turn
from labels.words.addresses import meant
from labels.words.sentences import say

TRIES = 5
"""After so many wrong ones a code is void; its owner asks for another."""


def send_code(turn: Turn, organisation: str, email: str, at_most: int = CODES_AN_HOUR) -> str:
    """Mails a coordinator of an organisation a code for one act: the one that they have, while it works.

    Returns the reason of the message.

    Raises:
        NotAllowed: nobody who reads that address coordinates the organisation, or it was asked for too often.
    """
    email = meant(email)
    able = [one.id for one in behind(turn.session, email) if coordinates(turn.session, one.id, organisation)]
    if not able:
        raise NotAllowed(f"{email} is no coordinator of {organisation}.")
    may_be_mailed(turn, able[0], at_most)
    code = turn.session.get(OrganisationCode, (organisation, able[0]))
    if code is None or code.spent_at or code.failures >= TRIES or not _works(turn, code):
        code = _next(turn, organisation, able[0], code)
    acting = turn.acting(email, able[0])
    note(acting, None, email, Event.ASKED_FOR_A_CODE, organisation=organisation, news=False)
    message = messages.OrganisationCode(
        organisation=organisation,
        organisation_name=turn.session.get_one(Organisation, organisation).name,
        person=able[0],
        number=code.number,
    )
    parts = (code.number, turn.now.isoformat())
    outbox.queue(turn, message, Envelope(recipient(turn.session, able[0]), parts))
    return message.reason_for(*parts)


def _works(turn: Turn, code: OrganisationCode) -> bool:
    """With none of the secret keys it can't be mailed again."""
    subject = outbox.organisation_code_subject(code.organisation, code.person)
    return made_with(turn.keys, subject, code.number, code.code_hash) is not None


def _made(turn: Turn, code: OrganisationCode) -> str:
    subject = outbox.organisation_code_subject(code.organisation, code.person)
    return review_code(turn.key, subject, code.number)


def _next(turn: Turn, organisation: str, who: str, code: OrganisationCode | None) -> OrganisationCode:
    if code is None:
        code = OrganisationCode(organisation=organisation, person=who, number=0)
        turn.session.add(code)
    code.number += 1
    code.code_hash = code_hash(_made(turn, code))
    code.failures, code.asked_at, code.spent_at = 0, turn.now, None
    turn.session.flush()
    return code


def prove(turn: Turn, organisations: Collection[str], proof: Proof) -> Coordinator | Refusal:
    """Who proved to coordinate one of these organisations, or why this person did not; the code is spent with that.

    A wrong code is counted, which the caller keeps.
    """
    who = {
        (one, organisation)
        for one in who_may_be_meant(turn.session, proof)
        for organisation in organisations
        if coordinates(turn.session, one, organisation)
    }
    if not who:
        of = tuple(sorted(organisations))
        if isinstance(proof, SignedIn):
            return Refusal(say("You are no coordinator of {organisations}.", organisations=of))
        return Refusal(f"{proof.claimed or 'Nobody'} is no coordinator of {' or '.join(of)}.")
    if isinstance(proof, SignedIn):
        able = proof.person
        return Coordinator(person(turn.session, able).address, able, None)
    codes = [
        code
        for able, organisation in sorted(who)
        if (code := turn.session.get(OrganisationCode, (organisation, able))) and code.spent_at is None
    ]
    for code in codes:
        if code.failures < TRIES and code_matches(proof.code, code.code_hash):
            code.spent_at = turn.now
            return Coordinator(person(turn.session, code.person).address, code.person, None)
    for code in codes:
        code.failures += 1
    note(turn, None, SYSTEM, Event.REFUSED_A_CODE, organisations=sorted(organisations))
    mend = AskForCode(min(organisation for _, organisation in who), proof.claimed or "")
    return Refusal("The code is not valid.", noted=True, mend=mend)


def deciding_on(session: Session, persons: Collection[str]) -> frozenset[str]:
    """The organisations whose coordinators decide about some people: the one that all of them belong to, and the
    Central Support Service."""
    of_each = [_organisations(session, one) for one in persons]
    central = set(session.scalars(sa.select(Organisation.id).where(Organisation.kind == "CSS")))
    return frozenset(set.intersection(*of_each) | central) if of_each else frozenset(central)


def _organisations(session: Session, one: str) -> set[str]:
    return set(session.scalars(_BELONGS, {"person": one}))


_WHOM: sa.BindParameter[str] = sa.bindparam("person")
_BELONGS = sa.union(
    sa.select(Staff.organisation).where(Staff.person == _WHOM),
    sa.select(FormerStaff.organisation).where(FormerStaff.person == _WHOM),
    sa.select(School.organisation).join(Teacher, Teacher.school == School.id).where(Teacher.person == _WHOM),
    sa.select(School.organisation).where(School.principal == _WHOM),
)
