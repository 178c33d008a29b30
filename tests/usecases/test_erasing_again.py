"""Who was erased after a copy was made does not come back with it: erased again by the restore, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace, open_workspace
from labels.applications import ending
from labels.clock import BRUSSELS, frozen_clock
from labels.errors import InvalidInput, NotAllowed
from labels.privacy import register
from labels.privacy.register import NotedErasure
from labels.privacy.subject import find
from labels.record import Record, engine, migrating
from labels.record.chain import ERASED
from labels.record.installation import mark
from labels.record.journal import Event
from labels.record.schema import Base, Document, Installation, Journal, Person, PersonMerge, Teacher
from labels.reviews import deciding
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from tests.support.case import Case
from tests.support.people import KEY, NOW, points, populate
from usecases import backup, privacy
from usecases.erasures import note_erasures, read_register
from usecases.sealing import verify_journal
from usecases.upkeep import keep_up

CANARY = "Kanarienvogel"
ADDRESS = "zofia.kanarienvogel@szkola.example"
LATER = NOW + timedelta(hours=2)
NIGHTLY = datetime.combine((NOW + timedelta(days=1)).date(), time(privacy.NIGHT, 30), BRUSSELS)


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    mine = settings.model_copy(update={"home": settings.home.absolute(), "secret": None})
    (mine.home / "secret.key").write_bytes(KEY)
    return Workspace(mine, record, DirectoryStore.from_settings(mine), KEY, frozen_clock(NOW))


@pytest.fixture
def case(here: Workspace) -> Case:
    """An application of a teacher whose name is nowhere else, decided, with evidence."""
    with here.record.writing() as session:
        populate(session)
        mark(session, [KEY])
        teacher = session.get_one(Teacher, "T-1")
        teacher.name, teacher.email = f"Zofia {CANARY}", ADDRESS
        person = session.get_one(Person, teacher.person)
        person.name, person.address = teacher.name, ADDRESS
    case = Case(here.record, description=f"{CANARY} did all of it.")
    assert case.conditions()
    for step in case.ask():
        case.answer(step, ReviewAnswer(scores=points(4), comment=f"{CANARY} is good."))
    key = here.documents.put(f"%PDF {CANARY}".encode(), "application/pdf")
    with here.record.writing() as session:
        session.add(
            Document(
                application=case.id, kind="evidence", name="cv.pdf", key=key, media_type="application/pdf",
                size=18, stored_at=NOW,
            )
        )  # fmt: skip
    return case


def closed(case: Case) -> None:
    case.now += timedelta(hours=1)
    case.do(deciding.decide, case.id)
    case.do(ending.close, case.id)


def erase(here: Workspace, who: str = ADDRESS) -> str:
    plan = privacy.plan_erasure(here, who)
    assert plan.erased.blocked == ()
    done, _ = privacy.erase_person(here, who, plan.word, "Asked for.")
    return done.subject.person


def canaries(here: Workspace) -> list[str]:
    """Where the person still is: columns of the record, documents, other files of the home."""
    with here.record.reading() as session:
        found = [
            table.name
            for table in Base.metadata.sorted_tables
            for row in session.execute(sa.select(table))
            if CANARY.lower() in str(row).lower()
        ]
    files = [path for path in here.settings.home.rglob("*") if path.is_file()]
    return found + [str(path) for path in files if CANARY.lower().encode() in path.read_bytes().lower()]


def erasures(here: Workspace) -> int:
    with here.record.reading() as session:
        return len(session.scalars(sa.select(Journal).where(Journal.what == Event.ERASED_A_PERSON)).all())


@pytest.mark.slow
def test_who_was_erased_after_the_copy_is_erased_again_by_the_restore(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    closed(case)
    backup.back_up(here, place)
    person = erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    done = backup.restore(elsewhere, place)
    assert [(one.person, one.left_because) for one in done.again] == [(person, "")]
    there = open_workspace(elsewhere)
    assert canaries(there) == []
    with there.record.reading() as session:
        assert session.get_one(Person, person).name == ERASED
        assert session.scalars(sa.select(Document)).all()
    assert verify_journal(there, []).findings == []
    assert erasures(there) == 1
    assert privacy.erase_again(there) == [], "twice is as once"
    assert erasures(there) == 1


@pytest.mark.slow
def test_a_later_copy_of_the_place_tells_an_earlier_one_who_was_erased(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    closed(case)
    first = backup.back_up(here, place).copy
    person = erase(here)
    backup.back_up(replace(here, clock=frozen_clock(NOW + timedelta(hours=1))), place)
    done = backup.restore(elsewhere, place, first.name)
    assert [one.person for one in done.again] == [person]
    assert canaries(open_workspace(elsewhere)) == []
    assert elsewhere.erasures_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_copy_that_knows_of_the_erasure_is_left_as_it_is(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    closed(case)
    erase(here)
    backup.back_up(here, place)
    assert backup.restore(elsewhere, place).again == ()
    assert erasures(open_workspace(elsewhere)) == 1


@pytest.mark.slow
def test_what_stands_in_the_way_is_told_and_upkeep_does_it_once_it_is_gone(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    backup.back_up(here, place)
    closed(case)
    person = erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    [left] = backup.restore(elsewhere, place).again
    assert left.person == person
    assert f"{case.id} is still open" in left.left_because
    there = replace(open_workspace(elsewhere), clock=frozen_clock(NOW + timedelta(hours=2)))
    assert any("can’t be erased again" in wrong for wrong in keep_up(there).wrong)
    case.record = there.record
    closed(case)
    assert (
        f"{person}, erased on 2026-03-16, came back with a restore and is erased again."
        in keep_up(there).wrong
    )
    assert canaries(there) == []
    assert not any(person in wrong for wrong in keep_up(there).wrong)


def made_one(here: Workspace) -> tuple[str, str]:
    """T-3 is said to be T-1; who stays, and who goes."""
    with here.record.writing() as session:
        person, other = (find(session, one).person for one in ("T-1", "T-3"))
        session.add(
            PersonMerge(
                id="MRG-1", gone=other, kept=person, reason="One.", asked_by=person, asked_at=NOW, plan="",
                confirmed_at=NOW, confirmed_by=person,
            )
        )  # fmt: skip
    return person, other


@pytest.mark.slow
@pytest.mark.parametrize("before", [False, True], ids=["after the copy", "before it"])
def test_whoever_was_made_one_with_them_is_erased_again_too(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings, before: bool
) -> None:
    closed(case)
    if before:
        person, other = made_one(here)
    backup.back_up(here, place)
    if not before:
        person, other = made_one(here)
    erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    again = {one.person for one in backup.restore(elsewhere, place).again}
    assert again == ({person} if before else {person, other})
    assert privacy.erase_again(open_workspace(elsewhere)) == []


@pytest.mark.slow
def test_whom_the_registry_brought_back_later_is_not_erased_for_what_was_asked_before(
    here: Workspace, case: Case
) -> None:
    closed(case)
    person = erase(here)
    with here.record.writing() as session:
        session.get_one(Person, person).name = "Zofia Nowak"
    assert privacy.erase_again(here) == []


def test_another_installation_s_register_erases_nobody(here: Workspace, case: Case) -> None:
    closed(case)
    erase(here)
    file = here.settings.erasures_file
    with here.record.writing() as session:
        mine = mark(session, [KEY]).name
        [line] = file.read_text().splitlines()
        teacher = find(session, "T-3").person
    file.write_text(f"{line}\nerasure/0011223344556677 {teacher} another 2026-03-01T00:00:00+00:00\n")
    assert privacy.erase_again(here) == []
    file.write_text(f"erasure/0011223344556677 {teacher} {mine} 2026-03-01T00:00:00+00:00\n")
    assert [one.person for one in privacy.erase_again(here)] == [teacher]


@pytest.mark.slow
def test_the_register_names_nobody_and_what_a_kill_left_out_is_noted_later(
    here: Workspace, case: Case
) -> None:
    closed(case)
    person = erase(here)
    file = here.settings.erasures_file
    told = file.read_text()
    assert person in told
    assert CANARY.lower() not in told.lower()
    file.unlink()
    note_erasures(here)
    note_erasures(here)
    assert file.read_text() == told


def come_back(here: Workspace, person: str) -> None:
    """By the registry's files."""
    with here.record.writing() as session:
        session.get_one(Person, person).name = "Zofia Nowak"


@pytest.mark.slow
def test_who_was_erased_twice_since_the_copy_and_is_registered_anew_stays(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    closed(case)
    backup.back_up(here, place)
    person = erase(here)
    come_back(here, person)
    assert erase(here, person) == person
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert [one.person for one in backup.restore(elsewhere, place).again] == [person]
    there = open_workspace(elsewhere)
    come_back(there, person)
    assert privacy.erase_again(there) == []


@pytest.mark.slow
def test_of_two_processes_that_erase_again_one_does_and_the_other_has_nothing_to_tell(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(case)
    backup.back_up(here, place)
    erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 100)  # the faster one waits for a reader who waits for it
    found = register.compare

    def and_another_is_faster(session: Session, noted: list[NotedErasure]) -> Any:
        back = found(session, noted)
        monkeypatch.setattr(register, "compare", found)
        assert len(privacy.erase_again(open_workspace(elsewhere))) == 1
        return back

    monkeypatch.setattr(register, "compare", and_another_is_faster)
    assert backup.restore(elsewhere, place).again == ()
    assert erasures(open_workspace(elsewhere)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["broken off", "without its end"])
def test_a_last_line_whose_writing_broke_off_costs_no_other_erasure_its_line(
    here: Workspace, case: Case, whole: bool
) -> None:
    closed(case)
    line = "erasure/0011223344556677 PER-1 another 2026-03-01T00:00:00+00:00"
    file = here.settings.erasures_file
    file.write_text(f"{line}\n{line.replace('0011', '2233') if whole else 'erasure/2233 PER-'}")
    assert len(read_register(file).noted) == 1 + whole
    person = erase(here)
    assert [one.person for one in read_register(file).noted] == ["PER-1"] * (1 + whole) + [person]
    assert file.read_text().endswith("\n")
    assert keep_up(replace(here, clock=frozen_clock(LATER))).wrong == ()


DAMAGED = "erasure/0011223344556677 PER-T"
"""A line of which the disk has lost a part."""


def test_a_register_that_is_damaged_is_told_and_an_erasure_is_noted_in_it_all_the_same(
    here: Workspace, case: Case
) -> None:
    closed(case)
    file = here.settings.erasures_file
    file.write_text(f"{DAMAGED}\n")
    logs = here.settings.home / "logs"
    logs.mkdir()
    (logs / "desk.log").write_text(f"{ADDRESS}\n")
    person = erase(here)
    assert canaries(here) == []
    assert [one.person for one in read_register(file).noted] == [person]
    assert file.read_text().startswith(DAMAGED)
    for now in (LATER, NIGHTLY):
        [wrong] = keep_up(replace(here, clock=frozen_clock(now))).wrong
        assert "erasures.txt:1" in wrong
    [told] = privacy.see_that_nobody_is_back(here)
    assert "erasures.txt:1" in told


def test_lines_that_tell_of_no_erasure_are_named_and_counted_and_the_others_are_read(here: Workspace) -> None:
    file = here.settings.erasures_file
    line = "erasure/0011223344556677 PER-1 another 2026-03-01T00:00:00+00:00"
    file.write_text(f"{line}\n{DAMAGED}\n\x00\x00\n{line.replace('PER-1', 'PER-2')}\n")
    found = read_register(file)
    assert [one.person for one in found.noted] == ["PER-1", "PER-2"]
    assert found.damage
    assert found.damage.where == f"{file}:2"
    assert "(2 such lines)" in found.damage.problem


def test_what_is_noted_after_a_long_line_without_its_end_is_a_line_of_its_own(
    here: Workspace, case: Case
) -> None:
    closed(case)
    file = here.settings.erasures_file
    file.write_bytes(b"x" * 2_345)
    person = erase(here)
    assert [one.person for one in read_register(file).noted] == [person]


def test_a_damaged_line_in_a_copy_is_named_with_the_copy_and_all_else_is_restored_and_erased_again(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings, tmp_path: Path
) -> None:
    closed(case)
    first = backup.back_up(here, place).copy
    person = erase(here)
    file = here.settings.erasures_file
    whole = file.read_text()
    file.write_text(f"{DAMAGED}\n{whole}")
    later = backup.back_up(replace(here, clock=frozen_clock(NOW + timedelta(hours=1))), place)
    assert f"{file}:1" in later.register
    done = backup.restore(elsewhere, place, first.name)
    assert done.damaged == (f"records/{later.copy.name}/erasures.txt:1",)
    assert [(one.person, one.left_because) for one in done.again] == [(person, "")]
    assert elsewhere.erasures_file.read_text() == whole
    assert privacy.see_that_nobody_is_back(open_workspace(elsewhere)) == []


def test_a_file_of_something_else_in_a_copy_is_named_and_keeps_nothing_from_being_restored(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings, tmp_path: Path
) -> None:
    closed(case)
    name = backup.back_up(here, place).copy.name
    person = erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    [copied] = (tmp_path / "copies").rglob(name)
    (copied / "erasures.txt").write_text("nothing\n" * 1_001)
    done = backup.restore(elsewhere, place)
    assert done.damaged == (f"records/{name}/erasures.txt",)
    assert [one.person for one in done.again] == [person]


def test_a_register_that_is_no_file_keeps_no_copy_from_being_made_nor_from_knowing_who_was_erased(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    closed(case)
    first = backup.back_up(here, place).copy
    person = erase(here)
    file = here.settings.erasures_file
    aside = file.rename(file.with_suffix(".aside"))
    file.mkdir()
    later = backup.back_up(replace(here, clock=frozen_clock(NOW + timedelta(hours=1))), place)
    assert "it is a folder" in later.register
    with pytest.raises(InvalidInput, match="move it aside"):
        privacy.see_that_nobody_is_back(here)
    [wrong] = keep_up(replace(here, clock=frozen_clock(LATER))).wrong
    assert "it is a folder" in wrong
    file.rmdir()
    assert privacy.see_that_nobody_is_back(here) == []
    note_erasures(here)
    assert file.read_text() == aside.read_text()
    assert [one.person for one in backup.restore(elsewhere, place, first.name).again] == [person]


# Who comes back by a restore, and who by themself -------------------------------------------------------


def register_again(here: Workspace, name: str) -> str:
    """A teacher whom the registry names for the first time, or again."""
    with here.record.writing() as session:
        person = session.get(Person, name)
        if person is None:
            session.add(
                Person(id=name, name="Zofia Nowak", address="zofia.nowak@szkola.example", language="pl")
            )
        else:
            person.name, person.address = "Zofia Nowak", "zofia.nowak@szkola.example"
    return name


def new_teacher(here: Workspace) -> str:
    """Somebody who is registered after the first copy."""
    person = "PER-T-T-77"
    with here.record.writing() as session:
        session.add(Person(id=person, name="Zofia K.", address="zk@szkola.example", language="pl"))
    return person


def is_there(here: Workspace, person: str) -> bool:
    with here.record.reading() as session:
        found = session.get(Person, person)
        return found is not None and found.name != ERASED


def test_who_was_erased_is_not_in_the_copy_and_is_registered_later_stays(
    here: Workspace, place: backup.Place, elsewhere: Settings, case: Case
) -> None:
    backup.back_up(here, place)
    person = new_teacher(here)
    assert erase(here, person) == person
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert backup.restore(elsewhere, place).again == ()
    there = open_workspace(elsewhere)
    register_again(there, person)
    for now in (LATER, NIGHTLY):
        assert keep_up(replace(there, clock=frozen_clock(now))).wrong == ()
    assert privacy.see_that_nobody_is_back(there) == []
    assert is_there(there, person)


def test_that_somebody_was_not_in_a_copy_counts_for_no_other_copy(
    here: Workspace, place: backup.Place, elsewhere: Settings, case: Case
) -> None:
    person = new_teacher(here)
    with_them = backup.back_up(here, place).copy
    assert erase(here, person) == person
    with here.record.writing() as session:
        turn = here.turn(session)
        [erasure] = register.noted(session)
        register.note_absent(turn, [erasure])
        register.note_absent(turn, [erasure])
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert [one.person for one in backup.restore(elsewhere, place, with_them.name).again] == [person]
    assert not is_there(open_workspace(elsewhere), person)


def test_who_was_erased_and_registered_again_before_the_copy_stays(
    here: Workspace, place: backup.Place, elsewhere: Settings, case: Case
) -> None:
    person = new_teacher(here)
    erase(here, person)
    register_again(here, person)
    backup.back_up(here, place)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert backup.restore(elsewhere, place).again == ()
    assert is_there(open_workspace(elsewhere), person)


def test_who_is_erased_in_the_copy_already_and_was_once_more_since_stays_when_registered_again(
    here: Workspace, place: backup.Place, elsewhere: Settings, case: Case
) -> None:
    person = new_teacher(here)
    erase(here, person)
    backup.back_up(here, place)
    register_again(here, person)
    erase(here, person)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert backup.restore(elsewhere, place).again == ()
    there = open_workspace(elsewhere)
    register_again(there, person)
    assert privacy.erase_again(there) == []
    assert is_there(there, person)


# Of which installation ----------------------------------------------------------------------------------


def test_a_record_that_was_never_started_takes_over_no_erasure_of_another_installation(
    here: Workspace, case: Case, tmp_path: Path
) -> None:
    closed(case)
    person = erase(here)
    fresh = Settings(_env_file=None, home=tmp_path / "another")
    another = open_workspace(fresh)
    register_again(another, person)
    fresh.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert privacy.erase_again(another) == []
    assert is_there(another, person)


def test_a_copy_from_before_the_first_start_belongs_to_the_installation_that_was_started_later(
    settings: Settings, record: Record, place: backup.Place, elsewhere: Settings, here: Workspace
) -> None:
    person = new_teacher(here)
    backup.back_up(here, place)
    with here.record.writing() as session:
        mark(session, [KEY])
    assert erase(here, person) == person
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    assert [one.person for one in backup.restore(elsewhere, place).again] == [person]


def test_a_copy_of_an_earlier_version_belongs_to_the_same_installation_as_the_record_that_went_on(
    tmp_path: Path,
) -> None:
    def brought_up(name: str, first: int) -> str:
        url = f"sqlite:///{tmp_path / name}"
        made = engine.open_engine(url)
        migrating.upgrade(made, "0056")
        with made.begin() as connection:
            for number in range(first, 3):
                told = {"at": NOW + timedelta(hours=number), "who": "system", "what": "x", "details": {}}
                connection.execute(sa.insert(Journal).values(told))
        migrating.upgrade(made)
        with made.connect() as connection:
            return str(connection.scalar(sa.select(Installation.name)))

    assert brought_up("one", 1) == brought_up("its copy", 1)
    assert brought_up("another", 2) != brought_up("one more", 1)


# Before people see the record ---------------------------------------------------------------------------


def test_nothing_is_started_while_somebody_who_was_erased_is_there_unless_an_operator_defers_it(
    here: Workspace, case: Case, place: backup.Place, elsewhere: Settings
) -> None:
    backup.back_up(here, place)
    closed(case)
    person = erase(here)
    elsewhere.erasures_file.write_bytes(here.settings.erasures_file.read_bytes())
    backup.restore(elsewhere, place)
    there = replace(open_workspace(elsewhere), clock=frozen_clock(LATER))
    with pytest.raises(NotAllowed, match=f"{case.id} is still open.*labels privacy defer {person} --reason"):
        privacy.see_that_nobody_is_back(there)
    with pytest.raises(NotAllowed, match="No erasure of"):
        privacy.defer_erasure(there, "T-3", "At three in the morning.")
    assert privacy.defer_erasure(there, person, "Their case is decided first.").person == person
    [told] = privacy.see_that_nobody_is_back(there)
    assert "can’t be erased again" in told
    with pytest.raises(NotAllowed, match="deferred already"):
        privacy.defer_erasure(there, person, "Again.")
    with there.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what == Event.DEFERRED_AN_ERASURE)).one()
        assert entry.details["because"] == "Their case is decided first."
    case.record = there.record
    closed(case)
    keep_up(there)
    assert canaries(there) == []
    assert privacy.see_that_nobody_is_back(there) == []
    assert verify_journal(there, []).findings == []
