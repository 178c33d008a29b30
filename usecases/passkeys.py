"""Passkeys: making, using and removing them, each challenge answered once."""

from __future__ import annotations

# The library of adapters/passkeys.py takes a quarter of a second to load, and most requests do not need it.
from collections.abc import Sequence

from adapters.mail.post import send_due
from adapters.workspace import Workspace
from labels.errors import NotAllowed
from labels.record.schema import Passkey
from labels.sessions import passkeys
from labels.sessions import session as sessions
from labels.sessions.passkeys import Copied, Site, site_at
from labels.sessions.session import Visitor
from labels.turn import Door


def there_are(here: Workspace) -> bool:
    """Whether passkeys can be made at the desk's address: it needs a name and TLS."""
    return site_at(here.settings.desk_url) is not None


def passkeys_of(here: Workspace, visitor: Visitor) -> Sequence[Passkey]:
    """Those that somebody has, the oldest first."""
    with here.record.reading() as session:
        return passkeys.passkeys_of(session, visitor.account.person)


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
        turn = here.turn(session, Door.DESK, known_by=passkeys.PASSKEY)
        key = passkeys.named(turn, named(answer))
        if key is None:
            raise NotAllowed(NOT_ACCEPTED)
        given = passkeys.sign_in(turn, key, signed(site, challenge, answer, key.public_key), address)
        if isinstance(given, str) and former:
            sessions.end(turn, former)
    if isinstance(given, Copied):
        send_due(here, reason=given.mail)
    if not isinstance(given, str):
        raise NotAllowed(NOT_ACCEPTED)
    return given


NOT_ACCEPTED = "This passkey was not accepted."


def ask_to_add(here: Workspace, visitor: Visitor, token: str) -> str:
    """What the browser that gets this token is told to make a passkey for a visitor, as JSON."""
    from adapters.passkeys import Holder, how_to_add

    site, account = _there(here), visitor.account
    with here.record.writing() as session:
        turn = here.turn(session, Door.DESK)
        challenge = passkeys.challenge(turn, token, visitor.session)
        holder = Holder(passkeys.handle_of(turn, account.person), account.address, account.name)
        mine = [one.id for one in passkeys.passkeys_of(session, account.person)]
    return how_to_add(site, challenge, holder, mine)


def add(here: Workspace, visitor: Visitor, token: str, answer: str, name: str) -> None:
    """Enters the passkey that a visitor's browser has made; a mail tells them.

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
        reason = passkeys.add(turn, visitor, key, name)
    send_due(here, reason=reason)


def remove(here: Workspace, visitor: Visitor, passkey: str) -> None:
    """Removes a passkey of a visitor's; a mail tells them.

    Raises:
        NotAllowed: they signed in too long ago.
        NotFound: they have no such passkey.
    """
    with here.record.writing() as session:
        reason = passkeys.remove(here.turn(session, Door.DESK, known_by=visitor.how), visitor, passkey)
    send_due(here, reason=reason)


def _there(here: Workspace) -> Site:
    found = site_at(here.settings.desk_url)
    if found is None:
        raise LookupError("no passkeys can be made at the desk's address")
    return found
