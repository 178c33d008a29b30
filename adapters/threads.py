"""Work in a thread of its own, for which nothing waits when the program is ended: Ctrl-C ends it at once."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(work: Callable[[], T], name: str) -> Future[T]:
    """What work comes to that has just begun; what is set for the caller alone holds for it, too.

    A `ThreadPoolExecutor` waits for all of its work before the program ends, however it is ended. So the work must be
    something that may break off at any point, as if the program were killed.
    """
    found: Future[T] = Future()
    here = contextvars.copy_context()

    def do() -> None:
        try:
            found.set_result(here.run(work))
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=do, name=name, daemon=True).start()
    return found
