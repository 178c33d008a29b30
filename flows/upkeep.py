"""Upkeep: deadlines pass, people are reminded, what was interrupted goes on, mail goes out, and the journal is sealed."""

from __future__ import annotations

from prefect import flow

from tasks.upkeep import (
    let_periods_end,
    look_at_the_clock,
    make_indexes,
    pass_deadlines,
    publish_galleries,
    recover_applications,
    remind,
    seal_the_journal,
    send_mail,
    take_up_a_new_key,
    tell_platforms,
)


@flow(name="upkeep")
async def upkeep() -> None:
    """Safe to run at any time, and twice at once."""
    look_at_the_clock()
    take_up_a_new_key()
    pass_deadlines()
    remind()
    recover_applications()
    publish_galleries()
    send_mail()
    tell_platforms()
    let_periods_end()
    seal_the_journal()
    make_indexes()
