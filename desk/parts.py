"""What pages are made of, as data: each is drawn by the part of the same name in `templates/desk/parts.html.j2`."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from adapters.languages.desk import DeskTexts
from labels.errors import InvalidInput, LabelsError

Link = tuple[str, str]
"""What a link says, and where it leads."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something to be mended in a form, and the field that it is about."""

    text: str
    field: str

    @property
    def href(self) -> str:
        """Where the summary of all mistakes leads."""
        return f"#{self.field}"


def why(texts: DeskTexts, error: LabelsError) -> str:
    """Why something was not done, as a page says it: everything that is wrong with what was sent, or the refusal."""
    if isinstance(error, InvalidInput):
        return Markup(" ").join(map(texts.fault, error.faults))
    return texts.told(error.args[0])


@dataclass(frozen=True, slots=True)
class Thing:
    """A row of a list: a task, a project, each with its state and at most one way on."""

    title: str
    text: str
    state: str
    """One of those that the part `tag` knows."""
    word: str
    """What the state is called."""
    href: str = ""
    action: Link | None = None
    first: bool = False
    """Its way on is the one to take."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of a timeline."""

    what: str
    when: str
    who: str = ""
    known: str = ""
    """How whoever did it was known."""
    words: str = ""
    """What somebody wrote."""
    more: str = ""
    state: str = ""
    """`now`, `later`, or nothing for what is past."""


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file or link of an application."""

    name: str
    kind: str
    """`file`, `picture` or `link`."""
    meta: str
    href: str = ""
    refused: bool = False
    remove: str = ""
    """What a button sends that takes it out again."""
    kept: str = ""
    """What the form carries of a file that is stored, and goes with what is sent at last."""
