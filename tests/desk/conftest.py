"""The desk's tests begin with what was typed in a terminal."""

from __future__ import annotations

from tests.cli.conftest import terminal

__all__ = ["terminal"]
