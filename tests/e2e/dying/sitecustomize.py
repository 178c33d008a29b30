"""Ends the process that imports it at a moment that a test chose; Python loads it where it is on the path.

`DYING` names a folder with `orders.json`: for each application a list of orders, each with a function
(`module:name`), the moment (`before` or `after` it) and who dies: this process (`self`), with its worker
(`worker`), or the process group of that number. An order is carried out once: then the folder has a file with
the application's name and the number of the order.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(os.environ["DYING"])
ENTRANCE = "tasks.process:register"
"""The first task of a run: tells which application the process is about."""

about = os.environ.get("DYING_FOR", "")


def die(moment: str, target: str) -> None:
    """Carries out the order for this moment, if there is one and it was not carried out before."""
    for number, order in enumerate(json.loads((FOLDER / "orders.json").read_text()).get(about, [])):
        if [order["when"], order["at"]] != [moment, target]:
            continue
        try:
            os.close(os.open(FOLDER / f"{about}-{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        if isinstance(order["who"], int):
            os.killpg(order["who"], signal.SIGKILL)
            return
        if order["who"] == "worker":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def mortal(function: Callable[..., Any], target: str) -> Callable[..., Any]:
    """The same function, which may be the last that the process calls."""

    def entered(args: tuple[Any, ...]) -> None:
        global about
        if target == ENTRANCE:
            about = args[0]
        die("before", target)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            entered(args)
            result = await function(*args, **kwargs)
            die("after", target)
            return result

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        entered(args)
        result = function(*args, **kwargs)
        die("after", target)
        return result

    return called


def patch(module: ModuleType, names: Sequence[str]) -> None:
    """Makes functions, methods and tasks of a module mortal."""
    for name in names:
        *path, last = name.split(".")
        owner: Any = functools.reduce(getattr, path, module)
        found = inspect.getattr_static(owner, last)
        target = f"{module.__name__}:{name}"
        if hasattr(found, "fn"):  # a task
            found.fn = mortal(found.fn, target)
        elif isinstance(found, classmethod):
            setattr(owner, last, classmethod(mortal(found.__func__, target)))
        else:
            setattr(owner, last, mortal(found, target))


class Finder(importlib.abc.MetaPathFinder):
    """Patches the modules that orders name, as soon as they are imported."""

    def __init__(self, targets: dict[str, list[str]]) -> None:
        self._targets = targets

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        names = self._targets.pop(fullname, None)
        if names is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        loader: Any = spec.loader
        original = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            original(module)
            patch(module, names)

        loader.exec_module = exec_module
        return spec


def targets() -> dict[str, list[str]]:
    """Which functions of which modules the orders name."""
    found: dict[str, list[str]] = {}
    orders = json.loads((FOLDER / "orders.json").read_text())
    for one in {ENTRANCE, *(order["at"] for several in orders.values() for order in several)}:
        module, _, name = one.partition(":")
        found.setdefault(module, []).append(name)
    return found


if (FOLDER / "orders.json").exists():
    sys.meta_path.insert(0, Finder(targets()))
