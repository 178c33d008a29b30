"""The small process on django-viewflow: processes and tasks are rows of Django's ORM, moved on in the caller's thread."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

from benchmarks.peers.driving import Order, drive, open_office


def configure(home: Path, url: str) -> None:
    """Django with nothing but what the workflow needs, and its tables."""
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": home / "viewflow.db",
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
    if url:
        at = urlsplit(url)
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": at.path.removeprefix("/"), "USER": at.username, "PASSWORD": at.password,
            "HOST": at.hostname, "PORT": at.port,
        }  # fmt: skip
    database["CONN_MAX_AGE"] = None
    urls = types.ModuleType("small_process_urls")
    urls.urlpatterns = []  # type: ignore[attr-defined]  # nobody comes over the web
    sys.modules[urls.__name__] = urls
    settings.configure(
        SECRET_KEY="benchmark",
        USE_TZ=True,
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF=urls.__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "viewflow",
            "viewflow.workflow",
            "benchmarks.peers.viewflow_app",
        ],
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


class Viewflow:
    """Processes of one flow, and the user who approves."""

    def __init__(self, home: Path, url: str) -> None:
        configure(home, url)
        from django.contrib.auth.models import User
        from viewflow.workflow import STATUS
        from viewflow.workflow.models import Task

        from benchmarks.peers.viewflow_app.flows import SmallProcess

        self._file, self._url = home / "viewflow.db", url
        self._flow, self._tasks, self._new = SmallProcess, Task.objects, STATUS.NEW
        self._user = User.objects.create_user("coordinator")
        self._processes: dict[str, Any] = {}

    def submit(self, form: dict[str, Any]) -> None:
        self._processes[form["id"]] = self._flow.start.run(form=form).pk

    def waiting(self) -> int:
        return len(self._processes)

    def approve(self, identifier: str) -> None:
        waiting = self._tasks.get(
            process_id=self._processes[identifier], flow_task=self._flow.approve, status=self._new
        )
        with waiting.activation() as activation:
            activation.assign(self._user)
            activation.start(None)
            activation.execute()

    def database(self) -> Path | str:
        return self._url or self._file


if __name__ == "__main__":
    order = Order.read()
    office = open_office()
    drive(order, office, Viewflow(order.home, order.engine_url))
