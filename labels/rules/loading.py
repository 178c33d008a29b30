"""Reads rule files, and refuses a mistake in one with its file, line and reason."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from labels.errors import Fault, InvalidInput
from labels.files import contents
from labels.rules.contradictions import At, contradictions, within_criteria
from labels.rules.dates import read_moment
from labels.rules.model import CalendarKind, CriteriaSet, RoundDates, RuleEdition, SelfAssessmentRules
from labels.words.text import one_line

RULES = Path(__file__).parent
LARGEST = 256 * 1024
"""Bytes of a rule file: far more than any rule needs, and a bound on abuse."""
DEEPEST = 20
"""Levels of a rule file, for the same reason."""
SUBJECT = "rule files"
CENTRAL = "CSS"
"""The Central Support Service, as its own file of rules is named: all of Europe goes by its European year."""
SELF_ASSESSMENTS = "self_assessments"
VARIANTS = "variants"
"""Rules that ship beside the editions, for whoever names them in one: a folder, and the name in an edition's file."""

M = TypeVar("M", bound=BaseModel)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass
class _File:
    """The values of one file, and the line on which each stands."""

    path: Path
    name: str
    """The path within the folder of rules."""
    value: dict[str, Any] = field(default_factory=dict)
    lines: dict[At, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, at: At, problem: str) -> None:
        """Notes a mistake at the line of a value, or of what it stands in."""
        near = at
        while near and near not in self.lines:
            near = near[:-1]
        named = " · " + one_line(".".join(at), 120) if at else ""
        fault = Fault(f"{self.name}:{self.lines.get(near, 1)}{named}", problem)
        if fault not in self.faults:
            self.faults.append(fault)


# Reading ----------------------------------------------------------------------------------------


def _read(root: Path, path: Path) -> _File:
    file = _File(path, path.relative_to(root).as_posix())
    try:
        content = contents(path, LARGEST)
    except OSError as error:
        file.fault((), f"can't be read: {error.strerror}.")
        return file
    if len(content) > LARGEST:
        file.fault((), f"is larger than {LARGEST // 1024} KiB, which no rule file is.")
        return file
    try:
        node = _composed(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        file.lines[()] = content[: error.start].count(b"\n") + 1
        file.fault((), "is not UTF-8.")
    except RecursionError:
        file.fault((), f"is nested more than {DEEPEST} levels deep.")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        file.lines[()] = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        file.fault((), f"is not YAML: {one_line(problem)}.")
    else:
        if isinstance(node, yaml.MappingNode):
            file.value = _mapping(node, (), file, set())
        else:
            file.fault((), "expected a mapping of names to values.")
    return file


@functools.lru_cache(maxsize=32)
def _composed(text: str) -> yaml.Node | None:
    """What a file says, with the lines; cached, since the default stands below every organisation's file."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    return node


def _value(node: yaml.Node, at: At, file: _File, met: set[int]) -> Any:
    file.lines.setdefault(at, node.start_mark.line + 1)
    if len(at) > DEEPEST:
        file.fault(at[:DEEPEST], f"is nested more than {DEEPEST} levels deep.")
    elif not isinstance(node, yaml.ScalarNode) and id(node) in met:
        file.fault(at, "repeats a part of the file by an alias (*); write it out.")
    elif isinstance(node, yaml.MappingNode):
        return _mapping(node, at, file, met)
    elif isinstance(node, yaml.SequenceNode):
        met.add(id(node))
        return [_value(inner, (*at, str(place)), file, met) for place, inner in enumerate(node.value)]
    else:
        return _scalar(node, at, file)
    return None


def _mapping(node: yaml.MappingNode, at: At, file: _File, met: set[int]) -> dict[str, Any]:
    met.add(id(node))
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            file.lines[at] = key_node.start_mark.line + 1
            file.fault(at, "expected a name before the colon.")
            continue
        key = key_node.value
        here = (*at, key)
        first = file.lines.get(here)
        file.lines[here] = key_node.start_mark.line + 1
        if key in mapping:
            file.fault(here, f"stands twice, here and on line {first}.")
        else:
            mapping[key] = _value(value_node, here, file, met)
    return mapping


def _scalar(node: yaml.Node, at: At, file: _File) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        file.fault(at, f'"{one_line(str(node.value), 40)}" is no value that a rule can have.')
        return None
    finally:
        loader.dispose()


def _validated(model: type[M], value: Any, file: _File, origins: dict[At, _File]) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            at = tuple(str(part) for part in problem["loc"] if part != "[key]")
            _origin(at, file, origins).fault(at, _worded(problem))
        return None


def _worded(problem: Any) -> str:
    kind, given = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        return "is not known here."
    if kind == "missing":
        return "is missing."
    if kind in {"model_type", "model_attributes_type"}:
        return "expected {value: …, source: …}, or the names that belong here."
    if problem["loc"][-1:] == ("source",):
        return 'expected "brief", "assumption" or "found: " and the place.'
    shown = f" (it says {one_line(repr(given), 60)})" if isinstance(given, (str, int, float)) else ""
    message: str = problem["msg"].removeprefix("Value error, ")
    return message.rstrip(".") + shown + "."


def _origin(at: At, default: _File, origins: dict[At, _File]) -> _File:
    while at:
        if at in origins:
            return origins[at]
        at = at[:-1]
    return default


def _overlaid(base: Any, over: Any, at: At, file: _File, origins: dict[At, _File]) -> Any:
    """`base` with the values that `over` names; a value with its source is replaced as a whole."""
    if isinstance(base, dict) and isinstance(over, dict) and "value" not in base and "value" not in over:
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _overlaid(base.get(key), value, (*at, key), file, origins)
        return merged
    origins[at] = file
    return over


# Editions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Edition:
    folder: Path
    in_force_from: date


def load_rules(organisation: str, on: date, folder: Path | None = None) -> RuleEdition:
    """The rules in force for an organisation on a day: the newest edition whose date has come.

    What was read is cached until a file changes.

    Raises:
        InvalidInput: a rule file has mistakes, every one with its file, line and reason; or no edition is in force yet.
    """
    root = RULES if folder is None else folder.absolute()
    state = _state(root)
    editions = _editions(root, state)
    in_force = [edition for edition in editions if edition.in_force_from <= on]
    if not in_force:
        first = editions[0]
        problem = f"{on} is before the first edition of rules, {first.folder.name}, which is in force from"
        remedy = f"Add an edition for that time, or correct in_force_from in editions/{first.folder.name}/default.yaml."
        raise InvalidInput(SUBJECT, [Fault("editions", f"{problem} {first.in_force_from}.", remedy)])
    return _edition(root, in_force[-1], organisation, state)


def _state(root: Path) -> str:
    """What changes whenever a rule file does."""
    if root == RULES:
        return ""  # those that ship change only with the program
    seen = hashlib.sha256()
    for path in sorted(root.rglob("*.yaml")):
        try:
            content = contents(path, LARGEST)
        except OSError as error:
            content = str(error.errno).encode()
        seen.update(hashlib.sha256(str(path).encode() + b"\0" + content).digest())
    return seen.hexdigest()


@functools.lru_cache(maxsize=16)
def _editions(root: Path, state: str) -> tuple[_Edition, ...]:
    found: list[_Edition] = []
    faults: list[Fault] = []
    for default in sorted(root.glob("editions/*/default.yaml")):
        file = _read(root, default)
        since = file.value.get("in_force_from")
        if not file.faults and (not isinstance(since, date) or isinstance(since, datetime)):
            file.fault(
                ("in_force_from",), "expected the date from which the edition is in force, YYYY-MM-DD."
            )
        elif not file.faults and since in {edition.in_force_from for edition in found}:
            file.fault(("in_force_from",), "is the date of another edition too.")
        if file.faults:
            faults += file.faults
        elif isinstance(since, date):
            found.append(_Edition(default.parent, since))
    if faults:
        raise InvalidInput(SUBJECT, faults)
    if not found:
        raise InvalidInput(SUBJECT, [Fault(str(root), "has no editions/YEAR/default.yaml.")])
    return tuple(sorted(found, key=lambda edition: edition.in_force_from))


def _laid(root: Path, folder: Path, organisation: str) -> tuple[dict[str, Any], list[_File], dict[At, _File]]:
    """What an organisation's files say together, the files, and which of them says what.

    The default stands below the variants that it names, those below the ones that the organisation's own file names,
    and that file above all.
    """
    default = _read(root, folder / "default.yaml")
    named, files = [default], [default]
    overlay = folder / f"{organisation}.yaml"
    if _NAME.fullmatch(organisation) and organisation != "default" and overlay.is_file():
        over = _read(root, overlay)
        if "in_force_from" in over.value:
            over.fault(("in_force_from",), "belongs into default.yaml: it holds for the whole edition.")
        named.append(over)
    above = [variant for file in named for variant in _variants(root, file)] + named[1:]
    value: dict[str, Any] = {name: one for name, one in default.value.items() if name != VARIANTS}
    origins: dict[At, _File] = {}
    for file in above:
        files.append(file)
        said = {name: one for name, one in file.value.items() if name != VARIANTS}
        value = _overlaid(value, said, (), file, origins)
    return value, files, origins


def _variants(root: Path, file: _File) -> list[_File]:
    """The variants that a file names, in their order; what is none is a mistake of that file."""
    if VARIANTS not in file.value:
        return []
    wanted = file.value[VARIANTS]
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        file.fault((VARIANTS,), "expected a list of names: [european-by-countries].")
        return []
    found = []
    for place, name in enumerate(wanted):
        path = root / VARIANTS / f"{name}.yaml"
        if not _NAME.fullmatch(name) or not path.is_file():
            known = ", ".join(one.stem for one in sorted((root / VARIANTS).glob("*.yaml"))) or "none"
            problem = f"“{one_line(name, 40)}” is no variant; known are {known}."
            file.fault((VARIANTS, str(place)), problem)
            continue
        variant = _read(root, path)
        for own in (VARIANTS, "in_force_from"):
            if own in variant.value:
                variant.fault((own,), "belongs into an edition: a variant holds wherever it is named.")
        found.append(variant)
    return found


@functools.lru_cache(maxsize=512)
def _edition(root: Path, edition: _Edition, organisation: str, state: str) -> RuleEdition:
    value, files, origins = _laid(root, edition.folder, organisation)
    loaded = None
    if not any(file.faults for file in files):
        loaded = _complete(root, edition, organisation, value, files, origins)
    if faults := [fault for file in files for fault in file.faults]:
        raise InvalidInput(SUBJECT, faults)
    if loaded is None:  # pragma: no cover - what is not loaded has a fault
        raise InvalidInput(SUBJECT, [Fault(str(root), "has mistakes.")])
    return loaded


def _complete(
    root: Path,
    edition: _Edition,
    organisation: str,
    value: dict[str, Any],
    files: list[_File],
    origins: dict[At, _File],
) -> RuleEdition | None:
    for own in ("edition", "organisation", "criteria_set"):
        if own in value:
            _origin((own,), files[0], origins).fault((own,), "is not known here.")
    criteria, criteria_file = _criteria_set(root, value, files, origins)
    body = value | {
        "edition": edition.folder.name,
        "organisation": organisation,
        "criteria_set": criteria or _STAND_IN,
    }
    loaded = _validated(RuleEdition, body, files[0], origins)
    if loaded is None or criteria is None or criteria_file is None:
        return None
    for at, problem in contradictions(loaded):
        file = criteria_file if at[0] == "criteria" else _origin(at, files[0], origins)
        file.fault(at, problem)
    return loaded


def _criteria_set(
    root: Path, value: dict[str, Any], files: list[_File], origins: dict[At, _File]
) -> tuple[CriteriaSet | None, _File | None]:
    """The criteria set that the rules name; its mistakes are added to those of the other files."""
    national = value.get("national")
    named = national.get("criteria") if isinstance(national, dict) else None
    wanted = named.get("value") if isinstance(named, dict) else None
    if not isinstance(wanted, str):
        return None, None  # missing or no text: the model says so
    path = root / "criteria" / f"{wanted}.yaml"
    if not _NAME.fullmatch(wanted) or not path.is_file():
        at: At = ("national", "criteria", "value")
        known = ", ".join(sorted(path.stem for path in (root / "criteria").glob("*.yaml"))) or "none"
        problem = f"“{one_line(wanted, 40)}” is no criteria set; known are {known}."
        _origin(at, files[0], origins).fault(at, problem)
        return None, None
    file = _read(root, path)
    files.append(file)
    criteria = None if file.faults else _validated(CriteriaSet, file.value, file, {})
    if criteria and criteria.id != wanted:
        file.fault(("id",), f"is not “{wanted}”, as the file is named.")
    return criteria, file


_STAND_IN: dict[str, Any] = {
    "id": "none",
    "name": "none",
    "source": "assumption",
    "points": {0: "nothing"},
    "criteria": [{"id": "none", "name": "none", "meaning": "none", "maximum": 1}],
}
"""For a criteria set with mistakes of its own, so that those of the rules are found too."""


# Where each value stands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """One value of the rules in force, with where it comes from and where it stands."""

    name: str
    """With dots, as the files nest it: `national.review.due_days`."""
    value: Any
    """As the file has it."""
    source: str
    file: str
    """Within the folder of rules."""
    line: int
    own: bool
    """Whether the organisation's own file has it, in place of the edition's."""


def placed(organisation: str, on: date, folder: Path | None = None) -> tuple[Placed, ...]:
    """Every value that is in force for an organisation on a day, in the files' order.

    Raises:
        InvalidInput: as `load_rules`.
    """
    load_rules(organisation, on, folder)  # every mistake is told
    root = RULES if folder is None else folder.absolute()
    [*_, edition] = [one for one in _editions(root, _state(root)) if one.in_force_from <= on]
    value, files, origins = _laid(root, edition.folder, organisation)
    return tuple(_placed(value, (), files[0], origins))


def _placed(value: Any, at: At, default: _File, origins: dict[At, _File]) -> Iterator[Placed]:
    if not isinstance(value, dict):
        return
    if "value" in value and "source" in value:
        file = _origin(at, default, origins)
        line = file.lines.get(at, 1)
        own = file.path.parent == default.path.parent and file is not default
        yield Placed(".".join(at), value["value"], str(value["source"]), file.name, line, own)
        return
    for key, inner in value.items():
        yield from _placed(inner, (*at, str(key)), default, origins)


# Schools ----------------------------------------------------------------------------------------


def load_school_rules(organisation: str, on: date, folder: Path | None = None) -> RuleEdition:
    """The rules by which an organisation judges the applications of schools that are invited on a day.

    Raises:
        InvalidInput: a rule file has mistakes, or there is none of that day.
    """
    root = RULES if folder is None else folder.absolute()
    return _school_rules(organisation, on, root, _state(root))


@functools.lru_cache(maxsize=256)
def _school_rules(organisation: str, on: date, root: Path, _state: str) -> RuleEdition:
    edition = load_rules(organisation, on, root)
    name = edition.school.self_assessment.value
    file = _read(root, root / SELF_ASSESSMENTS / f"{name}.yaml")
    questions = _questions(file)
    if questions is None:
        raise InvalidInput(SUBJECT, file.faults)
    return edition.for_schools(questions)


def _questions(file: _File) -> SelfAssessmentRules | None:
    """The self-assessment in a file; its mistakes are added to the file's."""
    questions = None if file.faults else _validated(SelfAssessmentRules, file.value, file, {})
    if questions is None:
        return None
    for at, problem in within_criteria(questions.criteria_set):
        file.fault(("pillars", *at[1:]) if at[0] == "criteria" else at, problem)
    if questions.id != file.path.stem:
        file.fault(("id",), f"is not “{file.path.stem}”, as the file is named.")
    return None if file.faults else questions


def check_all(folder: Path | None = None) -> list[str]:
    """Loads every rule file, also those that nothing names; returns the versions that they make.

    Raises:
        InvalidInput: with every mistake of every file.
    """
    root = RULES if folder is None else folder.absolute()
    versions: list[str] = []
    faults: dict[Fault, None] = {}
    state = _state(root)
    try:
        editions = _editions(root, state)
    except InvalidInput as error:
        editions, faults = (), dict.fromkeys(error.faults)
    for edition in editions:
        for organisation in ["default", *_organisations(edition)]:
            if not _NAME.fullmatch(organisation):
                where = f"editions/{edition.folder.name}/{one_line(organisation, 80)}.yaml"
                faults[Fault(where, "is not named after an organisation.")] = None
                continue
            try:
                versions.append(_edition(root, edition, organisation, state).version)
            except InvalidInput as error:
                faults |= dict.fromkeys(error.faults)
    for path in sorted((root / "criteria").glob("*.yaml")):
        file = _read(root, path)
        criteria = None if file.faults else _validated(CriteriaSet, file.value, file, {})
        if criteria:
            for at, problem in within_criteria(criteria):
                file.fault(at, problem)
            if criteria.id != path.stem:
                file.fault(("id",), f"is not “{path.stem}”, as the file is named.")
        faults |= dict.fromkeys(file.faults)
    for path in sorted((root / SELF_ASSESSMENTS).glob("*.yaml")):
        file = _read(root, path)
        _questions(file)
        faults |= dict.fromkeys(file.faults)
    for path in sorted((root / VARIANTS).glob("*.yaml")):
        faults |= dict.fromkeys(_faults_of_variant(root, path, editions))
    if faults:
        raise InvalidInput(SUBJECT, list(faults))
    return versions


def _faults_of_variant(root: Path, path: Path, editions: Sequence[_Edition]) -> list[Fault]:
    """The mistakes of a variant, also where no edition names it: as if the newest one did."""
    file = _read(root, path)
    if not _NAME.fullmatch(path.stem):
        file.fault((), "has no name by which an edition could name it.")
    if editions and not file.faults:
        default = _read(root, editions[-1].folder / "default.yaml")
        default.value[VARIANTS] = [path.stem]
        [file] = _variants(root, default)
        value: dict[str, Any] = {name: one for name, one in default.value.items() if name != VARIANTS}
        origins: dict[At, _File] = {}
        value = _overlaid(value, file.value, (), file, origins)
        if not file.faults and not default.faults:
            _complete(root, editions[-1], "default", value, [default, file], origins)
    return file.faults


# What fits together and may surprise --------------------------------------------------------------


def overruns(folder: Path | None = None) -> list[str]:
    """Rounds that are decided after the labels of their European year end: what is awarded then counts a year later.

    No mistake, but nobody should learn of it from a label that is missing from a ranking.

    Raises:
        InvalidInput: a rule file has mistakes.
    """
    root = RULES if folder is None else folder.absolute()
    state = _state(root)
    found = []
    for edition in _editions(root, state):
        ends = _edition(root, edition, CENTRAL, state).european.window.value.ends
        for organisation in ["default", *_organisations(edition)]:
            rules = _edition(root, edition, organisation, state)
            calendar = rules.national.calendar
            if calendar.kind.value is CalendarKind.ROUNDS and calendar.rounds:
                found += [
                    f"{rules.version}: “{one.name}” closes on {one.closes} and is decided by {one.decided_by}, after "
                    f"{ends}, when the labels of its European year end. What is awarded later counts a year later."
                    for one in calendar.rounds.value
                    if _overruns(one, ends)
                ]
    return found


def _overruns(dates: RoundDates, ends: str) -> bool:
    """Whether a European year, which ends on a day of each year, ends between a round's closing and its decisions."""
    closes = read_moment(dates.closes, 2023, ends=True)
    decided = read_moment(dates.decided_by, 2023, ends=True)
    if decided <= closes:
        decided = read_moment(dates.decided_by, 2024, ends=True)
    return any(closes <= read_moment(ends, year, ends=True) < decided for year in (2023, 2024))


def _organisations(edition: _Edition) -> list[str]:
    """The organisations with a file of their own in an edition."""
    return sorted(path.stem for path in edition.folder.glob("*.yaml") if path.stem != "default")
