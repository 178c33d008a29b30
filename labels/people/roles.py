"""What a person of an organisation may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person of an organisation may do."""

    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"
