"""Looking for applications that read alike: once for each that is handed in, and keeping fingerprints of those of before."""

from __future__ import annotations

import logging

from adapters.workspace import Workspace
from labels.applications import fingerprints, likeness
from labels.errors import OutOfReach
from labels.record.schema import Application

AT_A_TIME = 2_000
"""Former applications whose fingerprints one upkeep makes, some five milliseconds each."""

LOG = logging.getLogger("labels.likeness")


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
    """Keeps the fingerprints of some applications of an earlier version; how many. Of their likeness nobody is told.

    Each has its own transaction: one whose texts can't be read is told of in the log, and stops none of the others.
    """
    with here.record.reading() as session:
        waiting = fingerprints.without(session, most)
    kept = 0
    for application in waiting:
        try:
            with here.record.writing() as session:
                likeness.keep_fingerprints(session, application)
        except OutOfReach:
            raise
        except Exception:
            LOG.exception("The fingerprints of %s can't be made.", application)
        else:
            kept += 1
    return kept
