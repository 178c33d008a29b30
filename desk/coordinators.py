"""Who may open the pages of coordinators."""

from __future__ import annotations

from labels.sessions.accounts import Account


def coordinates(account: Account) -> bool:
    """Whether somebody coordinates an organisation."""
    return bool(account.coordinates)
