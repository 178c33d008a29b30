"""What can go wrong for a person, named after what went wrong.

Errors are raised in the domain and worded at the edge. Each class knows the exit code of the
command line (CONTRACT: 2 invalid, 3 not allowed, 4 not found, 5 a service is out of reach,
6 the record is not as it was written).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from labels.mending import Mend


class LabelsError(Exception):
    """The root of every error that this project raises on purpose."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, mend: Mend | None = None) -> None:
        super().__init__(message)
        self.mend = mend
        """What mends it, for the door to word; None where the message says all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where, what was expected, what to do."""

    where: str
    """File, row, column or field, e.g. `teachers.csv:12 · school` or `sections.results`."""
    problem: str
    """What is wrong and what was expected, as one sentence."""
    remedy: str = ""
    """What to do about it, as one sentence; empty where the problem says it."""
    mend: Mend | None = None
    """What mends it, for the door to word."""

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f" {self.remedy}" if self.remedy else "")


class InvalidInput(LabelsError):
    """A file, row, field or argument is wrong; every fault is named and nothing was changed."""

    def __init__(self, subject: str, faults: Sequence[Fault]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        super().__init__(f"{subject}: " + "; ".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it goes from one process to another whole."""
        return type(self), (self.subject, self.faults)


class NotAllowed(LabelsError):
    """The person may not do this: wrong role, organisation, code, time, or a conflict of interest."""

    exit_code = 3


class NotFound(LabelsError):
    """The thing asked for is not in the record."""

    exit_code = 4


NOTHING_CHANGED = "Nothing was changed."
"""Where no transaction of what somebody asked for was committed."""
NOT_KNOWN = "It is not known whether this was recorded: look before you do it again."
"""Where the answer to a COMMIT was lost."""
PARTLY_RECORDED = "A part of it was recorded before that: look before you do it again."
"""Where an earlier transaction of the same was committed."""


class OutOfReach(LabelsError):
    """A service that is needed does not answer; says which, and what is known of what was asked for."""

    exit_code = 5

    def __init__(
        self, service: str, detail: str, kept: str = "Nothing was lost.", mend: Mend | None = None
    ) -> None:
        self.service, self.detail, self.kept = service, detail, kept
        self.partly = kept in (NOT_KNOWN, PARTLY_RECORDED)
        """Whether some of what somebody asked for is in the record all the same, or may be."""
        super().__init__(f"{service} is out of reach: {detail} {kept}", mend)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it goes from one process to another whole."""
        return type(self), (self.service, self.detail, self.kept, self.mend)

    def after_a_part(self) -> OutOfReach:
        """The same where a part of what was asked for was recorded before."""
        kept = PARTLY_RECORDED if self.kept == NOTHING_CHANGED else self.kept
        error = OutOfReach(self.service, self.detail, kept, self.mend)
        error.partly = True
        return error


class NotAsWritten(LabelsError):
    """The record is not as it was written; says what is found first."""

    exit_code = 6


class NotMailed(LabelsError):
    """What a person waits for is in the outbox still; says why, and that it is sent later."""

    exit_code = 5
