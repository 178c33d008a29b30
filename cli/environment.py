"""What the environment says before settings are loaded: variables, and the `.env` file that settings are read from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def environment() -> Mapping[str, str]:
    """The variables of this process over those of its `.env` file, as `load_settings` reads them; names in capitals."""
    file = os.environ.get("LABELS_ENV_FILE", ".env")
    own = {name.upper(): value for name, value in os.environ.items()}
    if not file or not Path(file).is_file():
        return own
    # With the program that the settings read it with, for the seldom case that there is such a file.
    from dotenv import dotenv_values

    said = {
        name.upper(): value
        for name, value in dotenv_values(file, encoding="utf8").items()
        if value is not None
    }
    return said | own


def home() -> Path:
    """The folder that `LABELS_HOME` names, of real use."""
    return Path(environment().get("LABELS_HOME", ".labels")).expanduser().absolute()
