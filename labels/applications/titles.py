"""What one line calls an application."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import batches
from labels.record.schema import Application, Organisation, Project, School


def titles_of(session: Session, applications: Iterable[str]) -> dict[str, str]:
    """The title of each application's project, else the name of the school, or of the organisation, that applies."""
    return {
        row.id: row.title
        for some in batches(sorted(set(applications)))
        for row in session.execute(_TITLES, {"some": some})
    }


_TITLES = (
    sa.select(Application.id, sa.func.coalesce(Project.title, School.name, Organisation.name).label("title"))
    .outerjoin(Project, Project.id == Application.project)
    .outerjoin(School, School.id == Application.school)
    .join(Organisation, Organisation.id == Application.organisation)
    .where(Application.id.in_(sa.bindparam("some", expanding=True)))
)
