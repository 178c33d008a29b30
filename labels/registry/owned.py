"""Whether rows of the registry are those of one organisation: what its platform may bring in, and nothing of others.

Projects are of several countries: those whose teacher is a founder may change one. What is not an organisation's own is refused in
the same words whether it is there or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import sqlalchemy as sa

from labels.errors import NotAllowed
from labels.registry.files import Objection, RegistryFile, shown

_OWN_IN_FILE = frozenset({"school", "teacher", "organisation"})
"""What a row may refer to among the organisation's own alone."""


class Outside(NamedTuple):
    """A row that is not the organisation's own, or names what is not."""

    line: int
    column: str
    objection: Objection


def without_references(file: RegistryFile, owner: Owner) -> RegistryFile:
    """The file without the check that what it refers to is there, where `not_owned` has a narrower one."""
    if owner.central:
        return file
    columns = (replace(one, of="") if one.of in _OWN_IN_FILE else one for one in file.columns)
    return replace(file, columns=tuple(columns))


class _Check(NamedTuple):
    """One question to the staged rows, `s`, of a table: what it finds is refused."""

    column: str
    found: str
    """SQL that says whether a row is to be refused; `:own` is the organisation."""
    problem: str
    """`{value}` stands for what the row has in the column, `{own}` for the organisation."""
    remedy: str
    always: bool = False
    """Whether it is asked of rows of the Central Support Service's platform, too, which may be of all organisations."""


class Owner(NamedTuple):
    """Whose platform brings rows in."""

    organisation: str
    central: bool
    """Whether that is the Central Support Service, whose platform may bring in those of all."""


_OWN_SCHOOL = "EXISTS (SELECT 1 FROM school r WHERE r.id = s.{column} AND r.organisation = :own)"
_OWN_TEACHER = (
    "EXISTS (SELECT 1 FROM teacher r JOIN school c ON c.id = r.school"
    " WHERE r.id = s.teacher AND c.organisation = :own)"
)


def _not_own(column: str, what: str, own: str, *, optional: bool = False) -> _Check:
    given = f"s.{column} <> '' AND " if optional else ""
    return _Check(
        column,
        f"{given}NOT {own}",
        f"{{value}} is no {what} of {{own}}.",
        "Bring it in first, or leave the row out.",
    )


def _others(column: str, table: str, of: str, what: str) -> _Check:
    """A row of the record that is somebody else's, and is to be changed by this one."""
    found = f"EXISTS (SELECT 1 FROM {table} t WHERE t.id = s.{column} AND NOT ({of}))"
    return _Check(column, found, f"{{value}} is no {what} of {{own}}.", "Leave the row out.")


_ON_A_STAFF = (
    "EXISTS (SELECT 1 FROM staff f WHERE f.person = t.{person})"
    " OR EXISTS (SELECT 1 FROM organisation o WHERE o.person = t.{person})"
    " OR EXISTS (SELECT 1 FROM former_staff f WHERE f.person = t.{person})"  # who may be back
)
_ELSEWHERE = (
    "EXISTS (SELECT 1 FROM teacher e JOIN school c ON c.id = e.school"
    " WHERE e.person = t.{person} AND c.organisation <> :own)"
    " OR EXISTS (SELECT 1 FROM school c WHERE c.principal = t.{person} AND c.organisation <> :own)"
)


_OTHERS_STAFF = (
    "EXISTS (SELECT 1 FROM staff f WHERE f.person = t.{person} AND f.organisation <> :own)"
    " OR EXISTS (SELECT 1 FROM organisation o WHERE o.person = t.{person} AND o.id <> :own)"
    " OR EXISTS (SELECT 1 FROM former_staff f WHERE f.person = t.{person} AND f.organisation <> :own)"
)
_OF_OTHERS = f"{_OTHERS_STAFF} OR {_ELSEWHERE}"


def _reads_mail_of_others(table: str, column: str, unchanged: str) -> _Check:
    """An address at which somebody of another organisation reads their mail, in a row that is new or has another one.

    Whoever shares an address signs in beside those who read it, and by the registry's files those who share a name,
    too, may become one person: with the school that the row names.
    """
    found = (
        f"NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id = s.{table} AND {unchanged})"
        f" AND (EXISTS (SELECT 1 FROM person t WHERE t.address = s.{column} AND ({_OF_OTHERS.format(person='id')}))"
        f" OR EXISTS (SELECT 1 FROM address t WHERE t.address = s.{column} AND t.until IS NULL"
        f" AND ({_OF_OTHERS.format(person='person')})))"
    )
    problem = "is an address of somebody of another organisation."
    return _Check(column, found, problem, "The operator brings it in, with the registry's files.")


def _is_called_by_others(table: str, person: str, column: str) -> _Check:
    """A changed name or language of somebody who is of another organisation, too: it would be theirs there."""
    found = (
        f"EXISTS (SELECT 1 FROM {table} t WHERE t.id = s.{table} AND t.{column} <> s.{column}"
        f" AND ({_OF_OTHERS.format(person=person)}))"
    )
    problem = "is that of somebody who is of another organisation, too."
    return _Check(column, found, problem, "The operator changes it, with the registry's files.")


def _signs_in_as_more(table: str, person: str, column: str, more: str, *, always: bool) -> _Check:
    """An address by which somebody signs in who is more than a teacher or a principal of the organisation.

    Whoever reads the mail at an address signs in as that person.
    """
    found = (
        f"EXISTS (SELECT 1 FROM {table} t WHERE t.id = s.{table} AND lower(t.{column}) <> s.{column}"
        f" AND ({more.format(person=person)}))"
    )
    problem = "the present address is of somebody who is more than that here, on a staff for example."
    return _Check(column, found, problem, "The operator changes it, with the registry's files.", always)


_CHECKS: Mapping[str, tuple[_Check, ...]] = {
    "school": (
        _Check("organisation", "s.organisation <> :own", "{value} is not {own}.", "Write {own}."),
        _others("school", "school", "t.organisation = :own", "school"),
        _Check(
            "succeeds",
            f"s.succeeds <> '' AND NOT {_OWN_SCHOOL.format(column='succeeds')}"
            " AND NOT EXISTS (SELECT 1 FROM staged_school r WHERE r.school = s.succeeds)",
            "{value} is no school of {own}.",
            "Bring it in first, or leave it empty.",
        ),
        _signs_in_as_more("school", "principal", "principal_email", _ON_A_STAFF, always=True),
        _signs_in_as_more("school", "principal", "principal_email", _ELSEWHERE, always=False),
        _reads_mail_of_others(
            "school",
            "principal_email",
            # Another name at the same address is another person, who is found by both.
            "lower(r.principal_email) = s.principal_email AND r.principal_name = s.principal_name",
        ),
        _is_called_by_others("school", "principal", "principal_name"),
    ),
    "teacher": (
        _not_own("school", "school", _OWN_SCHOOL.format(column="school")),
        _others(
            "teacher",
            "teacher",
            "EXISTS (SELECT 1 FROM school c WHERE c.id = t.school AND c.organisation = :own)",
            "teacher",
        ),
        _signs_in_as_more("teacher", "person", "email", _ON_A_STAFF, always=True),
        _signs_in_as_more("teacher", "person", "email", _ELSEWHERE, always=False),
        _reads_mail_of_others("teacher", "email", "lower(r.email) = s.email"),
        _is_called_by_others("teacher", "person", "name"),
        _is_called_by_others("teacher", "person", "language"),
    ),
    "project": (
        _Check(
            "project",
            "EXISTS (SELECT 1 FROM member m WHERE m.project = s.project) AND NOT EXISTS (SELECT 1 FROM member m"
            " JOIN teacher t ON t.id = m.teacher JOIN school c ON c.id = t.school"
            " WHERE m.project = s.project AND m.role = 'founder' AND c.organisation = :own)",
            "no founder of {value} is a teacher of {own}.",
            "Leave the row out.",
        ),
    ),
    "member": (
        _not_own("teacher", "teacher", _OWN_TEACHER),
        _not_own("school", "school", _OWN_SCHOOL.format(column="school"), optional=True),
        _Check(
            "role",
            "s.role = 'founder' AND EXISTS (SELECT 1 FROM member m WHERE m.project = s.project AND m.role = 'founder')"
            " AND NOT EXISTS (SELECT 1 FROM member m"
            " JOIN teacher t ON t.id = m.teacher JOIN school c ON c.id = t.school"
            " WHERE m.project = s.project AND m.role = 'founder' AND c.organisation = :own)",
            "the project has founders, and none of them is a teacher of {own}.",
            "Write partner, or have the Central Support Service's platform or the operator bring the founder in.",
        ),
    ),
    "activity": (
        _not_own("teacher", "teacher", _OWN_TEACHER),
        _others(
            "activity",
            "activity",
            "EXISTS (SELECT 1 FROM teacher e JOIN school c ON c.id = e.school"
            " WHERE e.id = t.teacher AND c.organisation = :own)",
            "activity",
        ),
    ),
    "award": (
        _Check("organisation", "s.organisation <> :own", "{value} is not {own}.", "Write {own}."),
        _Check(
            "label",
            "s.label = 'european'",
            "the European Quality Label is awarded by the Central Support Service.",
            "Leave the row out.",
        ),
        _not_own("teacher", "teacher", _OWN_TEACHER, optional=True),
        _not_own("school", "school", _OWN_SCHOOL.format(column="school"), optional=True),
        _Check(
            "organisation",
            "s.organisation = :own AND EXISTS (SELECT 1 FROM award a WHERE a.organisation <> :own AND a.label = s.label"
            " AND ((s.label <> 'school' AND a.teacher = s.teacher AND a.project = s.project)"
            " OR (s.label = 'school' AND a.school = s.school AND CAST(a.awarded_on AS TEXT) = s.awarded_on)))",
            "this label was awarded by another organisation.",
            "Leave the row out.",
        ),
    ),
}


BROUGHT_IN = frozenset(_CHECKS)
"""The tables of which a platform may bring in rows. Who judges and decides is no platform's word: organisations and
their staff come with the registry's files, or by the desk's page."""


def not_owned(connection: sa.Connection, owner: Owner, file: RegistryFile) -> Iterator[Outside]:
    """What the staged rows of a file have that its platform may not bring in.

    Raises:
        NotAllowed: no platform may bring in rows of that file.
    """
    if file.table not in BROUGHT_IN:
        raise NotAllowed(f"{file.name} comes with the registry's files alone.")
    own = owner.organisation
    for check in _CHECKS[file.table]:
        if owner.central and not check.always:
            continue
        query = sa.text(
            f'SELECT s.line, s."{check.column}" AS value FROM staged_{file.table} s WHERE {check.found} ORDER BY s.line'
        )
        for row in connection.execute(query, {"own": own} if ":own" in check.found else {}):
            problem = check.problem.format(value=shown(row.value), own=own)
            yield Outside(row.line, check.column, Objection(problem, check.remedy.format(own=own)))
