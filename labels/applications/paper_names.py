"""The names of an application's papers."""

from __future__ import annotations

from labels.record.schema import Application

# Papers -----------------------------------------------------------------------------------------


def paper_name(application: Application, kind: str) -> str:
    """The file name of a certificate or letter: `letter-NQL-….pdf`, `letter-NQL-…-2.pdf` on appeal."""
    suffix = f"-{application.instance}" if application.instance > 1 else ""
    return f"{kind}-{application.id}{suffix}.pdf"
