"""People's rights in their data: a plan of an erasure, the erasure, and what it deletes outside the record."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from adapters.files import place
from adapters.mail.transports import digest_in_name
from adapters.workspace import Workspace
from labels.clock import BRUSSELS, brussels_day
from labels.errors import LabelsError, NotAllowed, NotFound, OutOfReach
from labels.privacy import erasing, holds, register, retention, telling
from labels.privacy.erasing import Erased, NotErased
from labels.privacy.register import Back
from labels.privacy.retention import periods
from labels.privacy.subject import Subject, find, subject_of
from labels.record import sealing
from labels.record.chain import canonical
from labels.record.documents import unnamed
from labels.record.engine import forgetting
from labels.record.schema import Deletion, DeletionKind
from labels.turn import Door
from usecases.cycles import publish_stale
from usecases.erasures import note_erasures, read_register
from usecases.sealing import seal_journal

NIGHT = 3
"""The hour in Brussels in which periods end: it takes a look at every message, and hardly anybody works."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do, and by which word it is done."""

    erased: Erased

    @property
    def word(self) -> str:
        """By which the erasure is asked for: another one where something else would go."""
        what = [self.erased.subject.person, dict(self.erased.counts), list(self.erased.blocked)]
        return hashlib.sha256(canonical(what)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What came of deleting what lies outside the record."""

    done: int
    left: int
    """What is still to be deleted; upkeep tries again."""
    outages: tuple[LabelsError, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """Somebody whose data came back with a restore."""

    person: str
    erased_at: datetime
    """When it was erased first."""
    left_because: str
    """Why it could not be erased again; empty where it was."""
    deferred: bool = False
    """Whether an operator lets the services run all the same."""

    def __str__(self) -> str:
        first = f"{self.person}, erased on {brussels_day(self.erased_at)}, came back with a restore"
        return (
            f"{first} and can’t be erased again: {self.left_because}"
            if self.left_because
            else f"{first} and is erased again."
        )


class _PlanOnly(Exception):
    """Takes a plan out of the transaction in which it was made, which is thrown away."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("only planned")
        self.plan = plan


def plan_erasure(here: Workspace, typed: str) -> Plan:
    """What would be erased of a person; changes nothing but that the journal is sealed up to now.

    Raises:
        NotFound: nobody is known by that.
        NotAllowed: several people are.
    """
    sealing.seal(here.record, now=here.now())
    try:
        with here.record.writing() as session:
            subject = find(session, typed)
            if why := erasing.blocked(session, subject):
                return Plan(Erased(subject, "", {}, why))
            raise _PlanOnly(Plan(erasing.erase(here.turn(session), subject, "")))
    except _PlanOnly as planned:
        return planned.plan


def erase_person(here: Workspace, typed: str, word: str, reason: str) -> tuple[Erased, Deleted]:
    """Erases a person as planned: all of it in the record, then what lies outside, as far as it can be reached.

    Raises:
        NotAllowed: something is in the way, or something else would go than was planned.
        NotErased: something of theirs would be left.
        InvalidInput: it can't be noted beside the record; all of theirs is erased.
    """
    sealing.seal(here.record, now=here.now())
    with here.record.writing() as session, forgetting(session):
        subject = find(session, typed)
        if why := erasing.blocked(session, subject):
            raise NotAllowed(" ".join(why))
        erased = erasing.erase(here.turn(session, Door.COMMAND_LINE), subject, reason)
        if Plan(erased).word != word:
            raise NotAllowed(f"Something else would go than in the plan {word}; look at a new one.")
    try:
        note_erasures(here)
    finally:
        deleted = _finish(here, [subject])
    return erased, deleted


def _finish(here: Workspace, subjects: Sequence[Subject]) -> Deleted:
    """What follows an erasure outside the record."""
    here.record.forget()
    for subject in subjects:
        _blacken_logs(here.settings.home / "logs", subject)
    with contextlib.suppress(OutOfReach):  # upkeep makes it again once the store answers
        publish_stale(here)
    deleted = delete_outside(here)
    seal_journal(here)
    return deleted


def erase_again(here: Workspace) -> list[ErasedAgain]:
    """Erases whom the register names and an earlier copy of the record brought back; whoever can't be erased now is
    told with the reason, and tried again by upkeep. Twice is as once.

    Of whom it names and who is not here, the record notes that: whoever is registered under that id later stays.

    Raises:
        InvalidInput: the register can't be read.
        OutOfReach: the database does not answer.
    """
    noted = read_register(here.settings.erasures_file).noted
    if not noted:
        return []
    with here.record.reading() as session:
        compared = register.compare(session, noted)
    if compared.absent:
        with here.record.writing() as session:
            register.note_absent(here.turn(session), compared.absent)
    found, subjects = [], []
    for back in compared.back:
        sealing.seal(here.record, now=here.now())
        why = _erase_again(here, back)
        if why is None:
            continue
        last = max(one.at for one in back.former)
        found.append(ErasedAgain(back.subject.person, last, why, back.deferred))
        if not why:
            subjects.append(back.subject)
    if subjects:
        _finish(here, subjects)
    return found


def _erase_again(here: Workspace, back: Back) -> str | None:
    """Why it could not be done; empty where it was, None where another process was faster."""
    last = max(one.at for one in back.former)
    reason = f"Erased on {brussels_day(last)} already, and back by a restore."
    try:
        with here.record.writing() as session, forgetting(session):
            subject = subject_of(session, back.subject.person)
            if subject.is_erased:
                return None
            if why := erasing.blocked(session, subject):
                return " ".join(why)
            erasing.erase(here.turn(session), subject, reason, again={one.erasure for one in back.former})
    except NotErased as error:
        return str(error)
    return ""


def see_that_nobody_is_back(here: Workspace) -> list[str]:
    """Before people see the record: erases again who came back with a restore; whom, and what is wrong with the register.

    Raises:
        NotAllowed: somebody can't be erased again, and no operator deferred it.
        InvalidInput: the register can't be read.
        OutOfReach: the database does not answer.
    """
    again = erase_again(here)
    if left := [one for one in again if one.left_because and not one.deferred]:
        told = " ".join(map(str, left))
        raise NotAllowed(f"{told} Nothing is started, so that nobody sees their data. {what_to_do_for(left)}")
    damage = read_register(here.settings.erasures_file).damage
    return [*map(str, again), *([f"Erasures: {damage}"] if damage else [])]


def what_to_do_for(left: Sequence[ErasedAgain]) -> str:
    """The way on where people can't be erased again."""
    commands = ", ".join(f"labels privacy defer {one.person} --reason …" for one in left)
    return (
        "Mend what is in the way and give the command again; where that needs the services or time, let them run all "
        f"the same, and upkeep erases them once it can: {commands}"
    )


def defer_erasure(here: Workspace, typed: str, reason: str) -> Subject:
    """Lets the services run although somebody who was erased is here again and can't be erased yet.

    Raises:
        NotFound: nobody is known by that.
        NotAllowed: several people are; no erasure of theirs is to be done again; or that was said already.
        InvalidInput: the register can't be read.
    """
    noted = read_register(here.settings.erasures_file).noted
    with here.record.writing() as session:
        subject = find(session, typed)
        backs = [one for one in register.compare(session, noted).back if one.subject.person == subject.person]
        if not backs:
            raise NotAllowed(f"No erasure of {subject.person} is to be done again.")
        register.defer(here.turn(session, Door.COMMAND_LINE), backs[0], reason)
    return subject


def place_hold(here: Workspace, typed: str, reason: str) -> Subject:
    """Keeps a person's data, whatever its period is.

    Raises:
        NotAllowed: a hold lies on it already.
    """
    with here.record.writing() as session:
        subject = find(session, typed)
        holds.place(here.turn(session, Door.COMMAND_LINE), subject, reason)
    return subject


def lift_hold(here: Workspace, typed: str, reason: str) -> Subject:
    """Ends a hold.

    Raises:
        NotAllowed: there is none.
    """
    with here.record.writing() as session:
        subject = find(session, typed)
        holds.lift(here.turn(session, Door.COMMAND_LINE), subject, reason)
    return subject


def tell_person(here: Workspace, typed: str, file: Path) -> int:
    """Puts everything that the record knows of a person into a ZIP, for people, for programs, and their documents;
    how many documents.

    Raises:
        NotFound: nobody is known by that.
        NotAllowed: several people are.
    """
    with here.record.reading() as session:
        told = telling.tell(session, find(session, typed), periods(here.settings.retention), here.now())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(told.data, ensure_ascii=False, indent=2))
        archive.writestr("your-data.txt", telling.in_words(told.data))
        there = 0
        for one in told.files:
            with contextlib.suppress(NotFound):  # its period is over
                archive.writestr(f"documents/{one.name}", here.documents.get(one.key))
                there += 1
    place(file, content.getvalue())
    return there


def let_periods_end(here: Workspace, *, dry: bool) -> dict[str, int]:
    """Removes what is past its period, and what lies outside the record with it; with `dry`, only counts it."""
    kept = periods(here.settings.retention)
    try:
        with here.record.writing() as session:
            counts = retention.let_go(here.turn(session), kept)
            session.flush()
            if dry:
                raise _Counted(counts)
    except _Counted as counted:
        return counted.counts
    delete_outside(here)
    return counts


def is_night(here: Workspace) -> bool:
    """Whether it is the hour in which periods end."""
    return here.now().astimezone(BRUSSELS).hour == NIGHT


def tidy(here: Workspace) -> None:
    """What upkeep does: deletes what is still noted outside the record, and at night what is past its period."""
    if is_night(here):
        let_periods_end(here, dry=False)
    else:
        delete_outside(here)


class _Counted(Exception):
    """Takes counts out of a transaction that is thrown away."""

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__("only counted")
        self.counts = counts


# Outside the record -------------------------------------------------------------------------------


def delete_outside(here: Workspace) -> Deleted:
    """Deletes what erasures noted and could not be deleted yet; safe at any time and twice at once."""
    with here.record.reading() as session:
        noted = session.scalars(
            sa.select(Deletion).where(Deletion.done_at.is_(None)).order_by(Deletion.id)
        ).all()
    done: list[int] = []
    outages: dict[str, LabelsError] = {}
    for one in noted:
        if one.kind.value in outages:
            continue
        try:
            _delete(here, one)
        except OutOfReach as error:
            outages[one.kind.value] = error
        else:
            done.append(one.id)
    if done:
        with here.record.writing() as session:
            session.execute(sa.update(Deletion).where(Deletion.id.in_(done)).values(done_at=here.now()))
    return Deleted(len(done), len(noted) - len(done), tuple(outages.values()))


def _delete(here: Workspace, one: Deletion) -> None:
    match one.kind:
        case DeletionKind.DOCUMENT:
            with here.record.reading() as session:
                gone = unnamed(session, {one.key})
            if gone:  # else somebody has handed it in again
                with contextlib.suppress(NotFound):  # a key that no document can have
                    here.documents.erase(one.key)
        case DeletionKind.MAIL:
            for path in here.settings.mail_folder.glob(f"*{digest_in_name(one.key)}.eml"):
                path.unlink(missing_ok=True)
        case DeletionKind.RUNS:
            from adapters.prefect.client import prefect_client
            from adapters.prefect.erasing import delete_runs

            with prefect_client() as client:
                delete_runs(client, one.key)


def _blacken_logs(folder: Path, subject: Subject) -> None:
    """Overwrites what names a person in logs, where it stands: programs that write to them go on."""
    texts = sorted(subject.addresses | subject.names, key=len, reverse=True)
    pattern = re.compile(b"|".join(re.escape(one.encode()) for one in texts), re.IGNORECASE)
    for path in folder.glob("*") if folder.is_dir() and texts else ():
        with path.open("r+b") as file:
            for found in pattern.finditer(file.read()):
                file.seek(found.start())
                file.write(b"x" * len(found[0]))
