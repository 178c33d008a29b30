"""What whoever answers a step is shown of the case."""

from __future__ import annotations

from typing import NamedTuple

from labels.words.text import markdown_plain


class Brief(NamedTuple):
    """What a reviewer (or applicant, or coordinator) needs to know before answering, as Markdown."""

    title: str
    """The project's, as plain text."""
    opening: str
    """Who applies, what is asked by when, what was asked before, and the documents."""
    sections: dict[str, str]
    """The applicant's words on each criterion, by its id."""
    names: dict[str, str]
    """The criteria's names, by id."""

    def whole(self) -> str:
        """All of it as one page."""
        parts = [f"# {markdown_plain(self.title)}", self.opening]
        parts += [
            f"### {markdown_plain(self.names.get(section, section))}\n\n{text}"
            for section, text in self.sections.items()
        ]
        return "\n\n".join(parts)
