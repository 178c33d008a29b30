"""When a task is tried again: only while something outside does not answer."""

from __future__ import annotations

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from labels.errors import OutOfReach


async def _is_out_of_reach(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """Only a service that does not answer is worth another try; any other fault stays one."""
    try:
        await state.aresult()
    except OutOfReach:
        return True
    except Exception:
        return False
    return False


RETRIED: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_condition_fn": _is_out_of_reach,
}
"""For tasks that reach outside: five tries within half a minute, then recovery takes over."""
