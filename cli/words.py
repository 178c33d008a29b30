"""What all commands share: their options, the words of their errors, and how a proof is given."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from adapters.workspace import workspace
from cli.output import fail
from labels.applications.existing import is_empty
from labels.errors import Fault, InvalidInput, LabelsError, NotFound, OutOfReach
from labels.files import contents
from labels.record.engine import as_one, place_of
from labels.words.addresses import meant
from labels.words.json_text import read_json_text
from labels.words.text import clean, has_words, one_line

P = ParamSpec("P")


T = TypeVar("T")


def plain(value: str) -> str:
    """A word of a command as text: a shell may hand over what no eye sees, or bytes that are no text."""
    return clean(value).strip()


def address(value: str) -> str:
    """An address as the record writes it: small letters, and `ü` for `xn--…` in its domain."""
    return meant(plain(value))


def reason_given(value: str) -> str:
    """A reason as text; refused where it says nothing."""
    if not has_words(said := plain(value)):
        raise typer.BadParameter("expected a sentence that says why")
    return said


_FIRST_DAY = date(1900, 1, 1)
_LAST_DAY = date(9999, 12, 30)
"""Beyond these, a day is a slip, and can't be counted from."""


def day_given(of: str, option: str, typed: str, such_as: str) -> date | None:
    """A day as it was typed; None where none was.

    Raises:
        InvalidInput: it is no day; names the option of the command `of`.
    """
    if not typed:
        return None
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(typed)
        if _FIRST_DAY <= day <= _LAST_DAY:
            return day
    fault = Fault(
        option, f"“{one_line(typed, 40)}” is not a date; expected year-month-day such as {such_as}."
    )
    raise InvalidInput(of, [fault])


def seconds(value: float) -> float:
    """Up to a year of seconds, and no NaN."""
    if not 0 <= value <= YEAR:
        raise typer.BadParameter(f"expected 0 to {YEAR} seconds")
    return value


YEAR = 366 * 86_400


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


As = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who you are.", callback=address)]


SeenAs = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="EMAIL",
        help="Only what this person may see of it; an id (PER-…) where several share an address.",
        callback=plain,
    ),
]


CODE = "LABELS_CODE"
"""Where a code can come from beside a command's own words, which other users of the machine can read."""
_OF_CODE = "The one-time code from your mail; - reads it from standard input."


def code_given(value: str) -> str:
    """The code of a command; `-` stands for a line of standard input, which a terminal does not show."""
    if value.strip() != "-":
        return plain(value)
    if sys.stdin.isatty():
        return plain(str(typer.prompt("Code", hide_input=True, err=True)))
    return plain(sys.stdin.readline(_LONGEST_CODE))


_LONGEST_CODE = 200


def code_given_with_name(context: typer.Context, value: str) -> str:
    """The same where a command does without a code and a name too: the environment's counts beside a name alone."""
    if not value and context.params.get("email"):
        value = os.environ.get(CODE, "")
    return code_given(value)


Code = Annotated[str, typer.Option(help=_OF_CODE, envvar=CODE, callback=code_given)]


Reason = Annotated[str, typer.Option(help="Why; it is kept in the journal.", callback=reason_given)]


WithoutAs = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who you are.", callback=address)]


WithoutCode = Annotated[str, typer.Option(help=_OF_CODE, callback=code_given_with_name)]


WithoutReason = Annotated[str, typer.Option(help="Why; it is told to whom it concerns.", callback=plain)]


OneApplication = Annotated[str, typer.Argument(metavar="APPLICATION", callback=plain)]


OneStep = Annotated[str, typer.Argument(metavar="STEP", callback=plain)]


def worded(function: Callable[P, T]) -> Callable[P, T]:
    """Words the project's errors for people, and gives them their exit codes."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with as_one():
                return function(*args, **kwargs)
        except NotFound as error:
            fail(error, where_looked())
        except LabelsError as error:
            fail(error)
        except BrokenPipeError:
            raise  # whoever read our output has enough of it; that is no fault
        except OSError as error:
            fail(OutOfReach(str(error.filename or "This machine"), f"{error.strerror or error}."))

    return run


def where_looked() -> str:
    """Where a record was looked at that has nothing in it, which is seldom the one that was meant."""
    if not workspace.cache_info().currsize:
        return ""
    here = workspace()
    with here.record.reading() as session:
        if not is_empty(session):
            return ""
    return f"The record in {place_of(here.settings)} has no organisations and no applications: is LABELS_HOME right?"


def proofs(email: str, code: str, reason: str) -> bool:
    """Whether somebody means to do what is only shown without a proof: all of it is given, or nothing.

    Raises:
        InvalidInput: only a part of it is given.
    """
    given = {"--as": email, "--code": code, "--reason": reason.strip()}
    if any(given.values()) and not all(given.values()):
        missing = [
            Fault(name, "is needed together with the others.") for name, one in given.items() if not one
        ]
        raise InvalidInput("proof", missing)
    return any(given.values())


_LARGEST_JSON = 2_000_000
"""Bytes."""


def read_json(path: Path) -> Any:
    """The JSON value in a file.

    Raises:
        InvalidInput: the file can't be read, is too large, or is no JSON; says the line.
    """
    try:
        if len(content := contents(path, _LARGEST_JSON)) > _LARGEST_JSON:
            raise InvalidInput(
                path.name, [Fault("(whole file)", "is larger than 2 MB, which no application is.")]
            )
    except OSError as error:
        raise InvalidInput(str(path), [Fault("(whole file)", f"can't be read: {error.strerror}.")]) from None
    return read_json_text(content, path.name)
