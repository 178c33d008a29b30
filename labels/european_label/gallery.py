"""What the gallery of a year shows: the awarded projects by country, with their schools, nobody's name, and what they gave for it."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session

from labels.applications.file import digest
from labels.clock import brussels_day
from labels.european_label.freezing import cycle_in
from labels.identifiers import document_key
from labels.record.schema import (
    Award,
    Awarded,
    Cycle,
    CycleLabel,
    CycleProject,
    Document,
    GalleryContribution,
    Project,
    School,
)
from labels.words.countries import country_name


class GallerySchool(BaseModel):
    """A school of an awarded project."""

    school: str
    city: str


class GalleryPicture(BaseModel):
    """A picture that a teacher of an awarded project gave."""

    file: str
    """Its path beside the page."""
    shows: str
    """What is to be seen on it, for whoever does not see it."""
    credit: str

    @property
    def key(self) -> str:
        """Its key in the document store."""
        return document_key(PurePosixPath(self.file).stem)


class GalleryProject(BaseModel):
    """An awarded project as one country shows it."""

    project: str
    title: str
    schools: list[GallerySchool]
    partners: list[str]
    """The other countries whose teachers won the label for it, by name."""
    words: str = ""
    """What one of its teachers says of it."""
    picture: GalleryPicture | None = None


class GalleryCountry(BaseModel):
    """A country's awarded projects, by title."""

    country: str
    """ISO 3166-1 code."""
    name: str
    projects: list[GalleryProject]


class Gallery(BaseModel):
    """The gallery of a year, as a portal can take it over."""

    year: int
    awarded_on: date | None
    projects: int
    countries: list[GalleryCountry]

    @property
    def pictures(self) -> list[GalleryPicture]:
        """The pictures in it; a project that several countries show has its own once for each."""
        every = (project.picture for country in self.countries for project in country.projects)
        return [one for one in every if one is not None]

    @property
    def digest(self) -> str:
        """The same for the same content: another one means that the gallery is to be made again."""
        return digest(self.model_dump(mode="json"))


PICTURES = "pictures"
"""The folder of the pictures, beside the page."""


def gallery(session: Session, year: int, *, preview: bool = False) -> Gallery:
    """The awards of a year that hold now.

    What projects gave for it is in it once it was released; with `preview`, what is to be looked at too.

    Raises:
        NotFound: the cycle of that year has not begun.
    """
    cycle = cycle_in(session, year)
    given = _given(session, year, preview)
    rows = session.execute(
        _held(
            year, CycleLabel.project, Project.title, CycleLabel.country, School.id.label("school"), School.name, School.city
        ).distinct()
    ).all()  # fmt: skip
    countries: dict[str, dict[str, set[tuple[str, str, str]]]] = {}
    titles: dict[str, str] = {}
    where: dict[str, set[str]] = {}
    for row in rows:
        titles[row.project] = row.title
        where.setdefault(row.project, set()).add(row.country)
        schools = countries.setdefault(row.country, {}).setdefault(row.project, set())
        if row.school:
            schools.add((row.name, row.city, row.school))
    return Gallery(
        year=year,
        awarded_on=brussels_day(cycle.awarded_at) if cycle.awarded_at else None,
        projects=len(titles),
        countries=[
            GalleryCountry(
                country=country,
                name=country_name(country),
                projects=[
                    GalleryProject(
                        project=project,
                        title=titles[project],
                        schools=[GallerySchool(school=name, city=city) for name, city, _ in sorted(schools)],
                        partners=sorted(country_name(other) for other in where[project] - {country}),
                        words=given[project].words if project in given else "",
                        picture=_picture(given[project]) if project in given else None,
                    )
                    for project, schools in sorted(own.items(), key=lambda item: (titles[item[0]], item[0]))
                ],
            )
            for country, own in sorted(countries.items(), key=lambda item: country_name(item[0]))
        ],
    )


def _held(year: int, *columns: sa.ColumnElement[Any] | sa.orm.InstrumentedAttribute[Any]) -> sa.Select[Any]:
    """Of the labels of a year's awarded projects, those that hold now."""
    national, european = sa.orm.aliased(Award), sa.orm.aliased(Award)
    return (
        sa.select(*columns)
        .select_from(CycleLabel)
        .join(
            CycleProject,
            sa.and_(CycleProject.year == CycleLabel.year, CycleProject.project == CycleLabel.project),
        )
        .join(Project, Project.id == CycleLabel.project)
        .join(national, national.id == CycleLabel.award)
        .outerjoin(european, european.id == CycleLabel.european)  # none where they won it in an earlier year
        .outerjoin(School, School.id == CycleLabel.school)
        .where(
            CycleLabel.year == year,
            CycleProject.awarded == Awarded.AWARDED,
            national.revoked_at.is_(None),
            european.revoked_at.is_(None),
        )
    )


def shows_picture(session: Session, year: int, key: str) -> bool:
    """Whether the gallery of a year shows a picture now, by its key in the document store."""
    project = sa.select(GalleryContribution.project).where(
        GalleryContribution.year == year,
        GalleryContribution.key == key,
        GalleryContribution.released_at.is_not(None),
    )
    held = _held(year, CycleLabel.project).where(CycleLabel.project.in_(project)).limit(1)
    return session.scalar(held) is not None


def published(session: Session, year: int) -> dict[str, str] | None:
    """The files of a year's published gallery as the document store has them, by name; None where it is not published.

    Empty where something was taken back since: what is stored still shows it.
    """
    cycle = session.get(Cycle, year)
    if cycle is None or cycle.awarded_at is None:
        return None
    stored = sa.select(Document.name, Document.key).filter_by(application=cycle.application, kind="gallery")
    keys = dict(session.execute(stored).tuples().all())
    if not keys:
        return None
    if cycle.published is None:
        return {}
    names = {name: stored_as(year, cycle.published, name) for name in FILES}
    return {name: keys[stored] for name, stored in names.items() if stored in keys}


def stored_as(year: int, digest: str, name: str) -> str:
    """What a file of a gallery with some content is called in the record."""
    return f"{year}-{digest[:8]}-{name}"


FILES = {"index.html": "text/html", "gallery.json": "application/json"}
"""The page and the data, with their media types."""


def _given(session: Session, year: int, preview: bool) -> dict[str, GalleryContribution]:
    released = sa.true() if preview else GalleryContribution.released_at.is_not(None)
    rows = session.scalars(sa.select(GalleryContribution).where(GalleryContribution.year == year, released))
    return {row.project: row for row in rows}


def _picture(row: GalleryContribution) -> GalleryPicture | None:
    if row.key is None:
        return None
    file = f"{PICTURES}/{PurePosixPath(row.key).name}.webp"
    return GalleryPicture(file=file, shows=row.shows or "", credit=row.credit or "")
