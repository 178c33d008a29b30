"""What mends it: what somebody can do so that what was refused, or is stuck, goes on.

Data: each door words it in its own way, as a command, as a button, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AskForCode:
    """Have a new one-time code mailed."""

    subject: str
    """The application, step or award that it is for."""
    email: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Withdraw an application that stands in the way."""

    application: str


@dataclass(frozen=True, slots=True)
class HandInAgain:
    """Hand the same file in once more, as a new application."""


@dataclass(frozen=True, slots=True)
class AddDocument:
    """Hand in a document with the answer."""


@dataclass(frozen=True, slots=True)
class NameColumn:
    """Say which column of a list has the names."""


@dataclass(frozen=True, slots=True)
class NameEncoding:
    """Say how a file is encoded."""


@dataclass(frozen=True, slots=True)
class LookAtCase:
    """Look where an application stands."""

    application: str


@dataclass(frozen=True, slots=True)
class LookAtMail:
    """Look at the messages that wait in the outbox."""


@dataclass(frozen=True, slots=True)
class PreviewCycle:
    """Look what a year of the European Quality Label would be today."""

    year: int


@dataclass(frozen=True, slots=True)
class BeginCycle:
    """Begin a year of the European Quality Label now."""

    year: int


@dataclass(frozen=True, slots=True)
class CheckSchools:
    """Look which schools would pass the check today."""


@dataclass(frozen=True, slots=True)
class GoOnWithRound:
    """Have a round of the School Label checked and its schools invited."""

    on: date


@dataclass(frozen=True, slots=True)
class Reassign:
    """Give a step to somebody else."""

    step: str


@dataclass(frozen=True, slots=True)
class MoveDeadline:
    """Move the deadline of a step."""

    step: str


@dataclass(frozen=True, slots=True)
class DeclareConflict:
    """Declare somebody's conflict of interest."""

    application: str


@dataclass(frozen=True, slots=True)
class ReopenDecision:
    """Look what hangs on a decision, and reopen it."""

    application: str
    cause: str


@dataclass(frozen=True, slots=True)
class ImportRegistry:
    """Import the registry with what is right."""

    file: str = ""
    """The file of it that matters, where it is one."""


@dataclass(frozen=True, slots=True)
class MakeRecord:
    """Make a record: there is none."""


@dataclass(frozen=True, slots=True)
class StartServices:
    """Start the server and its workers."""


@dataclass(frozen=True, slots=True)
class Recover:
    """Bring every open application back to its step, once Prefect's server is there."""


@dataclass(frozen=True, slots=True)
class SetClock:
    """Set the clock of the machine right."""


@dataclass(frozen=True, slots=True)
class UseAnotherKey:
    """Go on with another key, where the one of a backup is lost for ever."""


@dataclass(frozen=True, slots=True)
class KeepUp:
    """Do what upkeep does every ten minutes."""


@dataclass(frozen=True, slots=True)
class TellAgain:
    """Have a platform told again what could not be told it."""

    webhook: str


Mend = (
    AskForCode
    | Withdraw
    | HandInAgain
    | AddDocument
    | NameColumn
    | NameEncoding
    | LookAtCase
    | LookAtMail
    | PreviewCycle
    | BeginCycle
    | CheckSchools
    | GoOnWithRound
    | Reassign
    | MoveDeadline
    | DeclareConflict
    | ReopenDecision
    | ImportRegistry
    | MakeRecord
    | StartServices
    | Recover
    | SetClock
    | UseAnotherKey
    | KeepUp
    | TellAgain
)
