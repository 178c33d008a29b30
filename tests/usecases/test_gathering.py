"""A year's certificates come out of the store as they were issued, and bound for printing, however often it is begun."""

from __future__ import annotations

import io
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pytest
import sqlalchemy as sa

import tasks.european
import usecases.gathering
from adapters.papers.certificates import render_certificate
from adapters.papers.volumes import bind
from adapters.workspace import Workspace
from labels.errors import InvalidInput, LabelsError, NotFound
from labels.papers.gathering import certificates_of
from labels.record import Record
from labels.record.schema import Award, Issued
from labels.settings import Settings
from tests.support.european import BEGINS, at_the_beginning, awarded, populate_year
from tests.support.papers import certificate
from tests.support.pdf_report import wrong
from usecases.gathering import gather


@pytest.fixture
def here(settings: Settings, record: Record, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a year's six certificates."""
    opened = at_the_beginning(settings, record)
    monkeypatch.setattr(tasks.european, "workspace", lambda: opened)
    monkeypatch.setattr(usecases.gathering, "VOLUME", 4)
    with record.writing() as session:
        populate_year(session)
        identifier = awarded(session)
    assert tasks.european.issue_certificates.fn(identifier) == 6
    return opened


def year_of(here: Workspace) -> int:
    with here.record.reading() as session:
        return session.scalars(sa.select(Award.awarded_on).where(Award.label == "european")).all()[0].year


def listed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_every_certificate_as_it_was_issued_and_once_in_a_volume(here: Workspace, tmp_path: Path) -> None:
    out, year = tmp_path / "out", year_of(here)
    out.mkdir()
    assert gather(here, "european", year, None, out) == 6
    files = listed(out)
    volumes = sorted(name for name in files if name.startswith("print-"))
    with here.record.reading() as session:
        digests = set(session.scalars(sa.select(Issued.file_digest)))
        wanted = certificates_of(session, "european", year)
    assert {one.name for one in wanted} == files.keys() - set(volumes)
    assert {one.key.rpartition("/")[2] for one in wanted} == digests
    assert [len(pikepdf.open(io.BytesIO(files[name])).pages) for name in volumes] == [4, 2]
    assert gather(here, "european", year, None, out) == 6
    assert listed(out) == files


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_an_interrupted_gathering_goes_on_and_one_of_another_time_makes_way(
    here: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, year = tmp_path / "out", year_of(here)
    out.mkdir()
    get, left = here.documents.get, [5]

    def lost(key: str) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise LabelsError("gone")
        return get(key)

    monkeypatch.setattr(type(here.documents), "get", lambda _, key: lost(key))
    with pytest.raises(LabelsError, match="gone"):
        gather(here, "european", year, None, out)
    assert len(listed(out)) == 5 + 1
    left[0] = 2
    gather(here, "european", year, None, out)
    before = listed(out)
    assert len(before) == 6 + 2
    left[0] = 100
    with here.record.writing() as session:
        session.execute(
            sa.update(Issued)
            .where(Issued.subject == min(session.scalars(sa.select(Issued.subject))))
            .values(revoked_at=BEGINS)
        )
    assert gather(here, "european", year, None, out) == 5
    volumes = [name for name in listed(out) if name.startswith("print-")]
    assert sum(len(pikepdf.open(out / name).pages) for name in volumes) == 5


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_one_organisations_certificates_and_what_is_none(here: Workspace) -> None:
    year = year_of(here)
    with here.record.reading() as session:
        organisations = set(session.scalars(sa.select(Award.organisation).where(Award.label == "european")))
        counts = [len(certificates_of(session, "european", year, one)) for one in organisations]
        assert sum(counts) == 6
        assert certificates_of(session, "european", year - 1) == []
        for label, when, organisation in (("eurpean", year, None), ("european", 26, None)):
            with pytest.raises(InvalidInput):
                certificates_of(session, label, when, organisation)
        with pytest.raises(NotFound, match="NSS-XX"):
            certificates_of(session, "european", year, "NSS-XX")


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_european_year_is_that_of_its_cycle_whenever_it_was_awarded(
    here: Workspace, tmp_path: Path
) -> None:
    year = year_of(here)
    with here.record.writing() as session:
        session.execute(
            sa.update(Award).where(Award.label == "european").values(awarded_on=date(year + 1, 1, 9))
        )
    assert gather(here, "european", year + 1, None, tmp_path / "next") == 0
    (tmp_path / "out").mkdir()
    assert gather(here, "european", year, None, tmp_path / "out") == 6


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_revoked_certificate_leaves_the_folder_and_what_is_not_ours_stays(
    here: Workspace, tmp_path: Path
) -> None:
    out, year = tmp_path / "out", year_of(here)
    out.mkdir()
    gather(here, "european", year, None, out)
    with here.record.reading() as session:
        first, second, *_ = [one.name for one in certificates_of(session, "european", year)]
        revoked = session.scalars(sa.select(Issued.subject).order_by(Issued.subject)).all()
    with here.record.writing() as session:
        session.execute(
            sa.update(Issued)
            .where(Issued.subject.in_([name for name in revoked if name in f"{first}{second}"]))
            .values(revoked_at=BEGINS)
        )
    (out / second).write_bytes(b"written by hand")
    (out / "notes.txt").write_text("mine")
    assert gather(here, "european", year, None, out) == 4
    assert not (out / first).exists()
    assert (out / second).read_bytes() == b"written by hand"
    assert (out / "notes.txt").exists()


@pytest.mark.slow
def test_a_volume_shows_the_same_pages_and_has_what_they_share_once(tmp_path: Path) -> None:
    each = [
        render_certificate(
            certificate(holder=name, label=label, code="7KQ4-M9XT-2A5B-0000", check_url="https://x.example/v")
        )
        for name, label in (
            ("Ada Quick", "national"),
            ("Bo Li", "pupil"),
            ("Ωμέγα Ψ", "national"),
            ("Zoë", "pupil"),
        )
    ]
    volume = bind(each, "Four")
    assert len(volume) < sum(map(len, each)) * 0.75
    assert bind(each, "Four") == volume
    assert wrong(volume) == []

    def pictures(pdf: bytes, name: str) -> list[bytes]:
        subprocess.run(["pdftoppm", "-r", "40", "-png", "-", str(tmp_path / name)], input=pdf, check=True)
        return [path.read_bytes() for path in sorted(tmp_path.glob(f"{name}-*.png"))]

    assert pictures(volume, "volume") == [pictures(one, f"one{n}")[0] for n, one in enumerate(each)]
