"""A review as a text file that is filled in without a connection, and read when it comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labels.errors import Fault, InvalidInput
from labels.rules.model import Criterion
from labels.steps.answers import ReviewTyped, read_model
from labels.words.sentences import say
from labels.words.text import one_line

LARGEST = 200_000
"""Bytes of a file; the longest comments there can be take a quarter of that in most scripts."""

WHOLE = say("(whole file)")
COMMENT, NOTE, END = "[comment]", "[note]", "[end]"
"""How the lines begin between which texts stand; before the first of them, what begins with `#` is for reading."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a sheet says to whoever fills it in, in their language."""

    about: Sequence[str]
    """What it is a review of, and how it is filled in; a line each."""
    criteria: Mapping[str, Sequence[str]]
    """By criterion: its name, what it means, what its points mean."""
    comment: str
    note: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says."""

    step: str
    after: int
    """The number of the save that it goes on from."""
    typed: ReviewTyped


def written(step: str, number: int, criteria: Sequence[Criterion], typed: ReviewTyped, words: Words) -> str:
    """The file for one review, with what was typed so far; its lines end as every editor understands them."""
    lines = [*_remarks(*words.about), "", f"step: {step}", f"save: {number}"]
    for one in criteria:
        given = typed.scores.get(one.id, "")
        lines += ["", *_remarks(*words.criteria[one.id]), f"{one.id} (0-{one.maximum}): {given}".rstrip()]
    lines += ["", f"{COMMENT} {one_line(words.comment, 1_000)}", *typed.comment.split("\n")]
    lines += ["", f"{NOTE} {one_line(words.note, 1_000)}", *typed.note.split("\n"), "", END, ""]
    return "\r\n".join(lines)


def _remarks(*lines: str) -> list[str]:
    return [f"# {one_line(line, 1_000)}" for line in lines]


def read(content: bytes, name: str) -> Sheet:
    """What a file that came back says.

    Raises:
        InvalidInput: with every line that is wrong, and what was expected there.
    """
    lines = _text(content, name).splitlines()
    points, texts = _parts(lines)
    faults: list[Fault] = []
    facts: dict[str, str] = {}
    scores: dict[str, int] = {}
    for number, line in points:
        where = say("line {number}", number=number)
        match = _ENTRY.fullmatch(line)
        if match is None:
            faults.append(Fault(where, say("“{line}” is not “name: points”.", line=one_line(line, 60))))
        elif match["name"] in ("step", "save"):
            facts[match["name"]] = match["value"]
        elif match["value"] and not _NUMBER.fullmatch(match["value"]):
            value = one_line(match["value"], 60)
            faults.append(Fault(where, say("“{value}” is not a whole number of points.", value=value)))
        elif match["value"]:
            scores[match["name"]] = int(match["value"])
    if not _STEP.fullmatch(facts.get("step", "")) or not _NUMBER.fullmatch(facts.get("save", "")):
        faults.append(
            Fault(
                say("its first lines"),
                say("“step:” and “save:” are missing: they say which review it is."),
                say("Fill in the file as it came in the ZIP, and leave these lines as they are."),
            )
        )
    if faults:
        raise InvalidInput(name, faults)
    raw = {"scores": scores, **{part: _joined(texts[mark]) for part, mark in _TEXTS if mark in texts}}
    return Sheet(facts["step"], int(facts["save"]), read_model(ReviewTyped, raw, name))


_ENTRY = re.compile(
    r"\s*(?P<name>[a-z][a-z0-9_]*)\s*(?:\([^)]*\))?\s*[:=：]\s*(?P<value>.*?)\s*", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,6}")
_STEP = re.compile(r"STEP-[0-9A-Z]{1,20}")
_TEXTS = (("comment", COMMENT), ("note", NOTE))


def _text(content: bytes, name: str) -> str:
    if len(content) > LARGEST:
        problem = say("It is larger than {most} kB, which no review is.", most=LARGEST // 1000)
        raise InvalidInput(name, [Fault(WHOLE, problem)])
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        problem = say("It is no text in UTF-8.")
        raise InvalidInput(name, [Fault(WHOLE, problem, say("Save it as plain text, UTF-8."))]) from None


def _parts(lines: Sequence[str]) -> tuple[list[tuple[int, str]], dict[str, list[str]]]:
    """The numbered lines with points, and the lines of each text; a text may say anything but the next mark."""
    points: list[tuple[int, str]] = []
    texts: dict[str, list[str]] = {}
    mark = ""
    for number, line in enumerate(lines, 1):
        bare = line.strip().lower()
        if found := next((one for one in (COMMENT, NOTE, END) if bare.startswith(one)), None):
            mark = found
            texts[mark] = []
        elif mark:
            texts[mark].append(line.rstrip())
        elif bare and not bare.startswith("#"):
            points.append((number, line))
    return points, texts


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip("\n ")
