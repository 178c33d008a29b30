"""A desk that is killed before a chosen statement to its database: `python -m tests.support.mortal_desk`.

Reads lives from standard input, a line of JSON each: the settings, and which statement of the next *hand in* is its last
(0 for none). Each life is a process of its own that serves the desk; when it has ended, a line says how, and which
statements it came to. One life costs a fork and no import.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import adapters.prefect.client
import adapters.prefect.runs  # noqa: F401 - every life would import both
from adapters.documents.directory import DirectoryStore
from adapters.fonts import missing_characters
from adapters.workspace import open_workspace
from desk.app import public_app
from labels.settings import Settings


class Last:
    """Counts what a process does while it answers *hand in*, and ends it before one of these things."""

    def __init__(self, number: int, told: Path) -> None:
        self.number = number
        self.told = told.open("ab", buffering=0)
        self.passed = 0
        self.armed = False

    def comes_to(self, what: str) -> None:
        """One thing that it is about to do."""
        if not self.armed:
            return
        self.passed += 1
        self.told.write(f"{' '.join(what.split())[:90]}\n".encode())
        if self.passed == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def listen(self) -> None:
        """Has it told of each statement, COMMIT and ROLLBACK, and of each document that is stored."""
        sa.event.listen(
            sa.Engine, "before_cursor_execute", lambda _c, _cur, statement, *_: self.comes_to(statement)
        )
        sa.event.listen(sa.Engine, "commit", lambda _: self.comes_to("COMMIT"))
        sa.event.listen(sa.Engine, "rollback", lambda _: self.comes_to("ROLLBACK"))
        put = DirectoryStore.put

        def stored(*given: Any) -> str:
            self.comes_to("a document is stored")
            return put(*given)

        setattr(DirectoryStore, "put", stored)  # noqa: B010 - in this process alone, which a checker of types cannot know

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, of which one form counts."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.armed = scope.get("method") == "POST" and scope["path"].endswith("/check")

            async def sends(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.comes_to("it is answered")
                await send(message)

            await app(scope, receive, sends)

        return counted


def live(given: dict[str, Any]) -> None:
    """Serves until the end."""
    settings = Settings(_env_file=None, **given["settings"])
    last = Last(given["last"], Path(given["told"]))
    last.listen()
    host, _, port = settings.listen.rpartition(":")
    app = last.around(public_app(open_workspace(settings)))
    uvicorn.run(app, host=host, port=int(port), log_level="critical", access_log=False)


def main() -> None:
    """One life after the other."""
    missing_characters("x")  # reads fonts
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            live(json.loads(line))
            os._exit(0)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
