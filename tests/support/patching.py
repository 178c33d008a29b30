"""Putting something in the place of a name wherever the project has imported it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

OURS = ("labels.", "adapters.", "usecases.", "tasks.", "flows.", "cli.", "desk.", "workers.")


def everywhere(patch: pytest.MonkeyPatch, original: Any, instead: Any) -> None:
    """`instead` in the place of `original` in every loaded module of the project that knows it, by any name.

    Raises:
        LookupError: no module has it, so that the patch would do nothing.
    """
    found = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.startswith(OURS)
        for name, value in list(vars(module).items())
        if value is original
    ]
    if not found:
        raise LookupError(f"no loaded module has {original!r}")
    for module, name in found:
        patch.setattr(module, name, instead)
