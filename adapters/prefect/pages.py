"""Where people find things: a run in Prefect's pages, a document in the store; needs nothing of Prefect."""

from __future__ import annotations

from datetime import timedelta

from adapters.prefect.markdown.common import Links
from adapters.workspace import Workspace
from labels.settings import Settings
from labels.views.about import DocumentFile


def run_page(settings: Settings, run: str) -> str:
    """The address of a run's page, where its Resume button is."""
    return f"{settings.site_url}/runs/flow-run/{run}"


def links(here: Workspace) -> Links:
    """What makes the address under which a document can be opened for so many days from now."""

    def link(document: DocumentFile, days: int) -> str:
        now = here.now()
        until = now + timedelta(days=days)
        return here.documents.link(document.key, document.name, document.media_type, until, now)

    return link
