"""Looking for applications that read alike: once for each that is handed in, and keeping fingerprints of those of before."""

from __future__ import annotations

from adapters.workspace import Workspace
from labels.applications import fingerprints, likeness
from labels.record.schema import Application

AT_A_TIME = 2_000
"""Former applications whose fingerprints one upkeep makes, some five milliseconds each."""

TOGETHER = 50
"""Those of one transaction: nobody who writes waits longer for it than a quarter of a second."""


def look_for_likeness(here: Workspace, application_id: str) -> bool:
    """Looks once for what an application reads like, and tells its coordinator; whether it was looked for now.

    Its texts are read before the transaction, in which nobody else can write.
    """
    with here.record.reading() as session:
        if fingerprints.are_kept(session, application_id):
            return False
        readings = likeness.readings_of(session, session.get_one(Application, application_id))
    for reading in readings.values():
        reading.prepare()
    with here.record.writing() as session:
        return likeness.look(here.turn(session), application_id, readings)


def keep_former_fingerprints(here: Workspace, most: int = AT_A_TIME) -> int:
    """Keeps the fingerprints of some applications of an earlier version; how many. Of their likeness nobody is told."""
    with here.record.reading() as session:
        waiting = fingerprints.without(session, most)
    for first in range(0, len(waiting), TOGETHER):
        with here.record.writing() as session:
            for application in waiting[first : first + TOGETHER]:
                likeness.keep_fingerprints(session, application)
    return len(waiting)
