"""The work pool is there for whoever deploys, whoever made it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

import adapters.prefect.environment
from adapters.prefect.environment import see_to_work_pool

REFUSED = httpx.HTTPError("as Prefect's server says it")


class Pools:
    """Prefect's server as far as its pools go; a worker may make one just after somebody looked."""

    def __init__(self, *there: str, worker_comes: bool = False) -> None:
        self.limits: dict[str, int | None] = dict.fromkeys(there, 3)
        self.worker_comes = worker_comes

    def read_work_pool(self, name: str) -> None:
        if name not in self.limits:
            if self.worker_comes:
                self.limits[name] = 3
            raise ObjectNotFound(REFUSED)

    def create_work_pool(self, wanted: WorkPoolCreate) -> None:
        if wanted.name in self.limits:
            raise ObjectAlreadyExists(REFUSED)
        self.limits[wanted.name] = wanted.concurrency_limit

    def update_work_pool(self, name: str, wanted: WorkPoolUpdate) -> None:
        self.limits[name] = wanted.concurrency_limit


@pytest.mark.parametrize(
    "pools", [Pools(), Pools("labels"), Pools(worker_comes=True)], ids=["new", "there", "made meanwhile"]
)
def test_it_is_there_once_and_without_a_limit(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def client() -> Iterator[Any]:
        yield pools

    monkeypatch.setattr(adapters.prefect.environment, "prefect_client", client)
    see_to_work_pool("labels", "warm")
    assert pools.limits == {"labels": None}
