"""The map of the project is true: drawings of imports, the order of the rooms, and every path that a page names."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from pathlib import Path

import grimp
import pytest

from labels.settings import PROJECT
from tests.test_house import CONFIGURATION, PACKAGES, project_files

ARCHITECTURE = PROJECT / "docs" / "architecture.md"

PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]

_DRAWING = re.compile(r"^```mermaid\n(flowchart .*?)^```", re.DOTALL | re.MULTILINE)
_ROOM = re.compile(r'^ +(\w+)\["([\w/.]+):', re.MULTILINE)
_ARROWS = re.compile(r"^ +(\w+) --> (.+)$", re.MULTILINE)

_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"\.?[\w-]+(?:\.[\w-]+)*(?:/[\w.*-]+)*/?")
_PLACE = re.compile(r"\b[A-Z]{3,}\b")
"""What stands for a name, `YEAR` or `LANGUAGE`."""
_OF_AN_ENDING = re.compile(r".*\.(?:md|po|pot|py|toml|yaml|yml)")
_MODULE = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.[a-z_]\w*)+")
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")

Arrow = tuple[str, str]


@cache
def imports() -> list[Arrow]:
    """Which module imports which, everywhere in the project."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return [
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    ]


def module_of(path: str) -> str:
    """The module at a path: `adapters.press` at `adapters/press/`."""
    return path.removesuffix("/").removesuffix(".py").replace("/", ".")


def arrows_between(rooms: set[str]) -> set[Arrow]:
    """The imports between rooms."""

    def room(module: str) -> str | None:
        return next((one for one in rooms if module == one or module.startswith(f"{one}.")), None)

    found = {(room(importer), room(imported)) for importer, imported in imports()}
    return {(a, b) for a, b in found if a and b and a != b}


def drawings() -> list[str]:
    return _DRAWING.findall(ARCHITECTURE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("drawing", drawings(), ids=["packages", "adapters"])
def test_a_drawing_has_exactly_the_arrows_that_the_imports_have(drawing: str) -> None:
    rooms = {name: module_of(path) for name, path in _ROOM.findall(drawing)}
    drawn = {
        (rooms[name], rooms[other])
        for name, others in _ARROWS.findall(drawing)
        for other in others.split(" & ")
    }
    assert drawn == arrows_between(set(rooms.values()))


def test_the_drawings_leave_no_package_and_no_adapter_out() -> None:
    packages, adapters = ({module_of(path) for _, path in _ROOM.findall(one)} for one in drawings())
    assert packages == set(PACKAGES)
    there = [path for path in (PROJECT / "adapters").iterdir() if path.name[0] not in "_."]
    assert adapters == {module_of(str(path.relative_to(PROJECT))) for path in there}


def test_the_rooms_of_the_domain_are_listed_in_the_order_that_imports_are_held_to() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8").partition("## The rooms of the domain")[2]
    listed = re.findall(r"^\| `labels/(\w+)(?:/|\.py)` \|", text.partition("\n## ")[0], re.MULTILINE)
    [contract] = [
        one
        for one in CONFIGURATION["tool"]["importlinter"]["contracts"]
        if one.get("containers") == ["labels"]
    ]
    layers = [layer.split(" | ") for layer in contract["layers"]]
    assert len(listed) == len(set(listed)) == sum(map(len, layers))
    for layer in layers:
        assert sorted(listed[: len(layer)]) == sorted(layer)
        del listed[: len(layer)]


def quoted(page: Path) -> list[str]:
    """What stands in backquotes on a page, outside of whole blocks of code."""
    return _QUOTED.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """By what a link can point to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    tops = {path.relative_to(PROJECT).parts[0] for path in project_files()}
    paths = [
        path
        for path in quoted(page)
        if _PATH.fullmatch(path)
        and ("/" in path or _OF_AN_ENDING.fullmatch(path))
        and (path.split("/")[0] in tops or page.name == "CONTRIBUTING.md")
    ]
    assert not [path for path in paths if not any(PROJECT.glob(_PLACE.sub("*", path.rstrip("/"))))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_can_be_imported(page: Path) -> None:
    for name in filter(_MODULE.fullmatch, quoted(page)):
        if not _OF_AN_ENDING.fullmatch(name):
            pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in path:
            target = page.parent / path if path else page
            assert target.exists(), path
            assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_the_page_for_newcomers_tells_the_files_of_twelve_wishes() -> None:
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    wishes = text.partition("## I want to …")[2].split("\n### … ")[1:]
    assert len(wishes) == 12
    for wish in wishes:
        assert len([path for path in _QUOTED.findall(wish) if "/" in path]) >= 2, wish.splitlines()[0]
