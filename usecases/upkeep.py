"""Upkeep: what is due is done once, whoever asks for it."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

import sqlalchemy as sa

from adapters.fonts import missing_characters
from adapters.mail.delivery import Delivered
from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.workspace import Workspace
from labels.answering import deadlines, reminders
from labels.clock import in_words
from labels.errors import InvalidInput, LabelsError, NotAllowed, OutOfReach
from labels.mending import Recover, SetClock, StartServices
from labels.record import clocks
from labels.record.schema import Application, Organisation
from labels.rules.loading import load_rules
from labels.views import stuck
from labels.views.stuck import Problem, Stuck
from usecases import recovering, webhooks
from usecases.bounces import take_in_mailbox
from usecases.clearing import clear_nightly
from usecases.cycles import publish_stale
from usecases.erasures import note_erasures, read_register
from usecases.finding import make_index
from usecases.keys import take_up
from usecases.likeness import keep_former_fingerprints
from usecases.privacy import erase_again, is_night, tidy
from usecases.recovering import recover
from usecases.sealing import seal_journal
from usecases.staffing import end_due
from usecases.webhooks import Called

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one upkeep did."""

    left: list[str]
    """Who left a staff today."""
    deadlines: list[str]
    reminded: list[str]
    recovered: dict[str, str]
    galleries: list[int]
    mail: Delivered
    sealed: int
    """Entries of the journal."""
    platforms: Called
    """What platforms were told at their webhooks."""
    left_out: OutOfReach | None = None
    """What could not be done since Prefect's server is away; nothing is lost by that."""
    not_stamped: OutOfReach | None = None
    """The time-stamp service is away: the head of the journal's chain has no time stamp yet."""
    wrong: tuple[str, ...] = ()
    """What is wrong with the clock, the secret key, mail that came back or the store, or who came back with a restore, if anything is."""


def make_indexes(here: Workspace) -> None:
    """Makes what a record of an earlier version lacks: the index of the registry's names, fingerprints of texts."""
    make_index(here)
    keep_former_fingerprints(here)


def clock_ran_backwards(here: Workspace) -> str:
    """What is wrong with the clock where something in the record is of a later time; empty where nothing is."""
    now = here.now()
    with here.record.reading() as session:
        newest = clocks.ahead(session, now)
    if newest is None:
        return ""
    return (
        f"The clock says {in_words(now)}, but the journal was written to at {in_words(newest)}: it runs backwards, or "
        "ran ahead. Deadlines and the order of what happened go by it; set it right before anything is decided."
    )


def tell_platforms(here: Workspace) -> Called:
    """Tells platforms what the desk's process did not come to tell; what came of it."""
    called = webhooks.tell(here)
    webhooks.forget_told(here)
    return called


def take_in_what_came_back(here: Workspace) -> str:
    """Reads the mailbox of mail that came back; what is wrong with it, empty where nothing is.

    Anybody can write to it, so whatever is in it must not keep the rest of upkeep from being done.
    """
    try:
        take_in_mailbox(here)
    except Exception as error:
        why = str(error) if isinstance(error, LabelsError) else f"{type(error).__name__}: {error}"
        _log.exception("mail that came back")
        return f"Mail that came back was not read to its end: {why}"
    return ""


def erase_who_came_back(here: Workspace) -> list[str]:
    """Erases again who came back with a restore; whom, or why the register can't be read.

    At night it notes erasures that were not noted yet, since their process ended just then.
    A register that is damaged must not keep the rest of upkeep from being done.
    """
    try:
        if is_night(here):
            note_erasures(here)
        damage = read_register(here.settings.erasures_file).damage
        told = [f"Erasures: {damage}"] if damage else []
        return [*told, *map(str, erase_again(here))]
    except InvalidInput as error:
        return [str(error)]


def clear_store(here: Workspace) -> str:
    """Deletes at night what nobody claims; why it was refused, empty where it was not."""
    try:
        clear_nightly(here)
    except NotAllowed as error:
        return str(error)
    return ""


def keep_up(here: Workspace) -> Kept:
    """All of upkeep at once, also without Prefect's server: then runs are brought back by the next one."""
    wrong = tuple(filter(None, (clock_ran_backwards(here), take_up(here).stranger)))
    left = [f"{one.name}: {one.worded}" for one in end_due(here)]
    passed = [
        f"{one.step}: {one.did}"
        for one in deadlines.pass_deadlines(here.record, now=here.now(), key=here.key)
    ]
    reminded = reminders.remind(here.record, now=here.now())
    recovered: dict[str, str] = {}
    left_out = None
    try:
        with prefect_client() as client:
            recovered = {one.application: one.did for one in recover(here, client)}
    except OutOfReach as error:
        left_out = error
    galleries = publish_stale(here)
    mail = send_due(here)
    wrong = tuple(filter(None, (*wrong, take_in_what_came_back(here))))
    wrong = (*wrong, *erase_who_came_back(here))
    tidy(here)
    platforms = tell_platforms(here)
    wrong = tuple(filter(None, (*wrong, clear_store(here))))
    journal = seal_journal(here)
    make_indexes(here)
    return Kept(
        left,
        passed,
        reminded,
        recovered,
        galleries,
        mail,
        journal.sealed.entries,
        platforms,
        left_out,
        journal.left_out,
        wrong,
    )


def look_for_stuck(here: Workspace) -> list[Stuck]:
    """Everything that does not go on by itself; changes nothing."""
    wrong = clock_ran_backwards(here)
    with here.record.reading() as session:
        found = stuck.stuck(session, here.now(), missing_characters)
        if wrong:
            found.append(Stuck(problem=Problem.CLOCK, subject="clock", reason=wrong, mend=SetClock()))
        central = session.scalar(sa.select(Organisation.id).where(Organisation.kind == "CSS").limit(1))
        if central is not None:
            with contextlib.suppress(InvalidInput):  # of broken rule files, `labels rules` tells
                found += stuck.missed(
                    session, here.now(), lambda day: load_rules(central, day, here.settings.rules)
                )
        try:
            with prefect_client() as client:
                ailing = recovering.ailing(here, client)
        except OutOfReach as error:
            found.append(
                Stuck(
                    problem=Problem.PREFECT_AWAY, subject="Prefect", reason=f"{error}", mend=StartServices()
                )
            )
            ailing = []
        for identifier, reason in ailing:
            one = session.get_one(Application, identifier)
            found.append(
                Stuck(
                    problem=Problem.RUN_AILING, subject=one.id, organisation=one.organisation, stage=one.stage.value,
                    since=one.stage_since, reason=f"{reason[0].upper()}{reason[1:]}.", mend=Recover(),
                )
            )  # fmt: skip
    return stuck.in_order(found)
