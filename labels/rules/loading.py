"""Reads rule files, and refuses a mistake in one with its file, line and reason."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from labels.errors import Fault, InvalidInput
from labels.rules.dates import read_moment
from labels.rules.model import CalendarKind, CriteriaSet, RuleEdition

RULES = Path(__file__).parent
LARGEST = 256 * 1024
"""Bytes of a rule file: far more than any rule needs, and a bound on abuse."""

Path_ = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass
class _File:
    """The values of one file, and the line on which each stands."""

    path: Path
    value: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: Path_, problem: str) -> None:
        """Notes a mistake at the line of `where`, or of what it stands in."""
        near = where
        while near and near not in self.lines:
            near = near[:-1]
        name = " · " + ".".join(map(str, where)) if where else ""
        self.faults.append(Fault(f"{self.path.name}:{self.lines.get(near, 1)}{name}", problem))


def _read(path: Path) -> _File:
    file = _File(path)
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            file.fault((), f"is larger than {LARGEST // 1024} KiB, which no rule file is.")
            return file
        root = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        file.fault((), f"can't be read: {error.strerror}.")
        return file
    except UnicodeDecodeError:
        file.fault((), "is not UTF-8.")
        return file
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        file.lines[()] = mark.line + 1 if mark else 1
        file.fault((), f"is not YAML: {getattr(error, 'problem', None) or error}.")
        return file
    if not isinstance(root, yaml.MappingNode):
        file.fault((), "expected a mapping of names to values.")
        return file
    file.value = _value(root, (), file, set())
    return file


def _value(node: yaml.Node, path: Path_, file: _File, above: set[int]) -> Any:
    file.lines[path] = node.start_mark.line + 1
    if id(node) in above:
        file.fault(path, "refers to itself.")
        return None
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            here = (*path, key)
            if key in mapping:
                file.lines[here] = key_node.start_mark.line + 1
                file.fault(here, "stands twice.")
            mapping[key] = _value(value_node, here, file, above | {id(node)})
            file.lines[here] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(n, (*path, i), file, above | {id(node)}) for i, n in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except yaml.YAMLError:
        return node.value
    finally:
        loader.dispose()


def _validated(model: type[M], value: Any, file: _File, origins: dict[Path_, _File]) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            where = tuple(part for part in problem["loc"])
            message = {
                "extra_forbidden": "is not known here.",
                "missing": "is missing.",
            }.get(problem["type"], problem["msg"].removeprefix("Value error, ") + ".")
            _origin(where, file, origins).fault(where, message)
        return None


def _origin(where: Path_, default: _File, origins: dict[Path_, _File]) -> _File:
    near = where
    while near:
        if near in origins:
            return origins[near]
        near = near[:-1]
    return default


def _overlaid(base: Any, over: Any, path: Path_, file: _File, origins: dict[Path_, _File]) -> Any:
    """`base` with the values that `over` names; a value with its source is replaced as a whole."""
    if isinstance(base, dict) and isinstance(over, dict) and "value" not in over:
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _overlaid(base.get(key), value, (*path, key), file, origins)
        return merged
    origins[path] = file
    return over


@dataclass(frozen=True)
class _Edition:
    folder: Path
    name: str
    in_force_from: date


def _editions(folder: Path) -> list[_Edition]:
    found, faults = [], []
    for default in sorted(folder.glob("editions/*/default.yaml")):
        file = _read(default)
        since = file.value.get("in_force_from") if isinstance(file.value, dict) else None
        if not isinstance(since, date) and not file.faults:
            file.fault(("in_force_from",), "expected a date, YYYY-MM-DD.")
        faults += file.faults
        if isinstance(since, date):
            found.append(_Edition(default.parent, default.parent.name, since))
    if faults:
        raise InvalidInput("rule files", faults)
    if not found:
        raise InvalidInput("rule files", [Fault(str(folder), "has no editions/YEAR/default.yaml.")])
    return sorted(found, key=lambda edition: edition.in_force_from)


def load_rules(organisation: str, on: date, folder: Path | None = None) -> RuleEdition:
    """The rules in force for an organisation on a day: the newest edition whose date has come.

    For a day before the first edition, the first.

    Raises:
        InvalidInput: a rule file has mistakes; every one with its file, line and reason.
    """
    root = folder or RULES
    return _loaded(root, organisation, on, _state(root))


def _state(root: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a rule file does, so that what was read can be kept until then."""
    if root == RULES:
        return ()  # those that ship change only with the program
    return tuple(
        (str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in sorted(root.rglob("*.yaml"))
    )


@functools.lru_cache(maxsize=1024)
def _loaded(root: Path, organisation: str, on: date, state: object) -> RuleEdition:
    editions = _editions(root)
    in_force = [edition for edition in editions if edition.in_force_from <= on]
    return _edition(root, (in_force or editions[:1])[-1], organisation)


@functools.lru_cache(maxsize=512)
def _edition(root: Path, edition: _Edition, organisation: str) -> RuleEdition:
    file = _read(edition.folder / "default.yaml")
    files, value = [file], file.value
    origins: dict[Path_, _File] = {}
    overlay = edition.folder / f"{organisation}.yaml"
    if overlay.is_file() and overlay.parent == edition.folder:
        over = _read(overlay)
        files.append(over)
        if isinstance(over.value, dict) and isinstance(value, dict):
            value = _overlaid(value, over.value, (), over, origins)
    loaded = None
    if not any(one.faults for one in files) and isinstance(value, dict):
        loaded = _complete(root, edition, organisation, value, files, origins)
    faults = [fault for one in files for fault in one.faults]
    if faults or loaded is None:
        raise InvalidInput("rule files", faults)
    return loaded


def _complete(
    root: Path,
    edition: _Edition,
    organisation: str,
    value: dict[str, Any],
    files: list[_File],
    origins: dict[Path_, _File],
) -> RuleEdition | None:
    named = value.get("national", {}).get("criteria", {})
    wanted = named.get("value") if isinstance(named, dict) else None
    criteria_path = root / "criteria" / f"{wanted}.yaml"
    if not isinstance(wanted, str) or not wanted.isalnum() or not criteria_path.is_file():
        where: Path_ = ("national", "criteria")
        known = ", ".join(sorted(path.stem for path in (root / "criteria").glob("*.yaml")))
        _origin(where, files[0], origins).fault(where, f"{wanted!r} is no criteria set; known are {known}.")
        return None
    criteria_file = _read(criteria_path)
    files.append(criteria_file)
    criteria = (
        None if criteria_file.faults else _validated(CriteriaSet, criteria_file.value, criteria_file, {})
    )
    body = {
        "edition": edition.name,
        "organisation": organisation,
        "criteria_set": criteria or _STAND_IN,
    } | value
    loaded = _validated(RuleEdition, body, files[0], origins)
    if loaded is None or criteria is None:
        return None
    for where, problem in _contradictions(loaded):
        file = criteria_file if where[0] == "criteria" else _origin(where, files[0], origins)
        file.fault(where, problem)
    return loaded


_STAND_IN: dict[str, Any] = {
    "id": "none",
    "name": "none",
    "source": "assumption",
    "points": {0: "nothing"},
    "criteria": [{"id": "none", "name": "none", "meaning": "none", "maximum": 1}],
}
"""For a criteria set with mistakes of its own, so that those of the rules are found too."""


def _contradictions(edition: RuleEdition) -> Iterator[tuple[Path_, str]]:
    """Values that are right each for itself and wrong together."""
    rules, criteria = edition.national, edition.criteria_set
    if rules.pass_mark.value > criteria.maximum:
        yield (
            ("national", "pass_mark"),
            f"is above {criteria.maximum}, the most that criteria set {criteria.id} gives.",
        )
    smallest = min(criterion.maximum for criterion in criteria.criteria)
    if rules.criterion_minimum.value > smallest:
        yield ("national", "criterion_minimum"), f"is above {smallest}, the most for one criterion."
    ids = [criterion.id for criterion in criteria.criteria]
    for place, criterion in enumerate(criteria.criteria):
        if criterion.minimum > criterion.maximum:
            yield ("criteria", place, "minimum"), f"is above the criterion's maximum {criterion.maximum}."
        if ids.count(criterion.id) > 1:
            yield ("criteria", place, "id"), f'"{criterion.id}" stands twice.'
        if missing := [n for n in range(criterion.maximum + 1) if n not in criteria.points]:
            yield ("criteria", place, "maximum"), f"the set does not say what {missing} points mean."
    if rules.review.most_reviewers.value < rules.review.reviewers.value:
        yield ("national", "review", "most_reviewers"), "is fewer than the reviewers that are always asked."
    yield from _calendar_contradictions(edition)


def _calendar_contradictions(edition: RuleEdition) -> Iterator[tuple[Path_, str]]:
    calendar = edition.national.calendar
    here: Path_ = ("national", "calendar")
    if calendar.kind.value is CalendarKind.ROLLING:
        months = set(calendar.working_days.value) if calendar.working_days else set()
        if months != set(range(1, 13)):
            yield (*here, "working_days"), "a rolling calendar gives working days for each month, 1 to 12."
        return
    if not calendar.rounds or not calendar.rounds.value:
        yield (*here, "rounds"), "a calendar of rounds names at least one."
        return
    spans = []
    for place, dates in enumerate(calendar.rounds.value):
        at = (*here, "rounds", "value", place)
        for name in ("opens", "closes", "decided_by"):
            try:
                read_moment(getattr(dates, name), 2025, ends=name != "opens")
            except ValueError as error:
                yield (*at, name), f"{error}."
                return
        opens = read_moment(dates.opens, 2025, ends=False)
        closes = read_moment(dates.closes, 2025, ends=True)
        if opens >= closes:
            opens = read_moment(dates.opens, 2024, ends=False)
        spans.append((opens, closes, at))
    later = [(o.replace(year=o.year + 1), c.replace(year=c.year + 1), at) for o, c, at in spans]
    for index, (opens, closes, at) in enumerate(spans):
        for other_opens, other_closes, other_at in spans[index + 1 :] + later:
            if other_at != at and opens <= other_closes and other_opens <= closes:
                yield at, "overlaps with another round."
                return


def check_all(folder: Path | None = None) -> list[str]:
    """Loads every rule file; returns the versions that they make.

    Raises:
        InvalidInput: with every mistake of every file.
    """
    root = folder or RULES
    versions: list[str] = []
    faults: dict[Fault, None] = {}
    for edition in _editions(root):
        organisations = sorted(path.stem for path in edition.folder.glob("*.yaml") if path.stem != "default")
        for organisation in ["default", *organisations]:
            try:
                versions.append(_edition(root, edition, organisation).version)
            except InvalidInput as error:
                faults |= dict.fromkeys(error.faults)
    if faults:
        raise InvalidInput("rule files", list(faults))
    return versions
