"""Which language somebody reads: the one that they chose, that of their account, or what their browser asks for."""

from __future__ import annotations

import re

from starlette.requests import Request

from adapters.languages.desk import language_for, languages

COOKIE = "language"

_RANGE = re.compile(r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]{1,20})?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def chosen(request: Request) -> str:
    """The language that was chosen with this browser; empty where none was."""
    choice = request.cookies.get(COOKIE, "")
    return choice if choice in languages() else ""


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4)."""
    found: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        if match := _RANGE.fullmatch(part):
            found.append((float(match[2] or 1), match[1].lower()))
    return [language for weight, language in sorted(found, key=lambda one: -one[0]) if weight]


def language_of(request: Request, account: str = "") -> str:
    """The language of a request; `account` is that of whoever has signed in."""
    wishes = [chosen(request), account, *accepted(request.headers.get("accept-language", ""))]
    return language_for([wish for wish in wishes if wish])
