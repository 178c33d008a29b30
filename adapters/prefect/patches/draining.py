"""Which of Prefect's services in a process were used, so that the others need not be started to be ended."""

from __future__ import annotations

from prefect._internal.concurrency.services import _QueueServiceBase
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker


def tell_what_was_used() -> None:
    """Waits until the logs and the events of this process were sent; the events' connection stays for the next run."""
    used: list[object] = list(_QueueServiceBase._instances.values())  # type: ignore[misc]  # of both kinds
    for service in used:
        if isinstance(service, APILogWorker):
            service.drain()
        elif isinstance(service, EventsWorker):
            service.wait_until_empty()
