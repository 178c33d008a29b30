"""The fingerprints of applications' sections in the record: by them a text that reads alike is found among all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.similarity import FINGERPRINT_BYTES, Reading
from labels.kinds import LabelKind
from labels.people.persons import batches
from labels.record.rows import write
from labels.record.schema import Application, Fingerprint, Section, Stage

MOST_SECTIONS = 60
"""Sections in which a fingerprint is kept: one that stands in so many is everybody's, and more rows would tell nothing."""

Readings = Mapping[str, Reading]
"""The sections of an application, by the criterion that they are on."""


@dataclass(frozen=True, slots=True)
class Match:
    """A section of another application that has a fingerprint."""

    fingerprint: int
    section: str
    application: str
    project: str | None


def matches(session: Session, fingerprints: Collection[int]) -> list[Match]:
    """The sections in which some fingerprints are; of each fingerprint at most `MOST_SECTIONS`."""
    found: list[Match] = []
    for some in batches(sorted(fingerprints)):
        rows = session.execute(_MATCHES, {"fingerprints": some})
        found += [Match(row.fingerprint, row.name, row.application, row.project) for row in rows]
    return found


def are_kept(session: Session, application: str) -> bool:
    """Whether the fingerprints of an application are in the record."""
    return (
        session.scalar(sa.select(Section.id).where(Section.application == application).limit(1)) is not None
    )


def keep(session: Session, application: str, readings: Readings, known: Iterable[Match]) -> None:
    """Keeps the fingerprints of an application; `known` are the sections that have them already."""
    kept = Counter(one.fingerprint for one in known)
    new: list[tuple[Section, list[int]]] = []
    for name, reading in readings.items():
        some = sorted({one for one in reading.fingerprints.values() if kept[one] < MOST_SECTIONS})
        kept.update(some)
        new.append((Section(application=application, name=name, fingerprints=_packed(some)), some))
    session.add_all(section for section, _ in new)
    session.flush()  # for the numbers of the sections
    write(
        session,
        Fingerprint,
        *({"fingerprint": one, "section": section.id} for section, some in new for one in some),
    )


def forget(session: Session, applications: Collection[str]) -> int:
    """Deletes all fingerprints of some applications; how many. That they were looked at is still known."""
    gone = 0
    for section in session.scalars(
        sa.select(Section).where(Section.application.in_(applications), Section.fingerprints != b"")
    ):
        for some in batches(list(_unpacked(section.fingerprints))):
            # Rows are found by both columns of their key: there is no index by section alone.
            done = session.execute(
                sa.delete(Fingerprint)
                .where(Fingerprint.fingerprint.in_(some), Fingerprint.section == section.id)
                .execution_options(synchronize_session=False)
            )
            gone += cast("sa.CursorResult[tuple[()]]", done).rowcount
        section.fingerprints = b""
    return gone


def without(session: Session, limit: int) -> list[str]:
    """Applications of which no fingerprints are in the record though their process has begun: of an earlier version."""
    return list(
        session.scalars(
            sa.select(Application.id)
            .where(
                Application.label == LabelKind.NATIONAL,
                Application.stage != Stage.SUBMITTED,
                ~sa.exists().where(Section.application == Application.id),
            )
            .order_by(Application.id)
            .limit(limit)
        )
    )


def shared_by(known: Iterable[Match]) -> dict[int, set[str]]:
    """The projects in whose applications each fingerprint is."""
    projects: dict[int, set[str]] = defaultdict(set)
    for one in known:
        projects[one.fingerprint].add(one.project or one.application)
    return projects


_MATCHES = (
    sa.select(Fingerprint.fingerprint, Section.name, Section.application, Application.project)
    .join(Section, Section.id == Fingerprint.section)
    .join(Application, Application.id == Section.application)
    .where(Fingerprint.fingerprint.in_(sa.bindparam("fingerprints", expanding=True)))
    .order_by(Fingerprint.fingerprint, Fingerprint.section)
)


def _packed(fingerprints: Iterable[int]) -> bytes:
    return b"".join(one.to_bytes(FINGERPRINT_BYTES, "big") for one in fingerprints)


def _unpacked(packed: bytes) -> Iterator[int]:
    for start in range(0, len(packed), FINGERPRINT_BYTES):
        yield int.from_bytes(packed[start : start + FINGERPRINT_BYTES], "big")
