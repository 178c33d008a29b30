"""All checks of a configuration, one after the other; each only reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from adapters.network import Names
from labels.settings import Settings
from usecases.diagnosis import machine, outside
from usecases.diagnosis.finding import Finding


def examine(
    settings: Settings, *, names: Names | None = None, selector: str = "", env_file: Path | None = None
) -> Iterator[Finding]:
    """What is found, check by check.

    Args:
        settings: the configuration.
        names: who is asked for names, where it is not who this machine asks.
        selector: of the mail server's DKIM key, where it is to be looked at.
        env_file: the file that the settings come from, where they do.
    """
    elsewhere: list[tuple[str, datetime]] = []

    def clocks(whose: str, at: datetime) -> None:
        elsewhere.append((whose, at))

    yield from outside.check_addresses(settings, clocks)
    yield from outside.check_prefect_is_closed(settings)
    yield from outside.check_mail(settings, names or Names(), selector)
    yield from outside.check_services(settings, clocks)
    yield from machine.check_databases(settings, clocks)
    yield from machine.check_clock(settings, elsewhere)
    yield from machine.check_secrets(settings)
    yield from machine.check_key_of_record(settings)
    yield from machine.check_files(settings, env_file)
    yield from machine.check_fonts()
    yield from machine.check_signing(settings)
