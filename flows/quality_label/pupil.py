"""The Pupil Quality Label: a labelled teacher's class gets its certificates, and its names are forgotten."""

from __future__ import annotations

from prefect import flow

from tasks.pupil import hand_over, print_certificates


@flow(
    name="pupil-quality-label",
    flow_run_name="PQL · {award} · {pupils} pupils",
    persist_result=False,
    log_prints=False,
)
def pupil_quality_label(award: str, number: str, pupils: int) -> int:
    """One class of the teacher who holds the award; returns how many pupils got a certificate.

    It runs within `labels pupils`, in whose memory the names are, and is deployed nowhere. The code was
    proved before, and is spent when the certificates are in the teacher's folder: a command that was
    interrupted can be given again.
    """
    print_certificates(number)
    return hand_over(number)
