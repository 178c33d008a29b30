"""Signing in and out, and who makes a request: what the desk asks before anything else."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.errors import NotAllowed
from labels.record.schema import KeptForm
from labels.sessions import session as sessions
from labels.sessions import signing_in
from labels.sessions.session import Lapsed, Visitor
from labels.sessions.signing_in import WrongCode
from labels.steps.proof import SignedIn
from labels.turn import Door


def ask_for_code(here: Workspace, token: str, address: str) -> datetime:
    """Notes who wants to sign in; the code goes out with `mail_code`. Until when it will work."""
    with here.record.writing() as session:
        return signing_in.ask(here.turn(session, Door.DESK), token, address)


def mail_code(here: Workspace, token: str) -> None:
    """Mails the code, if somebody has the address; to be called once the page has been answered.

    Raises:
        OutOfReach: the record does not answer.
    """
    with here.record.writing() as session:
        reason = signing_in.mail(here.turn(session, Door.DESK), token)
    if reason:
        send_due(here, reason=reason)


def address_of(here: Workspace, token: str) -> tuple[str, datetime] | None:
    """The address that was typed in and until when its code works; None where it does no more."""
    with here.record.reading() as session:
        asked = signing_in.waits(here.turn(session), token)
        return (asked.address, asked.expires_at) if asked else None


def sign_in(here: Workspace, token: str, code: str, former: str = "") -> str | WrongCode:
    """A session's token for the right code; `former` is the one that the browser had, which ends.

    Raises:
        NotAllowed: the code works no more, or nobody has the address any more.
    """
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK)
        proven = signing_in.check(turn, token, code)
        if isinstance(proven, WrongCode):
            return proven
        if former:
            sessions.end(turn, former)
        given = sessions.begin(turn, proven.address, proven.how)
    if given is None:
        raise NotAllowed("This code does not work any more.")
    return given


def visitor_of(here: Workspace, token: str) -> Visitor | Lapsed | None:
    """Who makes a request with a session's token, with the roles that they have now."""
    now = here.now()
    with here.record.reading() as session:
        found = sessions.visitor(session, token, now)
    if isinstance(found, Visitor) and now - found.seen_at >= sessions.SEEN_EVERY:
        with here.record.writing() as session:
            sessions.seen(here.turn(session), found.session)
    return found


def renewed_token(here: Workspace, visitor: Visitor) -> str | None:
    """A new token in the place of one that was given to somebody with other roles."""
    with here.record.writing() as session:
        return sessions.renew(here.turn(session, Door.DESK), visitor.session)


def sign_out(here: Workspace, token: str) -> None:
    """Ends one session."""
    with here.record.writing() as session:
        sessions.end(here.turn(session, Door.DESK), token)


def sign_out_everywhere(here: Workspace, address: str) -> int:
    """Ends every session of a person; how many there were."""
    with here.record.writing() as session:
        return sessions.end_all(here.turn(session, Door.DESK), address)


def proof_of(visitor: Visitor) -> SignedIn:
    """The proof that a signed-in person brings to an act."""
    return SignedIn(visitor.account.address, visitor.how, visitor.signed_in_at)


def form_token(here: Workspace, who: Visitor | Lapsed) -> str:
    """What the forms of a session carry."""
    address = who.account.address if isinstance(who, Visitor) else who.address
    return sessions.form_token(here.key, address, who.signed_in_at)


def carries(here: Workspace, who: Visitor | Lapsed, given: str) -> bool:
    """Whether a form carries what those of this session do."""
    return hmac.compare_digest(form_token(here, who).encode(), given.encode("utf-8", "replace"))


def keep_form(here: Workspace, address: str, page: str, fields: Mapping[str, object]) -> None:
    """Keeps what somebody sent when their session had run out."""
    with here.record.writing() as session:
        sessions.keep_form(here.turn(session, Door.DESK), address, page, fields)


def kept_form(here: Workspace, address: str, page: str) -> KeptForm | None:
    """What was kept of what somebody sent to a page."""
    with here.record.reading() as session:
        return sessions.kept_form(session, address, page)


def forget_form(here: Workspace, address: str, page: str) -> None:
    """Drops what was kept, once it is elsewhere."""
    with here.record.writing() as session:
        sessions.forget_form(here.turn(session, Door.DESK), address, page)
