"""Figures of the installation for Prometheus, at an address that people do not reach; of nobody in particular.

The labels of every figure are words of our own (stages, kinds, states, parts): no name, address or identifier.
"""

from __future__ import annotations

import hmac
import shutil
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.parts import read_parts
from adapters.prefect.client import prefect_client
from adapters.prefect.watching import STATES, Engine, look_at_engine
from adapters.workspace import Workspace
from labels.errors import OutOfReach
from labels.settings import Settings
from labels.views.operation import Figures, figures
from usecases.watching import documents_answer

AS_NEW = 5.0
"""Seconds for which the same figures are given again, however often they are asked for."""
_TAKEN = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST"})


class Measured:
    """Counts the requests of an application, by method and status, and how long they take."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self._requests = Counter(
            "labels_desk_requests",
            "Requests that the desk answered.",
            ["method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "labels_desk_request_seconds",
            "From a request's head to the end of its answer.",
            buckets=_TAKEN,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), "500"  # also where an exception leaves it

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._requests.labels(method, status).inc()
            self._seconds.observe(time.perf_counter() - began)


@dataclass(eq=False)  # the registry knows its collectors by who they are
class Installation(Collector):
    """What is asked of the record, the processes, the machine and Prefect whenever somebody wants the figures."""

    here: Workspace
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _found: list[Metric] = field(default_factory=list)
    _at: float = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """All figures; those that are a few seconds old are new enough."""
        with self._lock:
            if time.monotonic() - self._at > AS_NEW:
                self._found = [*self._of_the_record(), *self._of_the_machine(), *_of_the_processes(self.here)]
                self._found += _of_prefect()
                self._at = time.monotonic()
            return self._found

    def describe(self) -> Iterable[Metric]:
        """None: what there is is found out when it is asked for, not at the start."""
        return []

    def _of_the_record(self) -> Iterator[Metric]:
        yield _gauge(
            "labels_documents_up", "Whether the document store answers.", float(documents_answer(self.here))
        )
        try:
            with self.here.record.reading() as session:
                now = self.here.now()
                found, size = (
                    figures(session, now),
                    session.scalar(sa.text(_SIZE[session.get_bind().dialect.name])),
                )
        except OutOfReach:
            yield _gauge("labels_record_up", "Whether the record answers.", 0.0)
            return
        yield _gauge("labels_record_up", "Whether the record answers.", 1.0)
        yield _gauge("labels_record_bytes", "Size of the record's database.", float(size or 0))
        pool = self.here.record.engine.pool
        if isinstance(pool, sa.QueuePool):
            yield _gauge(
                "labels_record_connections", "Connections of the desk that are in use.", pool.checkedout()
            )
        yield from _of_cases(found)
        yield from _of_mail(found, now.timestamp())
        yield from _of_webhooks(found)

    def _of_the_machine(self) -> Iterator[Metric]:
        free = shutil.disk_usage(self.here.settings.home).free
        yield _gauge("labels_disk_free_bytes", "Room that is left where the home is.", free)


_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _gauges(name: str, what: str, labels: list[str], values: Iterable[tuple[Iterable[str], float]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=labels)
    for named, value in values:
        family.add_metric(list(named), value)
    return family


def _of_cases(found: Figures) -> Iterator[Metric]:
    yield _gauges(
        "labels_cases",
        "Applications, by label and stage.",
        ["label", "stage"],
        (((label.value, stage.value), number) for (label, stage), number in found.cases.items()),
    )
    yield _gauges(
        "labels_outcomes",
        "Decided applications, by label and outcome.",
        ["label", "outcome"],
        (((label.value, outcome.value), number) for (label, outcome), number in found.outcomes.items()),
    )
    yield _gauges(
        "labels_steps_open",
        "Steps that somebody is awaited for, by kind.",
        ["kind"],
        (((kind.value,), number) for kind, number in found.steps.items()),
    )
    yield _gauge(
        "labels_cases_late", "Open applications that await somebody whose deadline has passed.", found.late
    )


def _of_mail(found: Figures, now: float) -> Iterator[Metric]:
    mail = found.outbox
    yield _gauge("labels_mail_waiting", "Messages that have not left.", mail.waiting)
    yield _gauge(
        "labels_mail_failed", "Of these, those that several attempts could not deliver.", mail.failed
    )
    yield _gauge(
        "labels_mail_daily", "Messages that the day's message to their recipient will tell of.", mail.daily
    )
    oldest = now - mail.oldest.timestamp() if mail.oldest else 0.0
    yield _gauge("labels_mail_oldest_seconds", "How long the oldest message waits that nobody tried.", oldest)


def _of_webhooks(found: Figures) -> Iterator[Metric]:
    told = found.webhooks
    yield _gauge("labels_webhooks_waiting", "Changes that platforms are still to be told of.", told.waiting)
    yield _gauge("labels_webhooks_failing", "Of these, those that were tried in vain.", told.failing)
    yield _gauge(
        "labels_webhooks_failed",
        "Changes that no platform took for days and nobody tries any more.",
        told.given_up,
    )


def _of_the_processes(here: Workspace) -> Iterator[Metric]:
    parts = read_parts(here.settings.home)
    yield _gauges(
        "labels_part_up",
        "Whether a process runs, as its supervisor sees it.",
        ["part"],
        (((name,), one.running) for name, one in parts.items()),
    )
    yield _gauges(
        "labels_part_restarts",
        "How often a process was started again since `labels up`.",
        ["part"],
        (((name,), one.restarts) for name, one in parts.items()),
    )
    families: dict[str, Metric] = {}
    for name, one in parts.items():
        pid = one.pid
        for family in ProcessCollector("labels_part", pid=lambda: pid, registry=None).collect():  # noqa: B023
            whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                whole.add_sample(sample.name, {**sample.labels, "part": name}, sample.value)
    yield from families.values()


def _of_prefect() -> Iterator[Metric]:
    engine: Engine | None = None
    try:
        with prefect_client() as client:
            engine = look_at_engine(client)
    except OutOfReach:
        pass
    yield _gauge("labels_prefect_up", "Whether Prefect's server answers.", float(engine is not None))
    if engine is None:
        return
    yield _gauges(
        "labels_runs",
        "Runs that Prefect knows, by state.",
        ["state"],
        (((state.value.lower(),), engine.runs.get(state, 0)) for state in STATES),
    )
    yield _gauge("labels_runs_late", "Runs that should have begun, and wait.", engine.late)
    heard = max((at.timestamp() for at in engine.workers.values() if at), default=0.0)
    yield _gauge("labels_worker_heard_timestamp_seconds", "When a worker was heard of last.", heard)
    until = engine.scheduled_until.timestamp() if engine.scheduled_until else 0.0
    yield _gauge("labels_upkeep_scheduled_timestamp_seconds", "The last upkeep that is scheduled.", until)


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Binds without asking the DNS for this machine's name, which may take seconds where there is none."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = 30
    """Seconds for a request to arrive: no connection keeps a thread for ever."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a request every few seconds is no news."""


def serve_metrics(settings: Settings, registry: CollectorRegistry) -> Callable[[], None]:
    """Serves the figures where `LABELS_METRICS` says, from a thread; returns what ends it.

    Raises:
        OSError: the address can't be listened at.
    """
    host, _, port = settings.metrics.rpartition(":")
    wanted = settings.metrics_token.get_secret_value() if settings.metrics_token else ""
    inner = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if wanted and not hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
            return [b""]
        answered: Iterable[bytes] = inner(environ, start_response)
        return answered

    server = make_server(host.strip("[]"), int(port), app, _Server, _Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()

    def end() -> None:
        server.shutdown()
        server.server_close()

    return end
