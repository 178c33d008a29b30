"""Copies of an installation: made while people work, thinned out, and made an installation again, on both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.record_copies import copy_record
from adapters.workspace import Workspace, open_workspace
from labels.clock import frozen_clock
from labels.errors import InvalidInput, NotAllowed, NotAsWritten, NotFound, OutOfReach
from labels.papers.due import due_papers
from labels.record import Record
from labels.record.chain import ERASED
from labels.record.documents import tables_with_documents
from labels.record.engine import open_engine
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Base, Document, DraftEvidence, Step
from labels.settings import Settings
from labels.steps.codes import code_hash, code_matches
from labels.steps.step import open_steps
from tests.support.case import open_case
from tests.support.people import KEY, NOW, code_of
from usecases import backup
from usecases.sealing import seal_journal, verify_journal

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    """An installation with one application at its reviewers and three documents."""
    mine = settings.model_copy(update={"home": settings.home.absolute()})
    store = DirectoryStore.from_settings(mine)
    case = open_case(record)
    case.conditions()
    case.ask()
    with record.writing() as session:
        [document] = session.scalars(sa.select(Document))
        document.key = store.put(b"the application's file", "application/json")
        for number in (1, 2):
            session.add(
                Document(
                    application=case.id, kind="evidence", name=f"{number}.pdf", media_type="application/pdf",
                    key=store.put(b"evidence %d" % number, "application/pdf"), size=10, stored_at=NOW,
                )
            )  # fmt: skip
    (mine.home / "secret.key").write_bytes(KEY)
    return Workspace(mine.model_copy(update={"secret": None}), record, store, KEY, frozen_clock(NOW))


def everything(record: Record) -> dict[str, list[str]]:
    """Every row of every table."""
    with record.reading() as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(sa.select(table)))
            for table in Base.metadata.sorted_tables
        }


def test_an_installation_is_made_again_row_by_row_and_document_by_document(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    seal_journal(here)
    made = backup.back_up(here, place)
    assert (made.copy.documents, made.added, made.missing) == (3, 3, ())
    done = backup.restore(elsewhere, place)
    assert (done.copy, done.applications, done.documents, done.missing) == (made.copy, 1, 3, ())
    there = open_workspace(elsewhere)
    assert everything(there.record) == everything(here.record)
    with there.record.reading() as session:
        for document in session.scalars(sa.select(Document)):
            assert there.documents.get(document.key) == here.documents.get(document.key)
    assert there.settings.heads_file.read_bytes() == here.settings.heads_file.read_bytes()
    assert there.settings.heads_file.stat().st_mode & 0o777 == 0o600
    state = verify_journal(there, [])
    assert (state.findings, state.sealed) == ([], state.entries)


def test_codes_that_were_mailed_before_the_loss_still_open_their_steps(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    with here.record.reading() as session:
        mailed = {step.id: code_of(step, here.key) for step in session.scalars(sa.select(Step))}
    backup.back_up(here, place)
    backup.restore(elsewhere, place)
    there = open_workspace(elsewhere)
    with there.record.reading() as session:
        [application] = session.scalars(sa.select(Application))
        waiting = open_steps(session, application)
        assert waiting
        for step in waiting:
            assert code_matches(mailed[step.id], step.code_hash)
            assert code_hash(code_of(step, there.key)) == step.code_hash
        assert due_papers(session, application.id, there.stamp) == due_papers(
            session, application.id, here.stamp
        )


def test_a_second_copy_carries_only_what_is_new(here: Workspace, place: backup.Place) -> None:
    backup.back_up(here, place)
    with here.record.writing() as session:
        [application] = session.scalars(sa.select(Application.id))
        key = here.documents.put(b"more evidence", "application/pdf")
        session.add(
            Document(
                application=application, kind="evidence", name="3.pdf", media_type="application/pdf", key=key,
                size=13, stored_at=NOW,
            )
        )  # fmt: skip
    later = replace(here, clock=frozen_clock(NOW + timedelta(hours=1)))
    made = backup.back_up(later, place)
    assert (made.copy.documents, made.added) == (4, 1)
    assert [one.name for one in backup.copies(place)] == ["20260316T090000Z", "20260316T100000Z"]


def test_an_earlier_copy_can_be_chosen(here: Workspace, place: backup.Place, elsewhere: Settings) -> None:
    first = backup.back_up(here, place).copy
    with here.record.writing() as session:
        session.execute(sa.update(Application).values(run="of later"))
    later = replace(here, clock=frozen_clock(NOW + timedelta(hours=1)))
    backup.back_up(later, place)
    backup.restore(elsewhere, place, first.name)
    with open_workspace(elsewhere).record.reading() as session:
        assert session.scalars(sa.select(Application.run)).all() == [None]


@only_sqlite
def test_a_writer_is_not_kept_waiting_and_its_half_done_change_is_in_no_copy(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    before = everything(here.record)
    with here.record.writing() as session:
        session.execute(sa.update(Application).values(run="not committed"))
        backup.back_up(here, place)
    backup.restore(elsewhere, place)
    assert everything(open_workspace(elsewhere).record) == before


@only_sqlite
def test_what_is_missing_or_damaged_in_the_store_is_named_and_the_rest_is_kept(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    assert isinstance(here.documents, DirectoryStore)
    with here.record.reading() as session:
        gone, damaged, whole = session.scalars(sa.select(Document.key).order_by(Document.id)).all()
    (here.documents.root / gone).unlink()
    (here.documents.root / damaged).chmod(0o600)
    (here.documents.root / damaged).write_bytes(b"something else")
    made = backup.back_up(here, place)
    assert (set(made.missing), made.added) == ({gone, damaged}, 1)
    done = backup.restore(elsewhere, place)
    assert set(done.missing) == {gone, damaged}
    assert open_workspace(elsewhere).documents.exists(whole)


@only_sqlite
def test_documents_that_were_erased_are_missed_by_nobody(here: Workspace, place: backup.Place) -> None:
    with here.record.writing() as session:
        document = session.scalars(sa.select(Document).order_by(Document.id.desc())).first()
        assert document
        document.name = f"{ERASED}-{document.id}"
        here.documents.erase(document.key)
    made = backup.back_up(here, place)
    assert (made.copy.documents, made.missing) == (2, ())


@only_sqlite
def test_old_copies_go_and_with_them_the_documents_that_were_theirs_alone(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    """So that what was erased is in no backup either once the period has passed."""
    first = backup.back_up(here, place).copy
    with here.record.writing() as session:
        document = session.scalars(sa.select(Document).order_by(Document.id.desc())).first()
        assert document
        key, document.name = document.key, f"{ERASED}-{document.id}"
    later = replace(here, clock=frozen_clock(NOW + timedelta(days=40)))
    made = backup.back_up(later, place, keep=timedelta(days=31))
    assert made.removed == (first.name,)
    assert not place.exists(key)
    assert [one.name for one in backup.copies(place)] == [made.copy.name]
    assert all(made.copy.name in name for name in place.names(backup.RECORDS))
    assert backup.restore(elsewhere, place).missing == ()


@only_sqlite
def test_a_copy_that_was_broken_off_is_no_copy(
    here: Workspace, place: backup.Place, monkeypatch: pytest.MonkeyPatch, elsewhere: Settings
) -> None:
    whole = backup.back_up(here, place).copy
    kept: list[str] = []
    keep = place.keep

    def breaks_off(name: str, path: Path) -> None:
        if name.endswith("manifest.json"):
            raise OutOfReach("the place", "no space left on device.")
        kept.append(name)
        keep(name, path)

    later = replace(here, clock=frozen_clock(NOW + timedelta(days=1)))
    with monkeypatch.context() as patch:
        patch.setattr(place, "keep", breaks_off)
        with pytest.raises(OutOfReach, match="no space left"):
            backup.back_up(later, place)
    assert kept
    assert backup.copies(place) == [whole]
    assert backup.restore(elsewhere, place).copy == whole


def refused(error: type[Exception], match: str, act: Callable[[], Any], home: Path) -> None:
    before = sorted(home.rglob("*"))
    with pytest.raises(error, match=match):
        act()
    assert sorted(home.rglob("*")) == before


@only_sqlite
def test_nothing_is_restored_over_a_record(here: Workspace, place: backup.Place) -> None:
    backup.back_up(here, place)
    act = lambda: backup.restore(here.settings, place)  # noqa: E731
    refused(NotAllowed, "There is a record here already", act, here.settings.home)


def test_nothing_is_restored_into_a_database_with_tables(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    backup.back_up(here, place)
    engine = open_engine(elsewhere.record_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE somebodys (id INTEGER)")
    with pytest.raises(NotAllowed, match="There is a record here already"):
        backup.restore(elsewhere, place)
    assert sa.inspect(engine).get_table_names() == ["somebodys"]
    engine.dispose()


@only_sqlite
def test_without_the_key_of_the_copy_nothing_is_restored_unless_it_is_lost_for_ever(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    backup.back_up(here, place)
    (elsewhere.home / "secret.key").unlink()
    act = lambda: backup.restore(elsewhere, place)  # noqa: E731
    refused(NotAllowed, "The key of the copy is not here", act, elsewhere.home)
    (elsewhere.home / "secret.key").write_bytes(b"another key")
    refused(NotAllowed, "The key here is another than that of the copy", act, elsewhere.home)
    assert backup.restore(elsewhere, place, another_key=True).applications == 1


@only_sqlite
def test_a_copy_that_was_changed_is_refused(
    here: Workspace, place: backup.Place, elsewhere: Settings, tmp_path: Path
) -> None:
    name = backup.back_up(here, place).copy.name
    (tmp_path / "other").write_bytes(b"other bytes")
    place.keep(f"records/{name}/record.gz", tmp_path / "other")
    with pytest.raises(NotAsWritten, match="is not what was kept"):
        backup.restore(elsewhere, place)
    assert not (elsewhere.home / "record.db").exists()


@only_sqlite
def test_copies_of_a_later_version_or_of_another_database_are_refused(
    here: Workspace, place: backup.Place, elsewhere: Settings, tmp_path: Path
) -> None:
    copy = backup.back_up(here, place).copy
    manifest = tmp_path / "manifest.json"

    def says(**changes: Any) -> None:
        place.fetch(f"records/{copy.name}/manifest.json", manifest)
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
        place.keep(f"records/{copy.name}/manifest.json", manifest)

    act = lambda: backup.restore(elsewhere, place)  # noqa: E731
    says(revision="9999")
    refused(InvalidInput, "by a later version of this program", act, elsewhere.home)
    says(revision=copy.revision, database="postgresql")
    refused(InvalidInput, "the copy is of one on postgresql", act, elsewhere.home)
    says(database="sqlite", made_at="yesterday")
    refused(InvalidInput, "is no manifest of a copy", act, elsewhere.home)


@only_sqlite
def test_a_place_without_copies_and_a_name_that_is_not_there_say_so(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    with pytest.raises(NotFound, match="There is no copy in "):
        backup.restore(elsewhere, place)
    name = backup.back_up(here, place).copy.name
    with pytest.raises(NotFound, match=f"There is no copy 2020 in .* There are: {name}"):
        backup.restore(elsewhere, place, "2020")


@only_sqlite
def test_a_damaged_manifest_is_named_and_another_copy_can_be_restored_all_the_same(
    here: Workspace, place: backup.Place, elsewhere: Settings, tmp_path: Path
) -> None:
    first = backup.back_up(here, place).copy
    second = backup.back_up(replace(here, clock=frozen_clock(NOW + timedelta(hours=1))), place).copy
    [manifest] = (tmp_path / "copies").rglob(f"{second.name}/manifest.json")
    manifest.write_text('{"name": ')
    for act in (lambda: backup.restore(elsewhere, place), lambda: backup.copies(place)):
        with pytest.raises(InvalidInput, match=rf"records/{second.name}/manifest\.json.*--copy NAME"):
            act()
    assert backup.restore(elsewhere, place, first.name).copy == first


def test_copies_are_not_kept_among_the_documents_nor_just_anywhere(here: Workspace) -> None:
    with pytest.raises(InvalidInput, match="is where the documents themselves are"):
        backup.open_place(str(here.settings.home / "documents"), here.settings)
    with pytest.raises(InvalidInput, match="is no folder and no s3://bucket/prefix"):
        backup.open_place("ftp://somewhere/else", here.settings)


@only_sqlite
def test_keys_go_into_a_folder_of_their_own_and_into_no_copy(
    here: Workspace, place: backup.Place, tmp_path: Path
) -> None:
    backup.back_up(here, place)
    [kept] = backup.copy_keys(here.settings, tmp_path / "keys")
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (KEY, 0o600)
    for path in (tmp_path / "copies").rglob("*"):
        assert not path.is_file() or KEY not in path.read_bytes()


def test_every_table_that_names_documents_is_copied_with_them() -> None:
    named = {table.name for table in tables_with_documents()}
    assert {Document.__tablename__, DraftEvidence.__tablename__} <= named
    for table in Base.metadata.sorted_tables:
        if "key" in table.c and table.name not in named:
            assert table.name in {"deletion", "platform_batch"}, (
                f"{table.name} names documents and no media type"
            )


@only_sqlite
def test_the_copy_is_one_file_that_sqlite_opens(here: Workspace, tmp_path: Path) -> None:
    copy_record(here.record.engine, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db-*"))
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT count(*) FROM application").fetchone() == (1,)


@only_sqlite
def test_heads_that_are_noted_here_stay_and_tell_that_the_copy_is_older(
    here: Workspace, place: backup.Place, elsewhere: Settings
) -> None:
    seal_journal(here)
    backup.back_up(here, place)
    with here.record.writing() as session:
        [application] = session.scalars(sa.select(Application))
        note(here.turn(session), application, SYSTEM, Event.CLOSED)
    seal_journal(here)
    noted = elsewhere.home / "journal-heads.txt"
    noted.write_bytes(here.settings.heads_file.read_bytes())
    backup.restore(elsewhere, place)
    assert noted.read_bytes() == here.settings.heads_file.read_bytes()
    assert verify_journal(open_workspace(elsewhere), []).findings


@only_sqlite
def test_nothing_is_thinned_out_while_another_copy_may_be_under_way(
    here: Workspace, place: backup.Place, tmp_path: Path
) -> None:
    first = backup.back_up(here, place).copy
    later = replace(here, clock=frozen_clock(NOW + timedelta(days=40)))
    (tmp_path / "begun").touch()
    place.keep(f"records/{NOW + timedelta(days=40, minutes=-5):%Y%m%dT%H%M%SZ}/begun", tmp_path / "begun")
    assert backup.back_up(later, place, keep=timedelta(days=31)).removed == ()
    assert first in backup.copies(place)
    latest = replace(here, clock=frozen_clock(NOW + timedelta(days=42)))
    assert first.name in backup.back_up(latest, place, keep=timedelta(days=31)).removed
    assert len({name.split("/")[1] for name in place.names("records")}) == 2, "what was broken off is gone"


@only_sqlite
def test_a_document_that_is_taken_out_meanwhile_is_missed_by_nobody(
    here: Workspace, place: backup.Place, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_out_after(engine: sa.Engine, path: Path) -> None:
        copy_record(engine, path)
        with here.record.writing() as session:
            document = session.scalars(sa.select(Document).order_by(Document.id.desc())).first()
            assert document
            session.delete(document)

    monkeypatch.setattr(backup, "copy_record", taken_out_after)
    made = backup.back_up(here, place)
    assert (made.copy.documents, made.missing) == (3, ())
    assert backup.restore(elsewhere, place).missing == ()


@only_sqlite
def test_former_keys_are_copied_too_and_one_name_from_two_folders_is_two_files(
    here: Workspace, tmp_path: Path
) -> None:
    for folder in ("now", "before"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "key.pem").write_text(folder)
    keys = {"signing_key": tmp_path / "now" / "key.pem", "signing_former": tmp_path / "before" / "key.pem"}
    kept = backup.copy_keys(here.settings.model_copy(update=keys), tmp_path / "keys")
    assert {path.name: path.read_bytes() for path in kept} == {
        "secret.key": KEY, "key.pem": b"now", "other-key.pem": b"before",
    }  # fmt: skip
