"""The yearly cycle of the European Quality Label: its rules, and its gallery published."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.errors import NotAllowed
from labels.european_label import freezing
from labels.european_label.freezing import RulesFor
from labels.european_label.gallery import gallery
from labels.people.staff import central_organisation
from labels.record.journal import Event, note
from labels.record.schema import Document
from labels.rules.loading import load_rules
from labels.steps.outcome import Accepted
from labels.steps.proof import Proof
from labels.steps.step import locked
from labels.turn import Door, Turn
from labels.words.sentences import say
from usecases.acts import as_coordinator_of
from usecases.performing import perform


def rules_of_year(here: Workspace, year: int) -> RulesFor:
    """The rules by which a year's cycle goes, for every organisation."""
    day = freezing.rules_day(year)
    return lambda organisation: load_rules(organisation, day, here.settings.rules)


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
        locked(session, cycle.application)
        for name, (content, media) in files.items():
            stored = f"{year}-{shown.digest[:8]}-{name}"
            document = Document(
                application=cycle.application, kind="gallery", name=stored, key=keys[name],
                media_type=media, size=len(content), stored_at=here.now(),
            )  # fmt: skip
            _keep(session, document)
        # Something may have been taken back while the page was made: then it is to be made again.
        cycle.published = shown.digest if gallery(session, year).digest == shown.digest else None
    return shown.digest


def publish_by(here: Workspace, year: int, by: Proof, door: Door) -> str:
    """Publishes a year's gallery as the Central Support Service wants it; the digest of what is published.

    Raises:
        NotFound: the cycle of that year has not begun.
        NotAllowed: they do not coordinate the Central Support Service, or nothing is awarded yet.
    """

    def do(turn: Turn) -> Accepted:
        cycle = freezing.cycle_in(turn.session, year)
        if cycle.awarded_at is None:
            raise NotAllowed(say("Nothing is awarded yet: the gallery is published after the award."))
        note(turn, None, turn.by, Event.PUBLISHED_A_GALLERY, year=year)
        return Accepted("", "It is published.", concerned=())

    perform(here, as_coordinator_of(lambda session: [central_organisation(session).id], do), by=by, door=door)
    return publish(here, year)


def published(here: Workspace, year: int) -> Path | None:
    """The folder in which a year's gallery is published; None where it is not."""
    folder = here.settings.home / "galleries" / str(year)
    return folder if (folder / "index.html").is_file() else None


def write_gallery(folder: Path, page: bytes, body: bytes) -> None:
    """The gallery's two files, each replaced at one stroke; a web server may read them, for they are for everybody."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    for name, content in (("gallery.json", body), ("index.html", page)):
        draft = folder / f".{name}.new"
        draft.write_bytes(content)
        draft.chmod(0o644)
        draft.replace(folder / name)


def _keep(session: Session, document: Document) -> None:
    """Notes a stored document of an application, once."""
    same = {"application": document.application, "kind": document.kind, "name": document.name}
    if session.scalar(sa.select(Document.id).filter_by(**same)) is None:
        session.add(document)
