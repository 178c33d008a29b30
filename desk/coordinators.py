"""Who coordinates, and what is theirs to see: the cases and schools of their organisations, of the Central Support Service all."""

from __future__ import annotations

from labels.sessions.accounts import Account


def coordinates(account: Account) -> bool:
    """Whether somebody coordinates an organisation."""
    return bool(account.coordinates)


def organisations_of(account: Account) -> tuple[str, ...] | None:
    """The organisations whose cases are somebody's to see; None for those of all."""
    return None if account.central else account.coordinates
