"""Upkeep: what was interrupted goes on, and mail that could not go out goes out."""

from __future__ import annotations

from prefect import flow

from tasks.upkeep import pass_screening_deadlines, publish_galleries, recover_applications, send_mail


@flow(name="upkeep")
async def upkeep() -> None:
    """Safe to run at any time, and twice at once."""
    pass_screening_deadlines()
    recover_applications()
    publish_galleries()
    send_mail()
