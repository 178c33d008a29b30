"""The yearly cycle of the European Quality Label: begun, and its gallery published."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.runs import start
from adapters.workspace import Workspace
from labels.european_label import freezing
from labels.european_label.freezing import RulesFor
from labels.european_label.gallery import gallery
from labels.people import staff
from labels.record.schema import Application, Document, Stage
from labels.rules.loading import load_rules
from labels.steps.step import held


def rules_of_year(here: Workspace, year: int) -> RulesFor:
    """The rules by which a year's cycle goes, for every organisation."""
    day = freezing.rules_day(year)
    return lambda organisation: load_rules(organisation, day, here.settings.rules)


# The year ---------------------------------------------------------------------------------------


def begin_cycle(here: Workspace, year: int | None = None) -> str:
    """Begins the cycle of a year, by default the latest whose window is over, and starts its run; once.

    Raises:
        InvalidInput: there is no such year, or no Central Support Service.
        NotAllowed: labels of that year can still be awarded.
        OutOfReach: Prefect does not answer; `labels recover` starts the run later.
    """
    with here.record.writing() as session:
        if year is None:
            central = staff.central_organisation(session).id
            year = freezing.latest_year(lambda one: rules_of_year(here, one)(central).european, here.now())
        application = freezing.begin(here.turn(session), year, rules_of_year(here, year))
        closed = session.get_one(Application, application).stage is Stage.CLOSED
    if not closed:
        with prefect_client() as client:
            start(here, client, application)
    return application


def keep(
    session: sa.orm.Session,
    application: str,
    kind: str,
    name: str,
    key: str,
    media_type: str,
    size: int,
    now: datetime,
) -> bool:
    """Notes a stored document, once; tells whether it is new."""
    known = session.scalar(
        sa.select(Document.id).where(
            Document.application == application, Document.kind == kind, Document.name == name
        )
    )
    if known is None:
        session.add(
            Document(
                application=application,
                kind=kind,
                name=name,
                key=key,
                media_type=media_type,
                size=size,
                stored_at=now,
            )
        )
    return known is None


def publish(here: Workspace, year: int) -> str:
    """Stores a year's gallery and puts it into the folder of galleries, where a portal can fetch it.

    Raises:
        NotFound: the cycle of that year has not begun.
    """
    from adapters.papers.gallery import render_gallery

    with here.record.reading() as session:
        shown = gallery(session, year)
    page, body = render_gallery(shown)
    files = {"index.html": (page, "text/html"), "gallery.json": (body, "application/json")}
    keys = {name: here.documents.put(content, media) for name, (content, media) in files.items()}
    write_gallery(here.settings.home / "galleries" / str(year), page, body)
    with here.record.writing() as session:
        cycle = freezing.cycle_in(session, year)
        held(session, cycle.application)
        for name, (content, media) in files.items():
            stored = f"{year}-{shown.digest[:8]}-{name}"
            keep(session, cycle.application, "gallery", stored, keys[name], media, len(content), here.now())
        # Something may have been taken back while the page was made: then it is to be made again.
        cycle.published = shown.digest if gallery(session, year).digest == shown.digest else None
    return shown.digest


def write_gallery(folder: Path, page: bytes, body: bytes) -> None:
    """The gallery's two files, each replaced at one stroke."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("gallery.json", body), ("index.html", page)):
        draft = folder / f".{name}.new"
        draft.write_bytes(content)
        draft.replace(folder / name)
