"""What mends it, in the command line's words: a command that there is, with what it concerns filled in."""

from __future__ import annotations

import ast
import dataclasses
import pickle
import re
import typing
from datetime import date
from pathlib import Path

import pytest

from cli.app import TABLE, loaded
from cli.mending import advice, command, said
from labels.errors import Fault, LabelsError, NotAllowed, OutOfReach
from labels.mending import AskForCode, ImportRegistry, Mend, NameColumn, Recover, SetClock, StartServices
from labels.settings import PROJECT

SAMPLES = {"str": "NQL-1", "int": 2026, "date": date(2026, 3, 16)}
MENDS: list[Mend] = [
    kind(*(SAMPLES[field.type] for field in dataclasses.fields(kind)))  # type: ignore[index]  # all are annotated by name
    for kind in typing.get_args(Mend)
]


@pytest.mark.parametrize("mend", MENDS, ids=lambda mend: type(mend).__name__)
def test_every_mend_is_worded_with_a_command_that_there_is(mend: Mend) -> None:
    worded = command(mend)
    assert worded in advice(mend)
    if worded.startswith("--"):
        return  # an option of the command that was given
    if isinstance(mend, SetClock):
        return  # a command of the machine's
    named = re.findall(r"labels ([a-z-]+)", worded)
    assert named
    options = {option for name in named for one in loaded(name).params for option in one.opts}
    assert set(re.findall(r"--[a-z]+", worded)) <= options
    for field in dataclasses.fields(mend):
        assert str(getattr(mend, field.name)) in worded


def test_what_was_refused_is_said_with_the_command_that_mends_it() -> None:
    refused = NotAllowed("The code is not valid.", AskForCode("NQL-1", "o'hara@school.example"))
    assert said(refused) == (
        "The code is not valid. Ask for one with: labels code NQL-1 --as 'o'\"'\"'hara@school.example'"
    )
    assert said(NotAllowed("No.")) == "No."
    fault = Fault("names.csv", "has no header.", "Say which column it is.", NameColumn())
    assert said(fault) == (
        "names.csv: has no header. Say which column it is. The option for that is: --column 1"
    )
    assert command(ImportRegistry()) == "labels import DIR"


@pytest.mark.parametrize(
    "error",
    [OutOfReach("Prefect's server", "It is away.", mend=StartServices()), NotAllowed("No.", Recover())],
)
def test_an_error_goes_from_one_process_to_another_with_what_mends_it(error: LabelsError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), again.mend) == (type(error), str(error), error.mend)


COMMANDS = re.compile(rf"\blabels (?:{'|'.join(row.name for row in TABLE)})\b|(?<![\w-])--[a-z][a-z-]*")
OF_A_DOOR = {
    "adapters/languages/translations.py": "tells translators which command writes the file that they have before them",
    "adapters/record_copies.py": "gives PostgreSQL's own programs their options",
    "usecases/diagnosis/examining.py": "what an operator is told to do, who has no other door",
    "usecases/diagnosis/machine.py": "the same",
    "usecases/diagnosis/outside.py": "the same",
    "usecases/watching.py": "the same, of how each part is",
    "usecases/keys.py": "the same, of keys, which the operator replaces",
    "usecases/clearing.py": "the same, of documents that nobody claims",
    "usecases/bounces.py": "the same, of mail that came back",
    "usecases/backup.py": "the same, of copies",
    "usecases/privacy.py": "the same, of erasures that are to be done again",
    "usecases/rehearsing/planning.py": "the same, of what a rehearsal is to play",
    "usecases/rehearsing/rehearsal.py": "the same",
    "labels/record/installation.py": "the same, of a record that belongs to another installation",
    "adapters/prefect/installed.py": "the same, of Prefect's server",
    "adapters/roles.py": "the option of `labels up` that says which part is meant",
    "adapters/mail/acting.py": "the one place that says in a mail how one acts on it",
}
"""Modules whose own words are for one door."""


def sentences(path: Path) -> list[str]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told)
    return [node.value for node in texts if isinstance(node.value, str)]


@pytest.mark.parametrize("room", ["labels", "adapters", "usecases", "tasks", "flows"])
def test_no_command_stands_in_what_other_doors_say_too(room: str) -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {text}"
        for path in sorted((PROJECT / room).rglob("*.py"))
        if str(path.relative_to(PROJECT)) not in OF_A_DOOR
        for text in sentences(path)
        if COMMANDS.search(text)
    ]
    assert found == []
