"""The database goes away while it commits: nobody says that nothing was changed where something was, or may be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

import adapters.prefect.client
import adapters.workspace
from adapters.prefect.client import FilledIn
from adapters.workspace import Workspace
from labels.errors import NOT_KNOWN, NOTHING_CHANGED, PARTLY_RECORDED, LabelsError, OutOfReach
from labels.record.engine import Record, as_one, open_engine
from tests.support.going_away import Lost, goes_away
from tests.support.patching import everywhere
from tests.support.small_prefect import SmallPrefect
from tests.support.typed import typed
from tests.usecases.test_doors_agree import ACTS, Doing, Scene, doors_of, left_in, scenes, signed_in
from tests.usecases.test_races import nothing_happens
from usecases.performing import FOLLOWS
from usecases.resuming import take_answer

__all__ = ["scenes"]

Build = Callable[[Doing, str], tuple[Scene, Workspace]]
KNOWN = (NOT_KNOWN, PARTLY_RECORDED, FOLLOWS)
"""What may be said instead."""


def copies(here: Workspace, folder: Path) -> Iterator[Workspace]:
    """The same moment again and again, each time in a record of its own."""
    number = 0
    while True:
        number += 1
        path = folder / f"{number}.db"
        with sqlite3.connect(here.settings.home / "record.db") as source, sqlite3.connect(path) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        record = Record(open_engine(f"sqlite:///{path}"))
        yield replace(here, record=record)
        record.engine.dispose()


def said(door: str, doing: Doing, scene: Scene, here: Workspace, folder: Path) -> str:
    """What somebody is told who does it through a door."""
    with pytest.MonkeyPatch.context() as patch:
        if door == "command line":
            words: list[Any] = []
            for word in doing.command(scene):
                if isinstance(word, dict):
                    (folder / "answer.json").write_text(json.dumps(word), encoding="utf-8")
                    word = "answer.json"
                words.append(word)
            (folder / "grounds.txt").write_text("Not read.", encoding="utf-8")
            patch.chdir(folder)
            everywhere(patch, adapters.workspace.existing_workspace, lambda: here)
            result = typed(*words)
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            return " ".join(result.output.split())
        try:
            if door == "signed in":
                with as_one():  # as the desk has it around each page
                    done = signed_in(doing, scene, here, scene.by(here.record))
                return str(done.outage) if done and done.outage else "done"
            assert doing.form is not None
            patch.setattr(adapters.prefect.client, "get_client", SmallPrefect(nothing_happens).client)
            patch.setattr(
                adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
            )
            return take_answer(
                here, scene.application, "a run", FilledIn(0, {"code": scene.code} | doing.form(scene))
            )
        except LabelsError as error:
            return str(error)


@pytest.mark.sampled
@pytest.mark.parametrize("name", ACTS)
def test_no_door_says_that_nothing_was_changed_where_a_commit_was_under_way(
    name: str, scenes: Build, tmp_path: Path
) -> None:
    doing = ACTS[name]
    scene, here = scenes(doing, "first")
    before = left_in(here.record)
    moments = copies(here, tmp_path)
    for door in doors_of(doing):
        for number, lost in ((1, Lost.COMMIT), (1, Lost.ANSWER), (2, Lost.ANSWER), (3, Lost.COMMIT)):
            there = next(moments)
            with goes_away(there.record, number, lost) as away:
                told = said(door, doing, scene, there, tmp_path)
            if not away.gone:
                break  # it takes fewer transactions
            where = f"{door}, {lost} number {number}: {told}"
            assert NOTHING_CHANGED.casefold().rstrip(".") not in told.casefold(), where
            if left_in(there.record) != before:
                assert any(one in told for one in KNOWN), where


@pytest.mark.parametrize("kind", [sa.exc.OperationalError, sa.exc.InterfaceError])
def test_a_database_that_goes_away_before_any_commit_has_changed_nothing(
    record: Record, kind: type[sa.exc.DBAPIError]
) -> None:
    lost = sqlite3.OperationalError("the connection is closed")
    with pytest.raises(OutOfReach) as told, as_one(), record.writing():
        raise kind("SELECT 1", {}, lost)
    assert told.value.kept == NOTHING_CHANGED
    assert not told.value.partly


@as_one()
def in_two_steps(record: Record, then: Exception) -> None:
    """What somebody asks for: one transaction, and what fails after it."""
    with as_one(), record.writing() as session:
        session.execute(sa.text("SELECT 1"))
    with record.reading():
        raise then


def test_after_a_first_transaction_of_several_a_part_is_recorded(record: Record) -> None:
    lost = sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError("the connection is closed"))
    with pytest.raises(OutOfReach) as told:
        in_two_steps(record, lost)
    assert (told.value.kept, told.value.partly) == (PARTLY_RECORDED, True)
    with pytest.raises(OutOfReach) as prefect:
        in_two_steps(record, OutOfReach("Prefect", "it is not running."))
    assert (prefect.value.kept, prefect.value.partly) == ("Nothing was lost.", True)


def test_a_record_whose_migration_was_cut_off_is_not_said_to_be_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labels.record import engine

    def cut_off(_: sa.Engine) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("server closed the connection"))

    monkeypatch.setattr(engine, "upgrade", cut_off)
    with pytest.raises(OutOfReach, match="How much of its new schema it has is not known") as told:
        engine.migrate(f"sqlite:///{tmp_path / 'record.db'}")
    assert NOTHING_CHANGED not in str(told.value)
