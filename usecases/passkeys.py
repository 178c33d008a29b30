"""Passkeys: making, using and removing them, each challenge answered once."""

from __future__ import annotations

# The library of adapters/passkeys.py takes a quarter of a second to load, and most requests do not need it.
from collections.abc import Sequence
from datetime import date

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.errors import NotAllowed
from labels.record.schema import Passkey
from labels.sessions import passkeys
from labels.sessions import session as sessions
from labels.sessions.accounts import Account
from labels.sessions.passkeys import Copied, Site, site_at
from labels.sessions.second import PASSKEY, policy_of
from labels.sessions.session import Half, Visitor
from labels.turn import Door
from usecases.signing_in import visitor_of


def there_are(here: Workspace, account: Account | None = None) -> bool:
    """Whether somebody may have passkeys here, or anybody; the desk's address needs a name and TLS for them."""
    policy = policy_of(here.settings)
    offered = policy.is_offered(account) if account else policy.is_offered_at_all
    return offered and site_at(here.settings.desk_url) is not None


def passkeys_of(here: Workspace, who: Visitor | Half) -> Sequence[Passkey]:
    """Those that somebody has, the oldest first."""
    with here.record.reading() as session:
        return passkeys.passkeys_of(session, who.account.person)


def needed_from(here: Workspace, account: Account) -> date | None:
    """The day from which on somebody needs a passkey besides their code, if ever."""
    return policy_of(here.settings).needed_from(account)


def to_be_told(here: Workspace, token: str) -> bool:
    """Whether somebody who has just signed in is to be told that they will soon need a passkey, and have none."""
    who, now = visitor_of(here, token), here.now()
    if not isinstance(who, Visitor) or not there_are(here, who.account):
        return False
    return policy_of(here.settings).is_needed_soon(who.account, now) and not passkeys_of(here, who)


def ask_to_sign_in(here: Workspace, token: str) -> str:
    """What the browser that gets this token is told, as JSON: the same for everybody but for the challenge."""
    from adapters.passkeys import how_to_sign_in

    with here.record.writing() as session:
        challenge = passkeys.challenge(here.turn(session, Door.DESK), token)
    return how_to_sign_in(_there(here), challenge)


def sign_in(here: Workspace, token: str, answer: str, address: str = "", former: str = "") -> str:
    """A session's token for whom the browser's answer proves; `former` is the one that it had, which ends.

    Args:
        token: that of the browser which was asked.
        answer: what `navigator.credentials.get` gave, as JSON.
        address: what was typed in as one's address, if anything was.

    Raises:
        NotAllowed: it proves nobody who may sign in so; it does not say why.
    """
    from adapters.passkeys import named, signed

    site = _there(here)
    with here.record.writing() as session:
        challenge = passkeys.take(here.turn(session, Door.DESK), token)
    if challenge is None:
        raise NotAllowed(NOT_ACCEPTED)
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK, known_by=PASSKEY)
        key = passkeys.named(turn, named(answer))
        if key is None:
            raise NotAllowed(NOT_ACCEPTED)
        proved = signed(site, challenge, answer, key.public_key)
        given = passkeys.sign_in(turn, key, proved, policy_of(here.settings), address)
        if isinstance(given, str) and former:
            sessions.end(turn, former)
    return _accepted(here, given)


def _accepted(here: Workspace, given: str | Copied | None) -> str:
    if isinstance(given, Copied):
        send_due(here, reason=given.mail)
    if not isinstance(given, str):
        raise NotAllowed(NOT_ACCEPTED)
    return given


NOT_ACCEPTED = "This passkey was not accepted."


def ask_besides(here: Workspace, who: Half, token: str) -> str:
    """What the browser of somebody who has signed in, and needs a passkey besides, is told, as JSON."""
    from adapters.passkeys import how_to_sign_in

    with here.record.writing() as session:
        challenge = passkeys.challenge(here.turn(session, Door.DESK), token, who.session)
        mine = passkeys.passkeys_of(session, who.account.person)
        usable = [one.id for one in mine if one.blocked_at is None]
    return how_to_sign_in(_there(here), challenge, usable)


def use_besides(here: Workspace, who: Half, token: str, answer: str) -> str:
    """A new token for somebody who has signed in and has used their passkey besides.

    Raises:
        NotAllowed: it is not their passkey; it does not say why.
    """
    from adapters.passkeys import named, signed

    site = _there(here)
    with here.record.writing() as session:
        challenge = passkeys.take(here.turn(session, Door.DESK), token, who.session)
    if challenge is None:
        raise NotAllowed(NOT_ACCEPTED)
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK, known_by=who.how)
        key = passkeys.named(turn, named(answer))
        if key is None:
            raise NotAllowed(NOT_ACCEPTED)
        proved = signed(site, challenge, answer, key.public_key)
        given = passkeys.use_besides(turn, who, key, proved, policy_of(here.settings))
    return _accepted(here, given)


def add_besides(here: Workspace, who: Half, token: str, answer: str, name: str) -> str:
    """Enters the first passkey of somebody who has signed in and needs one besides; a mail tells them. Their new token.

    Raises:
        NotAllowed: the answer does not hold, or they have a passkey already.
    """
    add(here, who, token, answer, name)
    with here.record.writing() as session:
        given = sessions.strengthen(here.turn(session, Door.DESK), who.session)
    return _accepted(here, given)


def ask_to_add(here: Workspace, visitor: Visitor | Half, token: str) -> str:
    """What the browser that gets this token is told to make a passkey for somebody, as JSON."""
    from adapters.passkeys import Holder, how_to_add

    site, account = _there(here), visitor.account
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK)
        challenge = passkeys.challenge(turn, token, visitor.session)
        holder = Holder(passkeys.handle_of(turn, account.person), account.address, account.name)
        mine = [one.id for one in passkeys.passkeys_of(session, account.person)]
    return how_to_add(site, challenge, holder, mine)


def add(here: Workspace, visitor: Visitor | Half, token: str, answer: str, name: str) -> None:
    """Enters the passkey that somebody's browser has made; a mail tells them.

    Raises:
        NotAllowed: the answer does not hold, or they may not have it.
    """
    from adapters.passkeys import added

    site = _there(here)
    with here.record.writing() as session:
        challenge = passkeys.take(here.turn(session, Door.DESK), token, visitor.session)
    if challenge is None:
        raise NotAllowed(NOT_ACCEPTED)
    key = added(site, challenge, answer)
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK, known_by=visitor.how)
        reason = passkeys.add(turn, visitor, key, name, policy_of(here.settings))
    send_due(here, reason=reason)


def remove(here: Workspace, visitor: Visitor, passkey: str) -> None:
    """Removes a passkey of a visitor's; a mail tells them.

    Raises:
        NotAllowed: they signed in too long ago, or need one and would have none left.
        NotFound: they have no such passkey.
    """
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK, known_by=visitor.how)
        reason = passkeys.remove(turn, visitor, passkey, policy_of(here.settings))
    send_due(here, reason=reason)


def _there(here: Workspace) -> Site:
    found = site_at(here.settings.desk_url)
    if found is None:
        raise LookupError("no passkeys can be made at the desk's address")
    return found
