"""What came of an answer: accepted, or refused and why."""

from __future__ import annotations

from dataclasses import dataclass

from labels.errors import LabelsError, NotAllowed
from labels.mending import Mend


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer was not accepted; the step stays open and what was typed is stored."""

    why: str
    error: LabelsError | None = None
    noted: bool = False
    """Whether the journal has an entry of it already."""
    mailed: str | None = None
    """The application (or award) for which a new code waits to be mailed, in place of one tried too often."""
    replace: bool = False
    """Whether this person can't answer any more at all, so that the run is to look again and ask somebody else."""
    mend: Mend | None = None
    """What mends it, for the door to word."""

    def as_error(self) -> LabelsError:
        """The refusal as an error, for a door that ends with it."""
        return self.error or NotAllowed(self.why, self.mend)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an accepted answer did, in a sentence for the person who gave it."""

    application: str
    remark: str
    made: str = ""
    """What came of it, where somebody asks for it by name: the id of a step, the number of a draft."""
    concerned: tuple[str, ...] | None = None
    """The applications whose runs are to look at the record, where it is not just this one."""
    mend: Mend | None = None
    """What is left to do, for the door to word."""

    @property
    def news_for(self) -> tuple[str, ...]:
        """The applications whose runs have something new to look at."""
        return (self.application,) if self.concerned is None else self.concerned
