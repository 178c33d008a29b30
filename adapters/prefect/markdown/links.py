"""Addresses under which documents can be opened for a while, on our own page, wherever they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from adapters.documents.store import checked_key
from adapters.documents.tokens import DownloadPass
from adapters.workspace import Workspace
from labels.record.schema import Step
from labels.steps.reading import readers
from labels.views.about import DocumentFile

Links = Callable[[DocumentFile, int | None], str]
"""The address under which a document can be opened for so many days, or while something is asked."""


def links(here: Workspace, awaited: Iterable[Step] = ()) -> Links:
    """What makes the addresses of documents in this workspace's store.

    Those that expire count the days from now; others are good for those of whom something is asked (`awaited`).
    """
    steps = readers(awaited)

    def link(document: DocumentFile, days: int | None) -> str:
        until = None if days is None else here.now() + timedelta(days=days)
        of = () if until else steps
        leave = DownloadPass(checked_key(document.key), document.name, document.media_type, until, of)
        return f"{here.settings.links_url.rstrip('/')}/documents/{leave.token(here.key)}"

    return link
