"""Papers drawn once a process: the same facts make the same bytes (tested elsewhere), so tests share them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from adapters.papers import certificates, letters

T = TypeVar("T")
_DRAWN: dict[tuple[str, str], Any] = {}


def drawn_once(render: Callable[..., T]) -> Callable[..., T]:
    """The same as `render`, which draws anew only what was not drawn in this process yet.

    Where organisations have drawings of their own, the folder's name alone does not tell what is drawn.
    """

    @functools.wraps(render)
    def drawn(*given: Any) -> T:
        if any(isinstance(one, Path) for one in given):
            return render(*given)
        key = render.__name__, repr(given)
        if key not in _DRAWN:
            _DRAWN[key] = render(*given)
        found: T = _DRAWN[key]
        return found

    return drawn


def draw_once(patch: pytest.MonkeyPatch) -> None:
    """Lets whatever draws certificates and letters share what was drawn."""
    patch.setattr(certificates, "render_certificate", drawn_once(_CERTIFICATE))
    patch.setattr(certificates, "render_certificates", drawn_once(_CERTIFICATES))
    patch.setattr(letters, "render_letter", drawn_once(_LETTER))


_CERTIFICATE, _CERTIFICATES, _LETTER = (
    certificates.render_certificate,
    certificates.render_certificates,
    letters.render_letter,
)
"""As they are: nobody wraps the wrapper."""
