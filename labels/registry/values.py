"""The values of many rows in one column, looked at as one text: nearly all are sound, and a look at each takes longer."""

from __future__ import annotations

from collections.abc import Sequence

_BETWEEN = "\n"
_BEGINNINGS = frozenset(b"\xc2\xd8\xe2\xed\xef")
"""How characters begin in UTF-8 among which some act, are not seen or stand for a lost one: those of U+0080, U+0600,
U+2000, U+D000 and U+F000."""
_HARMLESS = bytes([*range(0x20, 0x7F), *sorted(frozenset(range(0x80, 0x100)) - _BEGINNINGS)])


class Values:
    """The values of some rows in one column."""

    def __init__(self, each: Sequence[str]) -> None:
        self.each = each
        self.joined = _BETWEEN.join(each)
        """All of them, with a line end between."""
        self._harmless: bool | None = None

    @classmethod
    def bare(cls, each: Sequence[str]) -> Values:
        """These values without the blanks around them."""
        values = cls(each)
        if " " not in values.joined and values.joined.isascii() and values.harmless:
            return values
        bare = [*map(str.strip, each)]
        return values if bare == [*each] else cls(bare)

    @property
    def are_lines(self) -> bool:
        """Whether none has a line end in it."""
        return self.joined.count(_BETWEEN) == len(self.each) - 1

    @property
    def harmless(self) -> bool:
        """Whether surely none has a control character, a line end, what turns the direction of writing or a lost letter
        in it: if not, it may have."""
        if self._harmless is None:
            left = self.joined.encode(errors="surrogatepass").translate(None, _HARMLESS)
            self._harmless = left == _BETWEEN.encode() * (len(self.each) - 1)
        return self._harmless

    def are_known_harmless(self) -> None:
        """Notes that somebody found them to be harmless in another way."""
        self._harmless = True

    def are_at_most(self, limit: int) -> bool:
        """Whether none has more characters than `limit`."""
        return len(max(self.each, key=len, default="")) <= limit
