"""Redis, by which several servers of Prefect share messages, leases and schedules: how it is set, and whether it answers."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis

from labels.errors import OutOfReach
from labels.settings import Settings

ANSWERS_WITHIN = 5.0
"""Seconds."""
TRIMMED_AFTER = 60
"""Seconds after which a consumer that was not heard of keeps no events any more: else they stay for one that is gone."""


def shared_environment(settings: Settings) -> dict[str, str]:
    """What Prefect's servers share by Redis; nothing where one server has all to itself."""
    url = settings.redis_url
    if not url:
        return {}
    return {
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE": "prefect_redis.cleanup_queue",
        "PREFECT_REDIS_MESSAGING_URL": url,
        "PREFECT_REDIS_MESSAGING_CONSUMER_TRIM_IDLE_THRESHOLD": str(TRIMMED_AFTER),
        # The queue of clean-ups takes nothing from the messages' settings, and would look for Redis on this machine.
        "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL": url,
        "PREFECT_SERVER_DOCKET_URL": url,
    }


def see_that_redis_answers(settings: Settings) -> None:
    """Asks Redis once.

    Raises:
        OutOfReach: it does not answer, or lets nobody in with this password.
    """
    try:
        with redis.Redis.from_url(
            settings.redis_url, socket_timeout=ANSWERS_WITHIN, socket_connect_timeout=ANSWERS_WITHIN
        ) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:  # ValueError: what stands for the port is none
        why = str(error).strip() or type(error).__name__
        raise OutOfReach(
            f"Redis at {urlsplit(settings.redis_url).hostname or 'this machine'}",
            f"{why.rstrip('.')}.",
            "Nothing was lost; start it, or correct LABELS_REDIS_URL.",
        ) from None
