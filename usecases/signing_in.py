"""Signing in and out, and who makes a request: what the desk asks before anything else."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.clock import wall_clock
from labels.errors import NotAllowed, OutOfReach
from labels.mail import outbox
from labels.sessions import provider, signing_in
from labels.sessions import session as sessions
from labels.sessions.provider import NotKnown
from labels.sessions.second import policy_of
from labels.sessions.session import Half, Lapsed, Visitor
from labels.sessions.signing_in import WrongCode
from labels.steps.proof import SignedIn
from labels.turn import Door

if TYPE_CHECKING:
    from adapters.identity import IdentityProvider


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


def break_glass(here: Workspace, address: str) -> tuple[str, datetime]:
    """A code to sign in for somebody whom no mail reaches, and until when it works; all coordinators are told.

    Raises:
        NotFound: nobody has the address.
    """
    with here.record.writing() as session:
        made = signing_in.break_glass(here.turn(session, Door.COMMAND_LINE), address)
    send_due(here)
    return made


def wants_daily_mail(here: Workspace, person: str) -> bool:
    """Whether somebody of a staff wants one message a day."""
    with here.record.reading() as session:
        return outbox.wants_daily(session, person)


def choose_daily_mail(here: Workspace, person: str, daily: bool) -> None:
    """Keeps whether somebody of a staff wants one message a day; what waited for it goes out where they do not."""
    with here.record.writing() as session:
        outbox.choose_daily(here.turn(session, Door.DESK), person, daily)
    send_due(here)


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


@dataclass(frozen=True, slots=True)
class GivenByProvider:
    """A session that began with an account at the identity provider."""

    token: str
    then: str
    """The page that was wanted."""


def ask_provider(here: Workspace, token: str, then: str) -> str:
    """The address at the identity provider that a browser, which gets this token, is sent to.

    Raises:
        OutOfReach: the provider does not answer.
    """
    with here.record.writing() as session:
        asked = provider.ask(here.turn(session, Door.DESK), token, then)
    return _provider(here).address(asked)


def sign_in_with_provider(
    here: Workspace, token: str, query: Mapping[str, str], former: str = ""
) -> GivenByProvider | NotKnown:
    """A session for whom the identity provider vouches; `query` is what the browser brought back from there.

    Raises:
        NotAllowed: this browser did not ask, or the provider's answer does not hold.
        OutOfReach: the provider does not answer.
    """
    with here.record.writing() as session:
        attempt = provider.answered(here.turn(session, Door.DESK), token, query.get("state", ""))
        then, nonce, verifier = attempt.then, attempt.nonce, attempt.verifier
    claims = _provider(here).claims(dict(query), nonce, verifier, wall_clock())
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK)
        whose = provider.whose(turn, claims)
        if isinstance(whose, NotKnown):
            return whose
        if former:
            sessions.end(turn, former)
        given = sessions.begin(turn, whose.address, f"{provider.PROVIDER} {claims.issuer}", whose.id)
    return NotKnown.NOBODY if given is None else GivenByProvider(given, then)


def _provider(here: Workspace) -> IdentityProvider:
    # Its libraries take half a second to load, and most requests do not need them.
    from adapters.identity import identity_provider

    found = identity_provider(here.settings)
    if found is None:
        raise LookupError("no identity provider is configured")
    return found


def visitor_of(here: Workspace, token: str) -> Visitor | Half | Lapsed | None:
    """Who makes a request with a session's token, with the roles that they have now."""
    with here.record.reading() as session:
        return sessions.visitor(session, token, here.now(), policy_of(here.settings))


def is_to_be_noted(here: Workspace, visitor: Visitor) -> bool:
    """Whether it is time to note once more that a session was used."""
    return here.now() - visitor.seen_at >= sessions.SEEN_EVERY


def note_seen(here: Workspace, visitor: Visitor) -> None:
    """Notes that a session was used; to be called once the page has been answered, which then waits for no writer.

    Where the record is away, the next request notes it.
    """
    with contextlib.suppress(OutOfReach), here.record.writing() as session:
        sessions.seen(here.turn(session), visitor.session)


def renewed_token(here: Workspace, visitor: Visitor) -> str | None:
    """A new token in the place of one that was given to somebody with other roles."""
    with here.record.writing() as session:
        return sessions.renew(here.turn(session, Door.DESK), visitor.session)


def choose(here: Workspace, visitor: Visitor, person: str) -> str | None:
    """A new token for the one of several people with one mailbox that a visitor is; None where it is none of them."""
    with here.record.writing() as session:
        return sessions.choose(here.turn(session, Door.DESK), visitor.session, person)


def sign_out(here: Workspace, token: str) -> None:
    """Ends one session."""
    with here.record.writing() as session:
        sessions.end(here.turn(session, Door.DESK), token)


def sign_out_everywhere(here: Workspace, person: str) -> int:
    """Ends every session of a person; how many there were."""
    with here.record.writing() as session:
        return sessions.end_all(here.turn(session, Door.DESK), person)


def proof_of(visitor: Visitor) -> SignedIn:
    """The proof that a signed-in person brings to an act."""
    if not visitor.account.person:
        raise LookupError("they have not said who of several they are")
    return SignedIn(visitor.account.person, visitor.how, visitor.signed_in_at)


def form_token(here: Workspace, who: Visitor | Half | Lapsed) -> str:
    """What the forms of a session carry."""
    address = who.address if isinstance(who, Lapsed) else who.account.address
    return sessions.form_token(here.key, address, who.signed_in_at)


def carries(here: Workspace, who: Visitor | Half | Lapsed, given: str) -> bool:
    """Whether a form carries what those of this session do."""
    address = who.address if isinstance(who, Lapsed) else who.account.address
    said = given.encode("utf-8", "replace")
    made = (sessions.form_token(key, address, who.signed_in_at) for key in here.good_keys())
    return any(hmac.compare_digest(one.encode(), said) for one in made)


def keep_form(here: Workspace, person: str, page: str, fields: Mapping[str, object]) -> None:
    """Keeps what somebody sent when their session had run out."""
    with here.record.writing() as session:
        sessions.keep_form(here.turn(session, Door.DESK), person, page, fields)


def forget_form(here: Workspace, person: str, page: str) -> None:
    """Drops what was kept, once it is elsewhere."""
    with here.record.writing() as session:
        sessions.forget_form(here.turn(session, Door.DESK), person, page)
