"""Certificates to hand out: all of a label and a year, out of the store and into a folder."""

from __future__ import annotations

from prefect import flow

from tasks.gathering import gather


@flow(name="certificates", flow_run_name="Certificates · {label} · {year}")
def gather_certificates(label: str, year: int, organisation: str | None, folder: str) -> int:
    """A year's certificates of one label, of all organisations or of one; returns how many there are.

    It runs within `labels certificates`, on the machine that has the folder, and is deployed nowhere.
    """
    return gather(label, year, organisation, folder)
