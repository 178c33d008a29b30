"""Which uses of other libraries' insides are in force: each only beside the versions that it was written for.

A patch is whatever leans on a name that a library does not offer. Beside another version, and where `LABELS_PATCHES=off`,
it is off: the library's own way is used, which takes longer. `docs/patches.md` says of each what it does and why.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from labels.settings import load_settings

logger = logging.getLogger("labels.patches")

_PRESS = {"weasyprint": "70.0", "pydyf": "0.13.0"}
_PREFECT = {"prefect": "3.9.1"}


@dataclass(frozen=True)
class Patch:
    """One use of a library's inside."""

    name: str
    module: str
    """Where it is made."""
    written_for: Mapping[str, str]
    """The version of each library that it leans on."""


PATCHES = {
    patch.name: patch
    for patch in (
        Patch("drawings", "adapters.press.patches.drawings", _PRESS),
        Patch("lists", "adapters.press.patches.lists", _PRESS),
        Patch("stamping", "adapters.press.patches.stamping", _PRESS),
        Patch("statements", "adapters.prefect.patches.statements", _PREFECT),
        Patch("remembering", "adapters.prefect.patches.remembering", _PREFECT),
        Patch("reporting", "adapters.prefect.patches.reporting", _PREFECT),
        Patch("draining", "adapters.prefect.patches.draining", _PREFECT),
        Patch("submitting", "workers.warm", _PREFECT),
    )
}
"""All there are, by name."""


def in_force(name: str) -> bool:
    """Whether the patch of that name may be used; where it may not, the log says so, once a process."""
    return not _is_off(name)


@functools.cache
def _is_off(name: str) -> bool:
    if load_settings().patches == "off":
        logger.warning("The patch %r is off, as LABELS_PATCHES says.", name)
        return True
    for library, known in PATCHES[name].written_for.items():
        if (found := version(library)) != known:
            logger.warning(
                "The patch %r is off: it was written for %s %s, and this is %s.", name, library, known, found
            )
            return True
    return False
