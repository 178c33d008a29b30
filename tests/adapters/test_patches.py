"""What leans on the inside of other libraries: all of it is listed, and is off where it may not be used."""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import patches
from adapters.patches import PATCHES, in_force
from labels.settings import PROJECT
from tests.test_house import versions

OURS = ("labels", "adapters", "usecases", "tasks", "flows", "cli", "desk", "workers")
DOCUMENTED = {"_asdict", "_make", "_replace", "_fields", "_mapping", "_exit"}
"""Names that begin like private ones, and that their libraries document: named tuples', SQLAlchemy's rows', `os._exit`."""


@pytest.fixture(autouse=True)
def _nothing_is_known_yet() -> Iterator[None]:
    patches._is_off.cache_clear()
    yield
    patches._is_off.cache_clear()


def private_names(path: Path) -> Iterator[str]:
    """The private names in a file that no line of it defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    own = {
        one.name for one in nodes if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    own |= {one.attr for one in nodes if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)}
    own |= {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    for one in nodes:
        if isinstance(one, ast.Attribute) and re.match("_(?!_)", one.attr) and one.attr not in own:
            yield one.attr
        if isinstance(one, ast.ImportFrom) and one.module and one.module.partition(".")[0] not in OURS:
            whole = [*one.module.split("."), *(name.name for name in one.names)]
            yield from (name for name in whole if re.match("_(?!_)", name))


@pytest.mark.slow
def test_private_names_of_others_are_used_in_patches_alone() -> None:
    found = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for folder in OURS
        for path in (PROJECT / folder).rglob("*.py")
        if set(private_names(path)) - DOCUMENTED
    }
    helped = {"adapters.press.patches.lines"}  # of stamping
    assert found <= {patch.module for patch in PATCHES.values()} | helped


def test_the_list_of_patches_is_the_one_in_the_document() -> None:
    document = (PROJECT / "docs/patches.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| `([\w/.]+)\.py` \| ([^|]+) \| `([\w/.]+)` \|", document, re.MULTILINE)
    assert {name: (module.replace("/", "."), known) for name, module, known, _ in told} == {
        patch.name: (
            patch.module,
            ", ".join(f"{library} {version}" for library, version in patch.written_for.items()),
        )
        for patch in PATCHES.values()
    }
    for _, _, _, test in told:
        assert (PROJECT / test).is_file(), f"{test} is not there"


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_was_written_for_what_is_locked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PATCHES[name].written_for.items() <= versions("runtime").items()
    monkeypatch.delenv("LABELS_PATCHES", raising=False)
    assert in_force(name)
    importlib.import_module(PATCHES[name].module)


@pytest.mark.parametrize("name", PATCHES)
def test_beside_another_version_a_patch_is_off_and_says_so_once(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patches, "version", lambda _: "0.1")
    with caplog.at_level(logging.WARNING, logger="labels.patches"):
        assert not any(in_force(name) for _ in range(3))
    [said] = caplog.messages
    assert name in said
    assert "this is 0.1" in said


@pytest.mark.parametrize("name", PATCHES)
def test_one_setting_switches_every_patch_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELS_PATCHES", "off")
    assert not in_force(name)


def test_what_the_worker_overrides_is_there_to_be_overridden() -> None:
    from prefect.workers.base import BaseWorker

    from workers.warm import WarmWorker

    private = {
        name
        for name in vars(WarmWorker)
        if re.match("_(?!_)", name) and inspect.isfunction(vars(WarmWorker)[name])
    }
    overridden = {name for name in private if hasattr(BaseWorker, name)}
    assert overridden == {
        "_submit_scheduled_flow_runs", "_submit_run", "_give_worker_labels_to_flow_run", "_propose_submitting_state",
        "_get_scheduled_flow_runs",
    }  # fmt: skip
    for name in overridden:
        ours, theirs = (
            inspect.signature(getattr(WarmWorker, name)),
            inspect.signature(getattr(BaseWorker, name)),
        )
        assert list(ours.parameters) == list(theirs.parameters)
    called = {"_propose_pending_state", "_submit_run_and_capture_errors", "_release_limit_slot"}
    assert called <= vars(BaseWorker).keys()
    source = inspect.getsource(BaseWorker)
    for name in [*overridden, *called, "_runs_task_group", "_submitting_flow_run_ids"]:
        assert f"self.{name}" in source, f"Prefect does not call {name} any more"
