"""The rules that the project's own files keep: imports, docstrings, locks, and nothing of anyone's machine."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labels.settings import PROJECT

CONFIGURATION = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

PACKAGES: list[str] = CONFIGURATION["tool"]["importlinter"]["root_packages"]
"""All that is installed."""

LOCKS = ("runtime", "dev")


DOT_FILES = {".ci", ".editorconfig", ".gitattributes", ".gitignore", ".pre-commit-config.yaml", ".vscode"}
"""Those that belong to the project."""


def modules(package: str) -> list[Path]:
    return sorted((PROJECT / package).rglob("*.py"))


def project_files() -> list[Path]:
    """Every file that belongs to the project: what Git tracks or would add, or all there is without Git."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        candidates = [PROJECT / name for name in listing.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # not installed, not a clone, or somebody else's clone
        candidates = [
            path
            for top in PROJECT.iterdir()
            if not top.name.startswith((".", "dist")) or top.name in DOT_FILES
            for path in (top.rglob("*") if top.is_dir() else [top])
            if "__pycache__" not in path.parts
        ]
    return [path for path in candidates if path.is_file()]


@functools.cache
def project_texts() -> Mapping[str, str]:
    """Every text file of the project: its name, and what it says."""
    contents = {str(path.relative_to(PROJECT)): path.read_bytes() for path in project_files()}
    # What has a zero in it is a picture, a font, a document.
    return {
        name: content.decode("utf-8", "replace") for name, content in contents.items() if b"\0" not in content
    }


def project_lines(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Where and what: every line of the project in which a pattern is found."""
    for name, text in project_texts().items():
        if pattern.search(text):  # few have one, and to look at each line takes a hundred times as long
            for number, line in enumerate(text.splitlines(), 1):
                if pattern.search(line):
                    yield f"{name}:{number}", line


def test_imports_keep_to_the_order_of_the_house() -> None:
    # In a process of its own: it switches off the loggers that are there, which other tests listen to.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", lint], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tasks_and_flows_use_of_prefect_what_its_manual_gives_to_authors_of_flows() -> None:
    given = {"", ".artifacts", ".cache_policies", ".context", ".flow_runs", ".input", ".runtime"}
    graph = grimp.build_graph("flows", "tasks", include_external_packages=True, cache_dir=None)
    lines = {
        detail["line_contents"]
        for module in graph.find_modules_that_directly_import("prefect")
        for detail in graph.get_import_details(importer=module, imported="prefect")
    }
    assert lines
    assert {line.split()[1].removeprefix("prefect") for line in lines} <= given


def test_every_package_that_is_installed_has_its_place_in_the_order() -> None:
    installed = CONFIGURATION["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(PACKAGES) == sorted(installed)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_opens_with_a_sentence_that_says_what_lives_there(package: str) -> None:
    for module in modules(package):
        docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
        first = docstring.partition("\n\n")[0]
        assert first.endswith((".", "?", ":")), f"{module.relative_to(PROJECT)} opens with {first!r}"


def test_text_files_are_written_as_editors_are_told_to() -> None:
    wrong = []
    for path in project_files():
        content = path.read_bytes()
        licence = path.parent.name == "fonts" or path.suffix == ".LICENSE"
        as_published = ".min." in path.name  # its digest is in the manifest beside it
        if as_published or b"\0" in content or not content or path.suffix == ".pdf":
            continue
        if not content.endswith(b"\n") or b"\r" in content:
            wrong.append(f"{path.relative_to(PROJECT)}: every line ends in a line feed alone")
        if re.search(rb"[ \t]$", content, re.MULTILINE) and not licence:
            wrong.append(f"{path.relative_to(PROJECT)}: a line ends in a space")
    assert not wrong


DAY_OF_AN_INSTANT = re.compile(
    r"\.date\(\)|\bdate\.today\(\)|^(?!.*(?:BRUSSELS|brussels_day)).*:%Y-%m-%d(?!T|.* UTC)"
)
SAYS_DAYS = {
    "labels/clock.py": "has the one function for it",
    "labels/registry/workbooks.py": "a cell of a workbook has no zone",
    "usecases/rehearsing/playing.py": "it is in Brussels already",
}


def test_the_day_of_an_instant_is_that_of_brussels_everywhere() -> None:
    # Around midnight the day in UTC is another one than the day that people there write.
    program = re.compile(r"(adapters|cli|desk|flows|labels|tasks|templates|usecases|workers)/")
    found = [where for where, _ in project_lines(DAY_OF_AN_INSTANT) if program.match(where)]
    assert {where.rpartition(":")[0] for where in found} == set(SAYS_DAYS), "use labels.clock.brussels_day"


POSSESSIVE = re.compile(r"(?<!\\)[*+?}]\+|\(\?>")
CHARACTER_CLASS = re.compile(r"(?<!\\)\[\^?\]?(?:\\.|[^]\\])*\]")


def is_possessive(pattern: str) -> bool:
    return bool(POSSESSIVE.search(CHARACTER_CLASS.sub("x", pattern)))


def test_no_regular_expression_relies_on_what_python_of_debian_12_does_wrongly() -> None:
    """Python 3.11.2 loses matches of possessive quantifiers and atomic groups within a repeated group."""
    assert all(map(is_possessive, ("(?:[a-z]{1,64}+@)", r"(?:a\.)++", "(?>a)")))
    assert not is_possessive(r"\w\?+[*+]+")
    found = [
        f"{module.relative_to(PROJECT)}:{node.lineno}"
        for package in PACKAGES
        for module in modules(package)
        if "import re\n" in (text := module.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_possessive(node.value)
    ]
    assert not found


def test_no_file_names_a_package_registry() -> None:
    # Where packages come from is the machine's own configuration. Put together, so as not to name one here.
    hosts = [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("anaconda", "org"),
    ]
    pattern = re.compile("|".join(re.escape(".".join(host)) for host in hosts), re.IGNORECASE)
    assert not list(project_lines(pattern))


# Put together from parts, so that this file does not contain what it looks for.
FOLDERS = "|".join(("ro" + "ot", "wo" + "rk", "ho" + r"me/\w+", "Us" + r"ers/\w+"))
SOMEBODYS_FOLDER = re.compile(rf"(?<![\w.*$}}/-])/(?:{FOLDERS})/\w|[A-Z]:\\Us" + "ers", re.ASCII)


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert not [f"{where}: {line.strip()[:120]}" for where, line in project_lines(SOMEBODYS_FOLDER)]


def test_the_search_for_folders_finds_them_and_leaves_addresses_alone() -> None:
    for line in ('open("/' + 'root/x")', "cd /" + "home/ada/labels", "C:\\Us" + "ers\\ada"):
        assert SOMEBODYS_FOLDER.search(line)
    for line in ("https://example.org/" + "work/x", "templates/" + "work/x"):
        assert not SOMEBODYS_FOLDER.search(line)


@pytest.mark.parametrize("lock", LOCKS)
def test_locked_packages_are_pinned_by_digest_and_come_from_nowhere_in_particular(lock: str) -> None:
    entries = locked(lock)
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9.\-\[\]]*==\S+", entry), f"{lock}.txt: {entry[:80]} is not pinned"
        assert "--hash=sha256:" in entry, f"{lock}.txt: {entry[:80]} has no digest"
        assert "://" not in entry, f"{lock}.txt: {entry[:80]} names an address"
        assert not entry.startswith("-"), f"{lock}.txt: {entry[:80]} is an option"


def test_everything_the_project_asks_for_is_in_the_locks() -> None:
    project = CONFIGURATION["project"]
    runtime, dev = versions("runtime"), versions("dev")
    for wanted in map(Requirement, project["dependencies"]):
        assert_locked(wanted, runtime, "runtime")
        assert_locked(wanted, dev, "dev")
    for wanted in map(Requirement, project["optional-dependencies"]["dev"]):
        assert_locked(wanted, dev, "dev")


def test_the_development_lock_adds_to_the_runtime_lock_and_changes_nothing_in_it() -> None:
    assert versions("runtime").items() <= versions("dev").items()


def locked(lock: str) -> list[str]:
    """The entries of a lock, each on one line with its digests."""
    text = (PROJECT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = text.replace("\\\n", " ").splitlines()
    return [entry.strip() for entry in entries if entry.strip() and not entry.lstrip().startswith("#")]


def test_the_flow_in_the_readme_is_the_whole_one() -> None:
    source = (PROJECT / "flows/quality_label/national.py").read_text(encoding="utf-8")
    [flow] = [node for node in ast.parse(source).body if isinstance(node, ast.AsyncFunctionDef)]
    code = (PROJECT / "README.md").read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    quoted = ast.parse(f"async def quoted():\n{textwrap.indent(code, '    ')}").body[0]
    assert isinstance(quoted, ast.AsyncFunctionDef)
    assert [ast.dump(node) for node in quoted.body] == [ast.dump(node) for node in flow.body[1:]]


def versions(lock: str) -> dict[str, str]:
    """Name and version of every package in a lock that this Python installs."""
    found: dict[str, str] = {}
    for entry in locked(lock):
        requirement = Requirement(entry.partition("--hash")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            [specifier] = requirement.specifier
            found[str(canonicalize_name(requirement.name))] = specifier.version
    return found


def assert_locked(wanted: Requirement, lock: dict[str, str], name: str) -> None:
    version = lock.get(canonicalize_name(wanted.name))
    assert version, f"{wanted.name} is not in requirements/{name}.txt: compile the locks again"
    assert wanted.specifier.contains(version, prereleases=True), f"{name}.txt holds {wanted.name} {version}"
