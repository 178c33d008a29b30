"""One application's whole life while a service around it fails for a time: whoever was told that something is away comes
back later, as people and upkeep do, and in the end everything must be as if nothing had failed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import typer

from adapters.workspace import Workspace
from cli.words import worded
from labels.errors import LabelsError
from labels.record import Record
from tests.support.killing import Fate
from tests.support.small_world import A_WHILE, Story, World
from usecases.checking import check

LASTS = 3
"""For so many turns in which nothing goes on the fault lasts."""
LATER = 12
"""Times `A_WHILE` in a turn without anything to do, once it is mended: what was refused for good is tried after hours."""


class Faulty(Protocol):
    """A service that can be made to fail."""

    def begin(self) -> None:
        """From now on it fails."""

    def mend(self) -> None:
        """It does so no more."""


class FaultyWorld(World):
    """A world in which a fault begins with one of its turns, and is mended some time later."""

    def __init__(
        self, story: Story, home: Path, record: Record, fault: Faulty | None = None, strikes: int = 0
    ) -> None:
        super().__init__(story, home, record, Fate())
        self.fault = fault
        self.strikes = strikes
        self.failing = False
        self.told: list[str] = []
        """What people and operators were told while it failed."""
        self.turns = 0
        self._idle = 0

    def placed(self, change: Callable[[Workspace], Workspace]) -> None:
        """Has another part in the place of one of the workspace's."""
        self.here = change(self.here)

    def live(self, prefect_is_lost_with_it: bool = False) -> None:
        """The whole life; whenever something is away, a while passes and everybody begins again."""
        with self._in_place():
            while self.turns < 600:
                self.turns += 1
                if self.fault and self.turns == self.strikes:
                    self.fault.begin()
                    self.failing = True
                going = True
                try:
                    going = self._go_on()
                except (typer.Exit, LabelsError) as error:
                    self.told.append(str(error))
                    self._pass_time()
                if self.failing and (self._idle >= LASTS or not going):
                    assert self.fault is not None
                    self.fault.mend()
                    self.failing = False
                elif not going:
                    assert self.fault is None or self.turns >= self.strikes, f"over after {self.turns} turns"
                    return
        raise AssertionError(f"it does not end: {self.remains()} after {self.told}")

    def _pass_time(self) -> None:
        self._idle += self.failing
        for _ in range(1 if self.failing or not self.told else LATER):
            self.time += A_WHILE
            self.prefect.age(A_WHILE)

    def _command(self, command: Callable[..., None], **arguments: Any) -> str:
        printed, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
            try:
                worded(command)(as_json=True, **arguments)
            except typer.Exit as ended:
                self.told.append(" ".join(told.getvalue().split()))
                if ended.exit_code != 3:  # which says that it counts already
                    raise
        return printed.getvalue()

    def checked(self) -> list[str]:
        """What the checker finds that does not hold."""
        with self._in_place():
            return [str(one) for one in check(self.here, read_documents=True).breaches]
