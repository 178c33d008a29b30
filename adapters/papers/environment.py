"""The closed Jinja environment of the papers: own templates only, every value plain text.

Values are escaped wherever they land, never compiled; a name that is not given stops the rendering.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from adapters.languages.wording import Texts, direction_of, placed, texts
from labels.settings import PROJECT

__all__ = ["FOLDERS", "TEMPLATES", "Texts", "direction_of", "paper_environment", "texts"]

TEMPLATES = PROJECT / "templates"
FOLDERS = ("certificates", "letters", "gallery", "reports")


def _refuse_nothing(value: Any) -> Any:
    if value is None:
        raise TypeError("a template printed a value that is not there")
    return value


@cache
def paper_environment() -> ImmutableSandboxedEnvironment:
    """The one environment that certificates, letters and galleries are worded in."""
    environment = ImmutableSandboxedEnvironment(
        loader=PrefixLoader({name: FileSystemLoader(TEMPLATES / name) for name in FOLDERS}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_refuse_nothing,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    for name in ("safe", "xmlattr", "urlize", "map", "attr", "tojson"):
        environment.filters.pop(name, None)  # each of them can make markup or reach past a value
    environment.filters["direction"] = direction_of
    environment.filters["placed"] = placed
    return environment
