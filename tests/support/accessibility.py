"""Whether a page keeps to WCAG 2.2 A and AA, as axe-core finds (`tests/support/axe`, version 4, MPL 2.0)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

_AXE = Path(__file__).with_name("axe") / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_CUT_OFF = """() => {
    const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflowX);
    const hidden = (one) => getComputedStyle(one).clipPath !== "none" || getComputedStyle(one).clip !== "auto";
    const held = (one) => {
        for (let up = one; up && up.id !== "main"; up = up.parentElement) if (scrolls(up) || hidden(up)) return true;
        return false;
    };
    return [...document.querySelectorAll("main *")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 1 && box.height > 1 && (box.left < -1 || box.right > innerWidth + 1) && !held(one);
    }).slice(0, 3).map((one) => one.outerHTML.slice(0, 160));
}"""
"""What sticks out of the window at a side. A page's width alone does not tell: `main` clips, and to the left nothing scrolls."""

looked_at: set[str] = set()
"""The paths of the pages that axe has looked at since the present test began."""


@cache
def _source() -> str:
    return _AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page as it is shown, and what is cut off at a side of the window, a line each."""
    looked_at.add(urlsplit(page.url).path)
    page.evaluate(_source() + "; undefined")
    found = page.evaluate(
        "async (tags) => (await axe.run(document, {runOnly: tags, resultTypes: ['violations']})).violations",
        _RULES,
    )
    cut_off = [f"is cut off: {one}" for one in page.evaluate(_CUT_OFF)]
    return cut_off + [
        f"{one['id']}: {one['help']}: {node['html'][:160]}" for one in found for node in one["nodes"]
    ]


def wrong_with(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than its window."""
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*violations(page), *([f"is wider than the window by {wider}"] if wider > 0 else [])]
