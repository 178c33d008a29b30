"""Where runs are in Prefect's pages; needs nothing of Prefect."""

from __future__ import annotations

from labels.settings import Settings


def run_page(settings: Settings, run: str) -> str:
    """The address of a run's page, where its Resume button is."""
    return f"{settings.site_url}/runs/flow-run/{run}"
