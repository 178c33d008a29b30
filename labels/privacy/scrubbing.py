"""Finding and taking out what names a person, in text and in JSON of any shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from labels.record.chain import ERASED


class Traces:
    """What somebody is recognised by in text: addresses, and names where the text is known to be about them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted({one for one in texts if len(one) > 2}, key=len, reverse=True)
        one_of = "|".join(re.escape(one) for one in self.texts)
        # Not within a longer word or address: ann@x.example is not in joann@x.example.
        self._pattern = re.compile(rf"(?<![\w.+-])(?:{one_of})(?![\w-])", re.IGNORECASE) if one_of else None

    def within(self, value: Any) -> bool:
        """Whether any of them is in a text, or in any text of a JSON value, keys too."""
        if isinstance(value, str):
            return self._pattern is not None and self._pattern.search(value) is not None
        if isinstance(value, dict):
            return any(self.within(key) or self.within(one) for key, one in value.items())
        return isinstance(value, list) and any(map(self.within, value))

    def scrubbed(self, value: Any, by: str = ERASED) -> Any:
        """The same value with each of them replaced."""
        if isinstance(value, str):
            return self._pattern.sub(by, value) if self._pattern else value
        if isinstance(value, dict):
            return {self.scrubbed(key, by): self.scrubbed(one, by) for key, one in value.items()}
        return [self.scrubbed(one, by) for one in value] if isinstance(value, list) else value


def emptied(value: Any) -> Any:
    """The same shape with every text replaced: what a program reads stays readable, and says nothing."""
    if isinstance(value, str):
        return ERASED if value else value
    if isinstance(value, dict):
        return {key: emptied(one) for key, one in value.items()}
    return [emptied(one) for one in value] if isinstance(value, list) else value
