"""What is accepted: kinds of file, how many and how large, and how a complaint is put."""

from __future__ import annotations

import math
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, PositiveInt

from labels.rules.model import Limits

MIB = 2**20

Complaint = tuple[str, str]
"""What is wrong with a file, and what to do about it."""


class MediaType(StrEnum):
    """The kinds of file that are accepted (CONTRACT: evidence files)."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    ODT = "application/vnd.oasis.opendocument.text"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    MP4 = "video/mp4"


class UploadLimits(BaseModel):
    """How much may be handed in with one application, and how much of it a file may unfold to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_bytes: PositiveInt = 20 * MIB
    total_bytes: PositiveInt = 100 * MIB
    files: PositiveInt = 100
    picture_pixels: PositiveInt = 64_000_000
    archive_entries: PositiveInt = 2_000
    archive_bytes: PositiveInt = 200 * MIB
    archive_ratio: PositiveInt = 200
    """How many times its size an entry above 1 MiB may unfold to."""
    pdf_objects: PositiveInt = 300_000

    @classmethod
    def within(cls, rules: Limits) -> UploadLimits:
        """What the rules of an organisation let be handed in."""
        return cls(file_bytes=rules.upload_mib.value * MIB, total_bytes=rules.uploads_mib.value * MIB)


DEFAULT_LIMITS = UploadLimits()


def mib(size: int) -> str:
    """A size for people, rounded up: what is above a limit reads as above it."""
    return f"{math.ceil(size * 10 / MIB) / 10:.1f}".removesuffix(".0") + " MiB"
