"""Stage one of the School Label: every school is checked, and the eligible ones are invited."""

from __future__ import annotations

from datetime import date

from prefect import flow

from tasks.preselection import (
    begin_the_round,
    check_every_school,
    invite_the_schools,
    send_the_invitations,
    show_the_round,
    start_the_applications,
)


@flow(name="school-label-preselection")
async def preselection(on: date | None = None) -> int:
    """A year's round, by the registry as it is on the day of the check; returns how many schools are invited.

    It may run again from the first line at any time: what is checked stays, who is invited is not
    invited again, and the rest is done.
    """
    year = begin_the_round(on)
    check_every_school(year)
    invite_the_schools(year)
    send_the_invitations()
    start_the_applications(year)
    return show_the_round(year)
