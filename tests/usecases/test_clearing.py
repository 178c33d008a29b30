"""Documents that nobody claims are deleted, and none that anybody may still need; in a folder and in S3."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.documents.tokens import sealed
from adapters.workspace import Workspace
from labels.clock import BRUSSELS, frozen_clock, wall_clock
from labels.errors import NotAllowed
from labels.record import Record, open_record
from labels.record.journal import Event
from labels.record.schema import Document, DraftEvidence, Journal, KeptForm, Person, StoreOwner
from labels.settings import Settings
from tests.adapters.documents.conftest import Place, ministack, place
from tests.support.case import open_case
from tests.support.people import KEY, NOW
from usecases import backup, clearing
from usecases.clearing import GRACE, Cleared, clear, clear_nightly
from usecases.upkeep import clear_store

__all__ = ["ministack", "place"]

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
LATER = timedelta(minutes=1)


@pytest.fixture
def here(settings: Settings, record: Record, place: Place) -> Workspace:
    """An installation with one application, its documents in a folder or in S3."""
    open_case(record)
    with record.writing() as session:
        [document] = session.scalars(sa.select(Document))
        document.key = place.store.put(b"the application's file", "application/json")
    mine = settings.model_copy(update={"documents": f"s3://of-the-test/{settings.home.name}"})
    return Workspace(mine, record, place.store, KEY, frozen_clock(NOW))


def in_time() -> datetime:
    """When what is in the store now is old enough."""
    return wall_clock() + GRACE + LATER


def has(here: Workspace, key: str) -> bool:
    return here.documents.exists(key)


@only_sqlite
def test_what_a_killed_command_left_is_deleted_once_it_is_old_and_told(here: Workspace) -> None:
    left = here.documents.put(b"left behind", "application/pdf")
    young = clear(here, adopt=True, now=wall_clock())
    assert (young.stored, young.claimed, young.young, young.deleted) == (2, 1, 1, 0)
    counted = clear(here, dry=True, now=in_time())
    assert counted == Cleared(stored=2, claimed=1, young=0, deleted=1, bytes=11)
    assert has(here, left), "a dry run deletes nothing"
    assert clear(here, now=in_time()) == counted
    assert not has(here, left)
    with here.record.reading() as session:
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.CLEARED_THE_STORE))
        assert entry.details == {"documents": 1, "bytes": 11}
        assert all(has(here, key) for key in backup.claimed(session))


@only_sqlite
def test_what_a_draft_a_kept_form_or_another_application_has_stays(here: Workspace) -> None:
    kept = {name: here.documents.put(name.encode(), "application/pdf") for name in ("draft", "form")}
    with here.record.writing() as session:
        session.add(
            DraftEvidence(
                teacher="T-1", project="P-1", name="a.pdf", key=kept["draft"], media_type="application/pdf",
                size=5, stored_at=NOW,
            )
        )  # fmt: skip
        someone = session.scalars(sa.select(Person.id).limit(1)).one()
        word = sealed([["s", someone], "b.pdf", kept["form"], "application/pdf", 4], b"purpose", KEY)
        session.add(KeptForm(person=someone, page="/applications/1", fields={"kept": [word]}, kept_at=NOW))
    assert clear(here, adopt=True, now=in_time()).deleted == 0
    assert all(has(here, key) for key in kept.values())


@pytest.mark.slow
@only_sqlite
def test_what_is_put_again_is_as_young_as_new(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    key = here.documents.put(b"left behind", "application/pdf")
    monkeypatch.setattr("adapters.documents.s3._RECENT", timedelta())
    time.sleep(3)  # S3 tells whole seconds
    between = wall_clock() - timedelta(seconds=1.5)
    here.documents.put(b"left behind", "application/pdf")
    assert clear(here, adopt=True, now=between + GRACE).deleted == 0
    assert here.documents.get(key) == b"left behind"


@only_sqlite
def test_what_is_claimed_while_the_store_is_cleared_stays(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = here.documents.put(b"left behind", "application/pdf")
    take_over = clearing._take_over

    def meanwhile(*given: object) -> None:
        with here.record.writing() as session:
            session.add(
                DraftEvidence(
                    teacher="T-1", project="P-1", name="a.pdf", key=key, media_type="application/pdf", size=5,
                    stored_at=NOW,
                )
            )  # fmt: skip
        take_over(*given)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(clearing, "_take_over", meanwhile)
    assert clear(here, adopt=True, now=in_time()).deleted == 0
    assert has(here, key)


@only_sqlite
def test_a_store_of_another_record_and_a_place_of_backups_are_refused(
    here: Workspace, tmp_path: Path
) -> None:
    left = here.documents.put(b"of the first", "application/pdf")
    clear(here, adopt=True, now=wall_clock())
    another = tmp_path / "another.db"
    with sa.create_engine(here.settings.record_url).connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(another),))
    there = replace(
        here, record=open_record(here.settings.model_copy(update={"database_url": f"sqlite:///{another}"}))
    )
    clear(here, now=wall_clock())
    with pytest.raises(NotAllowed, match="another record, or this one is a copy"):
        clear(there, now=in_time())
    with there.record.writing() as session:
        session.execute(sa.delete(StoreOwner))
    with pytest.raises(NotAllowed, match="belongs to another record"):
        clear(there, dry=True, now=in_time())
    assert has(here, left)
    assert clear(there, adopt=True, now=in_time()).deleted == 1, "whoever says that it is theirs"
    with pytest.raises(NotAllowed):
        clear(here, now=in_time())
    (tmp_path / "manifest").write_text("{}")
    here.documents.keep("records/20261130T000000Z/manifest.json", tmp_path / "manifest")  # type: ignore[attr-defined]  # both stores do
    with pytest.raises(NotAllowed, match="place of backups"):
        clear(here, adopt=True, now=in_time())


@only_sqlite
def test_a_store_is_cleared_from_a_home_only_once_somebody_said_that_it_is_the_records(
    here: Workspace, tmp_path: Path
) -> None:
    left = here.documents.put(b"left behind", "application/pdf")
    with pytest.raises(NotAllowed, match="never cleared from this home"):
        clear(here, now=in_time())
    assert clear(here, dry=True, now=in_time()).deleted == 1
    assert has(here, left)
    clear(here, adopt=True, now=wall_clock())

    (tmp_path / "elsewhere").mkdir()
    copy = replace(here, settings=here.settings.model_copy(update={"home": tmp_path / "elsewhere"}))
    with pytest.raises(NotAllowed, match="never cleared from this home"):
        clear(copy, now=in_time())
    assert has(here, left), "a copy of the record says the same word, but has another home"
    clear(copy, adopt=True, now=wall_clock())
    assert clear(here, now=in_time()).deleted == 1, (
        "several hosts of one installation clear its store in turn"
    )
    assert clear(copy, now=in_time()).deleted == 0


class Killed(BaseException):
    """The process ended here."""


@only_sqlite
@pytest.mark.parametrize("where", ["word", "delete", "note"])
def test_killed_at_any_moment_it_is_done_the_next_time(
    here: Workspace, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = here.documents.put(b"left behind", "application/pdf")
    clear(here, adopt=True, now=wall_clock())

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as mortals:
        if where == "word":
            mortals.setattr(type(here.documents), "keep", dies)
        else:
            mortals.setattr(clearing, "_delete" if where == "delete" else "_finish", dies)
        with pytest.raises(Killed):
            clear(here, now=in_time())
    assert clear(here, now=in_time()).deleted == (0 if where == "note" else 1)
    assert not has(here, left)


@only_sqlite
def test_upkeep_does_it_at_night_once_where_the_settings_have_it(here: Workspace) -> None:
    night = datetime(2026, 3, 17, 3, 10, tzinfo=BRUSSELS)
    at_night = replace(here, clock=frozen_clock(night))
    assert clear_nightly(at_night) is None
    wanted = here.settings.model_copy(update={"unclaimed": "nightly"})
    nightly = replace(at_night, settings=wanted)
    assert "labels gc --adopt" in clear_store(nightly), "the first time somebody says whose the store is"
    clear(replace(at_night, clock=frozen_clock(night - timedelta(days=1))), adopt=True)
    assert clear_nightly(replace(nightly, clock=frozen_clock(NOW))) is None
    assert clear_nightly(nightly) is not None
    assert clear_nightly(replace(nightly, clock=frozen_clock(night + timedelta(minutes=10)))) is None
    assert clear_nightly(replace(nightly, clock=frozen_clock(night + timedelta(days=1)))) is not None
