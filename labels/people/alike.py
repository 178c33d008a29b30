"""Which names may be one person's."""

from __future__ import annotations

import functools
import unicodedata


def same_person_name(one: str, other: str) -> bool:
    """Whether two names may be one person's: accents, case, order and hyphens make no difference."""
    return bool(name_key(one)) and name_key(one) == name_key(other)


@functools.lru_cache(maxsize=4096)
def name_key(name: str) -> frozenset[str]:
    """What two ways of writing one name have in common."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return frozenset("".join(c if c.isalnum() else " " for c in bare).split())
