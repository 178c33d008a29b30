"""Whether a passkey is needed besides a code: what an installation asks of those who work for an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from labels.clock import brussels_day
from labels.sessions.accounts import Account
from labels.sessions.signing_in import BREAK_GLASS
from labels.settings import PasskeyRules, Settings, StaffRole

PASSKEY = "passkey"
"""`SignedIn.how` of whoever signed in with a passkey alone: the device checked that it is its owner, so it is two factors."""
AND_PASSKEY = " and passkey"
"""What is added to `SignedIn.how` of whoever used a passkey besides."""
TOLD_BEFORE = timedelta(days=30)
"""How long before a passkey is needed people are told so at each sign-in."""


def used_passkey(how: str) -> bool:
    """Whether who signed in by these means used a passkey, alone or besides."""
    return how == PASSKEY or how.endswith(AND_PASSKEY)


@dataclass(frozen=True, slots=True)
class PasskeyPolicy:
    """What passkeys are to each role of the staff: nothing, offered, or needed from a day on."""

    rules: PasskeyRules
    operators: frozenset[str]

    def is_offered(self, account: Account) -> bool:
        """Whether somebody may have passkeys; it is enough that one of their roles may."""
        return any(rule != "off" for rule in self._of(account))

    @property
    def is_offered_at_all(self) -> bool:
        """Whether anybody may have one."""
        return any(rule != "off" for rule in self.rules.values())

    def needed_from(self, account: Account) -> date | None:
        """The day from which on somebody needs one, the first of their roles'; None where they never do."""
        return min((rule for rule in self._of(account) if isinstance(rule, date)), default=None)

    def is_needed(self, account: Account, now: datetime) -> bool:
        """Whether somebody needs one now."""
        day = self.needed_from(account)
        return day is not None and brussels_day(now) >= day

    def is_missing(self, account: Account, how: str, now: datetime) -> bool:
        """Whether somebody who signed in by these means has still to use one.

        A code that was printed on the machine for whoever lost theirs does in its place.
        """
        return not used_passkey(how) and how != BREAK_GLASS and self.is_needed(account, now)

    def is_needed_soon(self, account: Account, now: datetime) -> bool:
        """Whether the day is near from which on somebody needs one."""
        day = self.needed_from(account)
        return day is not None and brussels_day(now) < day <= brussels_day(now + TOLD_BEFORE)

    def _of(self, account: Account) -> Iterator[str | date]:
        roles: list[StaffRole] = []
        if account.reviews_for:
            roles.append("reviewers")
        if len(account.coordinates) > account.central:
            roles.append("coordinators")
        if account.central:
            roles.append("css")
        if account.staff and account.address in self.operators:
            roles.append("operators")
        return (self.rules[role] for role in roles)


def policy_of(settings: Settings) -> PasskeyPolicy:
    """The policy of an installation."""
    return PasskeyPolicy(settings.passkey_rules, settings.operator_addresses)
