"""JSON that people wrote by hand: its value, or what is wrong with it in words that help."""

from __future__ import annotations

import json
import re
from typing import Any

from labels.errors import Fault, InvalidInput

_QUOTES = "“”„‟«»″"
_OTHER_FILES = {
    b"PK\x03\x04": "a Word, Excel or ZIP file",
    b"\xd0\xcf\x11\xe0": "a file of an older Word or Excel",
    b"%PDF": "a PDF",
    b"{\\rtf": "a formatted text (RTF)",
}
_AS_TEXT = "Open it in a plain text editor and save it as plain text (UTF-8), with a name that ends in .json."


def read_json_text(content: bytes, name: str) -> Any:
    """The JSON value in the bytes of a file.

    Raises:
        InvalidInput: it is none; says the line, what stands there, and what to write instead.
    """
    for start, what in _OTHER_FILES.items():
        if content.startswith(start):
            raise InvalidInput(name, [Fault("(whole file)", f"is {what}, and no JSON.", _AS_TEXT)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 (byte {error.start})."
        raise InvalidInput(name, [Fault("(whole file)", problem, "Save it as UTF-8.")]) from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(name, [_fault(text, error)]) from None
    except RecursionError:
        raise InvalidInput(name, [Fault("(whole file)", "is nested too deeply.")]) from None
    except ValueError:  # the only one that is left
        raise InvalidInput(name, [Fault("(whole file)", "has a number of thousands of digits.")]) from None


def _fault(text: str, error: json.JSONDecodeError) -> Fault:
    where = f"line {error.lineno}, column {error.colno}"
    before, rest = text[: error.pos].rstrip(), text[error.pos :].lstrip()
    if not text.strip():
        return Fault(where, "is not JSON: the file is empty.")
    if rest[:1] and rest[0] in _QUOTES:
        problem = f'is not JSON: {rest[0]} is a curly quote, and names and text stand in straight ones, "…".'
        return Fault(where, problem, "Replace them all; an editor for plain text does not make them curly.")
    if rest[:1] == "'":
        return Fault(where, 'is not JSON: names and text stand in double quotes, "…".')
    if rest[:1] in ("}", "]") and before.endswith(","):
        return Fault(
            where, f"is not JSON: a comma stands before the {rest[0]} that closes.", "Take the comma away."
        )
    if before.endswith(":") and (word := re.match(r"[^\W\d_]+", rest)):
        problem = f"is not JSON: “{word[0][:40]}” stands without quotes."
        return Fault(where, problem, 'Write text in quotes, "…", and yes or no as true or false.')
    if re.match(r"\d", rest) and re.search(r"\d,?$", before):
        return Fault(where, "is not JSON: a number has a point, 13.5, and no comma or space in it.")
    if error.msg.startswith("Expecting ',' delimiter"):
        return Fault(where, "is not JSON: a comma is missing before this.", "Write one between two entries.")
    if error.msg.startswith("Invalid control character"):
        return Fault(
            where, "is not JSON: a text goes over the end of its line.", r"Write \n for a new line in a text."
        )
    if error.msg.startswith("Extra data"):
        return Fault(where, "is not JSON: something stands after its end.", "Take it away.")
    if error.msg.startswith("Unterminated string"):
        return Fault(where, 'is not JSON: the text that begins here has no closing quote, ".')
    return Fault(where, f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}.")
