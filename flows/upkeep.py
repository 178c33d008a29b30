"""Upkeep: what was interrupted goes on, and mail that could not go out goes out."""

from __future__ import annotations

from prefect import flow

from tasks.upkeep import recover_applications, send_mail


@flow(name="upkeep")
async def upkeep() -> None:
    """Safe to run at any time, and twice at once."""
    recover_applications()
    send_mail()
