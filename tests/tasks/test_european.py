"""The tasks of the European Quality Label: certificates a few at a time, each once, and one that can't be printed."""

from __future__ import annotations

import errno
import os
import stat

import pytest
import sqlalchemy as sa

import adapters.papers.gallery
import tasks.european
import tasks.upkeep
import usecases.cycles
from adapters.workspace import Workspace
from labels.errors import OutOfReach
from labels.european_label.gallery import Gallery
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Document, Journal, Teacher
from labels.revoking import reopening
from labels.revoking.reopening import Revoked
from labels.settings import Settings
from labels.turn import Turn
from tests.support.european import BEGINS, YEAR, at_the_beginning, awarded, label_id, populate_year
from tests.support.people import KEY


@pytest.fixture
def here(settings: Settings, record: Record, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that the tasks find."""
    opened = at_the_beginning(settings, record)
    monkeypatch.setattr(tasks.european, "workspace", lambda: opened)

    class Quiet:
        def error(self, *_: object) -> None:
            """The log of no run."""

    monkeypatch.setattr(tasks.european, "get_run_logger", Quiet)
    return opened


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_every_teacher_gets_one_certificate_and_an_unprintable_name_stops_nobody_else(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.record.writing() as session:
        populate_year(session)
        session.get_one(Teacher, "T-C2").name = "שלום"
        identifier = awarded(session)
    monkeypatch.setattr(tasks.european, "TOGETHER", 4)
    assert tasks.european.issue_certificates.fn(identifier) == 5
    assert tasks.european.issue_certificates.fn(identifier) == 0
    with here.record.reading() as session:
        stored = session.scalars(sa.select(Document).where(Document.kind == "certificate")).all()
        assert len(stored) == 5
        assert all(here.documents.get(one.key).startswith(b"%PDF-") for one in stored)
        told = session.scalars(sa.select(Journal).where(Journal.what == Event.CERTIFICATE_UNPRINTABLE)).all()
        assert len(told) == 1


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_disk_that_gets_full_leaves_no_half_file_and_the_next_run_goes_on_there(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.record.writing() as session:
        populate_year(session)
        identifier = awarded(session)
    room, sync = [3], os.fsync

    def synced(file: int) -> None:
        """A disk with room for three files; with delayed allocation, this is where it turns out to be full."""
        if stat.S_ISREG(os.fstat(file).st_mode):
            room[0] -= 1
            if room[0] < 0:
                os.truncate(file, 1_000)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    monkeypatch.setattr(os, "fsync", synced)
    with pytest.raises(OutOfReach, match="No space left"):
        tasks.european.issue_certificates.fn(identifier)
    with here.record.reading() as session:
        kept = session.scalars(sa.select(Document.key).where(Document.kind == "certificate")).all()
    assert len(kept) == 3
    assert all(here.documents.get(key).endswith(b"%%EOF\n") for key in kept)
    monkeypatch.setattr(os, "fsync", sync)
    assert tasks.european.issue_certificates.fn(identifier) == 6 - 3
    files = [path for path in here.settings.home.rglob("*") if path.is_file() and "documents" in path.parts]
    assert all(path.stat().st_size > 20_000 for path in files), "no half file is left"


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_label_revoked_while_the_gallery_is_made_leaves_the_gallery_soon(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.record.writing() as session:
        populate_year(session)
        awarded(session)
    render = adapters.papers.gallery.render_gallery
    label = Revoked(label_id("T-A1", "P-A"))

    def revoked_meanwhile(shown: Gallery) -> tuple[bytes, bytes]:
        with here.record.writing() as session:
            plan = reopening.consequences(Turn(session, BEGINS, KEY), label).plan
            reopening.reopen(Turn(session, BEGINS, KEY).acting("c@x.example"), label, plan, "Copied.")
        return render(shown)

    monkeypatch.setattr(adapters.papers.gallery, "render_gallery", revoked_meanwhile)
    usecases.cycles.publish(here, YEAR)
    monkeypatch.setattr(adapters.papers.gallery, "render_gallery", render)
    monkeypatch.setattr(tasks.upkeep, "workspace", lambda: here)
    page = here.settings.home / "galleries" / str(YEAR) / "gallery.json"
    assert '"P-A"' in page.read_text()
    assert tasks.upkeep.publish_galleries.fn() == [YEAR]
    assert '"P-A"' not in page.read_text()
    assert tasks.upkeep.publish_galleries.fn() == []
