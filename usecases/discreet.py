"""Errors that tell nothing of what they were about: Prefect and its logs keep whatever an error says."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from labels.errors import LabelsError
from labels.settings import PROJECT

P = ParamSpec("P")
T = TypeVar("T")


class Unforeseen(LabelsError):
    """Something failed that nobody foresaw; says what kind of error it was and where, not what it was about."""

    exit_code = 5


def discreet(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Lets errors out of a function without their causes, and an unforeseen one as its kind and place alone.

    `what` begins the sentence that stands for it, e.g. `The answer could not be taken`.
    """

    def wrapped(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            failure: LabelsError
            try:
                return function(*args, **kwargs)
            except LabelsError as error:
                failure = bare(error)
            except Exception as error:
                failure = Unforeseen(f"{what}: {type(error).__name__} at {place(error)}.")
            # Out here, no error is being handled that Python would keep as the context of this one.
            raise failure

        return call

    return wrapped


def bare(error: LabelsError) -> LabelsError:
    """The error without what it came from."""
    alone = error.with_traceback(None)
    alone.__cause__ = alone.__context__ = None
    return alone


def place(error: Exception) -> str:
    """Where it was raised: file and line, which hold no values."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(str(PROJECT))] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
