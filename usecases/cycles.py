"""The yearly cycle of the European Quality Label: its rules, and its gallery published."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.applications.documents import StoredDocument
from labels.applications.uploads.inspecting import inspect
from labels.applications.uploads.limits import MediaType
from labels.clock import wall_clock
from labels.errors import Fault, InvalidInput, LabelsError, NotAllowed, NotFound
from labels.european_label import contributions, freezing
from labels.european_label.contributions import Given, Part
from labels.european_label.freezing import RulesFor
from labels.european_label.gallery import (
    FILES,
    PICTURES,
    Gallery,
    gallery,
    published,
    shows_picture,
    stored_as,
)
from labels.identifiers import document_key
from labels.people.staff import central_organisation
from labels.record.documents import delete_unnamed
from labels.record.journal import Event, note
from labels.record.schema import Cycle, Document
from labels.rules.loading import load_rules
from labels.steps.outcome import Accepted
from labels.steps.proof import Proof
from labels.steps.step import locked
from labels.turn import Door, Turn
from labels.words.sentences import say
from usecases.acts import Act, as_coordinator_of, needs_words
from usecases.performing import perform

log = logging.getLogger(__name__)


def rules_of_year(here: Workspace, year: int) -> RulesFor:
    """The rules by which a year's cycle goes, for every organisation."""
    day = freezing.rules_day(year)
    return lambda organisation: load_rules(organisation, day, here.settings.rules)


def publish(here: Workspace, year: int, *, folder_too: bool = True) -> str:
    """Stores a year's gallery, and puts it into this host's folder of galleries; the digest of what is published.

    Args:
        folder_too: also where this host has no folder of it yet, which the desk leaves to upkeep.

    Raises:
        NotFound: the cycle of that year has not begun.
    """
    from adapters.papers.gallery import render_gallery

    with here.record.reading() as session:
        shown = gallery(session, year)
    page, body = render_gallery(shown)
    files = {name: (content, FILES[name]) for name, content in _named(page, body).items()}
    keys = {name: here.documents.put(content, media) for name, (content, media) in files.items()}
    folder = folder_of(here, year)
    if folder_too or folder.is_dir():
        write_gallery(here, shown, folder, page, body)
    with here.record.writing() as session:
        cycle = freezing.cycle_in(session, year)
        locked(session, cycle.application)
        session.refresh(cycle, with_for_update=True)
        for name, (content, media) in files.items():
            stored = stored_as(year, shown.digest, name)
            document = Document(
                application=cycle.application, kind="gallery", name=stored, key=keys[name],
                media_type=media, size=len(content), stored_at=here.now(),
            )  # fmt: skip
            _keep(here.turn(session), document)
        _forget_former(
            here.turn(session), cycle.application, [stored_as(year, shown.digest, name) for name in files]
        )
        # Something may have been taken back while the page was made: then it is to be made again.
        cycle.published = shown.digest if gallery(session, year).digest == shown.digest else None
    return shown.digest


def publish_by(here: Workspace, year: int, seen: str, by: Proof, door: Door) -> str:
    """Publishes a year's gallery as the Central Support Service wants it; the digest of what is published.

    `seen` is the digest of the preview that they looked at: nothing that came after it goes out with it.

    Raises:
        NotFound: the cycle of that year has not begun.
        NotAllowed: they do not coordinate the Central Support Service, or nothing is awarded yet.
    """

    def do(turn: Turn) -> Accepted:
        cycle = freezing.cycle_in(turn.session, year)
        if cycle.awarded_at is None:
            raise NotAllowed(say("Nothing is awarded yet: the gallery is published after the award."))
        waiting = contributions.waiting(turn.session, year)
        shown = gallery(turn.session, year, preview=True)
        if shown.digest != seen:
            raise NotAllowed(
                say("Something has changed since you saw this: look at it, and publish it again.")
            )
        # What a project gave that is not awarded now, such as one whose label is decided again, nobody has looked at.
        projects = {project.project for country in shown.countries for project in country.projects}
        contributions.release(turn, year, [one for one in waiting if one.project in projects])
        note(turn, None, turn.by, Event.PUBLISHED_A_GALLERY, year=year)
        return Accepted("", "It is published.", concerned=())

    perform(here, as_coordinator_of(lambda session: [central_organisation(session).id], do), by=by, door=door)
    return publish(here, year, folder_too=False)


def give(award: str, given: Given) -> Act:
    """What a teacher of an awarded project gives for its gallery."""
    return lambda turn, proof: contributions.give(turn, proof, award, given)


def take_back(award: str) -> Act:
    """Takes back what a teacher gave."""
    return lambda turn, proof: contributions.take_back(turn, proof, award)


def strike(year: int, project: str, part: Part, reason: str) -> Act:
    """The Central Support Service takes words or a picture out."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        contributions.strike(turn, year, project, part, reason)
        return Accepted("", "It is taken out.", concerned=())

    return as_coordinator_of(lambda session: [central_organisation(session).id], do)


def contribute(here: Workspace, year: int, act: Act, by: Proof, door: Door) -> None:
    """Changes what was given for the gallery of a year; what of it was published goes out of it at once.

    Raises:
        LabelsError: it was refused; nothing was changed.
    """
    perform(here, act, by=by, door=door)
    try:
        if is_published(here, year):
            publish(here, year, folder_too=False)
    except (LabelsError, OSError) as error:  # such as a picture that was taken back meanwhile
        log.warning("the gallery of %s could not be made again; upkeep does it: %s", year, error)


def put_picture(here: Workspace, content: bytes) -> StoredDocument:
    """A picture in the document store as it would be published: drawn anew within one size, with nothing else that the file held.

    Raises:
        InvalidInput: it is no PNG or JPEG, or can't be opened.
        OutOfReach: the store does not answer.
    """
    from adapters.documents.previews import NotShown, drawn_for_everybody

    no_picture = say("It is no picture that opens: choose a PNG or a JPEG.")
    try:
        upload = inspect(("picture", content))
        if upload.media_type not in (MediaType.PNG, MediaType.JPEG):
            raise InvalidInput("gallery", [Fault("picture", no_picture)])
        picture = drawn_for_everybody(content)
    except NotShown as error:
        raise InvalidInput("gallery", [Fault("picture", no_picture)]) from error
    except InvalidInput as error:
        raise InvalidInput("gallery", [replace(one, where="picture") for one in error.faults]) from error
    key = here.documents.put(picture, PICTURE)
    return StoredDocument("gallery", PICTURE_NAME, key, PICTURE, len(picture))


PICTURE = "image/webp"
"""What pictures are published as."""
PICTURE_NAME = "picture.webp"
"""What they are called in the record, whatever their files were."""


def publish_stale(here: Workspace) -> list[int]:
    """Makes the galleries again in which something has changed, and this host's folders that are behind; their years."""
    with here.record.reading() as session:
        awarded = session.scalars(sa.select(Cycle.year).where(Cycle.awarded_at.is_not(None))).all()
        behind = [year for year in awarded if not _has_folder(here, year, published(session, year))]
    return [year for year in behind if _made_again(here, year)]


def _made_again(here: Workspace, year: int) -> bool:
    """Whether it could be made: where not, the next upkeep does it, and this one goes on."""
    try:
        publish(here, year)
    except (LabelsError, OSError) as error:
        log.error("the gallery of %s could not be made again: %s", year, error)
        return False
    return True


def is_published(here: Workspace, year: int) -> bool:
    """Whether a year's gallery is there for everybody."""
    with here.record.reading() as session:
        return published(session, year) is not None


def published_file(here: Workspace, year: int, name: str) -> bytes:
    """The page or the data of a year's published gallery, from the record and the document store.

    Another host may have published it, and something may have been taken back at a third: no folder is looked at.

    Raises:
        NotFound: it is not published.
    """
    from adapters.papers.gallery import render_gallery

    with here.record.reading() as session:
        keys = published(session, year)
        if keys is None:
            raise NotFound("There is nothing here.")
    if name in keys:
        with contextlib.suppress(NotFound):  # it is published anew, and this one deleted
            return here.documents.get(keys[name])
    with here.record.reading() as session:
        shown = gallery(session, year)
    return _named(*render_gallery(shown))[name]


def published_picture(here: Workspace, year: int, name: str) -> bytes:
    """A picture that a year's published gallery shows now.

    Raises:
        NotFound: it shows none of that name.
    """
    if not IS_PICTURE.fullmatch(name):
        raise NotFound("There is nothing here.")
    key = document_key(Path(name).stem)
    with here.record.reading() as session:
        if published(session, year) is None or not shows_picture(session, year, key):
            raise NotFound("There is nothing here.")
    return here.documents.get(key)


def folder_of(here: Workspace, year: int) -> Path:
    """This host's folder of a year's gallery, from which a web server or a portal may take it."""
    return here.settings.home / "galleries" / str(year)


def _named(page: bytes, body: bytes) -> dict[str, bytes]:
    return {"index.html": page, "gallery.json": body}


def _has_folder(here: Workspace, year: int, keys: Mapping[str, str] | None) -> bool:
    """Whether this host's folder has the files that are published, by their keys."""
    try:
        return bool(keys) and all(
            document_key(hashlib.sha256((folder_of(here, year) / name).read_bytes()).hexdigest()) == key
            for name, key in (keys or {}).items()
        )
    except OSError:
        return False


def write_gallery(here: Workspace, shown: Gallery, folder: Path, page: bytes, body: bytes) -> None:
    """The gallery's files, each replaced at one stroke; a web server may read them, for they are for everybody.

    Pictures are there before the page that shows them, and go after it.
    """
    for place in (folder, folder / PICTURES):
        if not place.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o755)
        _remove_drafts(place)
    pictures = {one.file: one.key for one in shown.pictures}
    for name, key in pictures.items():
        if not (folder / name).is_file():  # its name is the digest of its content
            try:
                content = here.documents.get(key)
            except NotFound as error:  # its text says what was to be seen
                log.error("a picture is missing in the gallery of %s: %s", shown.year, error)
            else:
                _write(folder / name, content)
    _write(folder / "gallery.json", body)
    _write(folder / "index.html", page)
    for path in (folder / PICTURES).glob("*.webp"):
        if IS_PICTURE.fullmatch(path.name) and f"{PICTURES}/{path.name}" not in pictures:
            path.unlink(missing_ok=True)


IS_PICTURE = re.compile(r"[0-9a-f]{64}\.webp")
"""What pictures in the folder of a gallery are called."""


def _write(path: Path, content: bytes) -> None:
    # A name of its own: two who publish at once do not take each other's.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_DRAFT}")
    try:
        draft.write_bytes(content)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


_DRAFT = ".new"
_LEFT = timedelta(hours=1)
"""So old is a draft only if whoever wrote it was killed."""


def _remove_drafts(folder: Path) -> None:
    """Removes what somebody who was killed left: it may hold what was taken back since."""
    before = (wall_clock() - _LEFT).timestamp()
    for path in folder.glob(f".*{_DRAFT}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


def _forget_former(turn: Turn, application: str, present: Collection[str]) -> None:
    """Deletes galleries that were published before: what was taken back since would be in them for ever."""
    former = sa.delete(Document).where(
        Document.application == application, Document.kind == "gallery", Document.name.not_in(present)
    )
    delete_unnamed(turn, turn.session.scalars(former.returning(Document.key)).all())


def _keep(turn: Turn, document: Document) -> None:
    """Notes a stored document of an application, once; the same gallery may look another way in another version."""
    same = {"application": document.application, "kind": document.kind, "name": document.name}
    there = turn.session.scalar(sa.select(Document).filter_by(**same))
    if there is None:
        turn.session.add(document)
    elif there.key != document.key:
        former = there.key
        there.key, there.size, there.stored_at = document.key, document.size, document.stored_at
        delete_unnamed(turn, [former])
