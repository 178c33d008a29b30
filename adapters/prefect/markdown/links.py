"""Addresses under which documents can be opened for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from adapters.workspace import Workspace
from labels.views.about import DocumentFile

Links = Callable[[DocumentFile, int], str]
"""The address under which a document can be opened for so many days."""


def links(here: Workspace) -> Links:
    """What makes the addresses of documents in this workspace's store, counting the days from now."""

    def link(document: DocumentFile, days: int) -> str:
        now = here.now()
        until = now + timedelta(days=days)
        return here.documents.link(document.key, document.name, document.media_type, until, now)

    return link
