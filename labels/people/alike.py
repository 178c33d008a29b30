"""What two ways of writing one name have in common; `labels/people/likeness.py` compares names."""

from __future__ import annotations

import functools
import unicodedata


@functools.lru_cache(maxsize=4096)
def name_key(name: str) -> frozenset[str]:
    """What two ways of writing one name have in common."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return frozenset("".join(c if c.isalnum() else " " for c in bare).split())
