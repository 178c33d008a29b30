"""The rules that ship, how overlays change them, and how a mistake in a rule file is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from labels.errors import InvalidInput
from labels.rules.loading import RULES, check_all, load_rules, overruns, placed
from labels.rules.model import Average, CalendarKind, Late, Merge, RuleEdition, Together, Unit

TODAY = date(2026, 3, 16)
DEFAULT, PL, CZ, CRITERIA = (
    "editions/2026/default.yaml",
    "editions/2026/NSS-PL.yaml",
    "editions/2026/NSS-CZ.yaml",
    "criteria/2014.yaml",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The rule files that ship, to be changed."""
    for name in ("editions", "criteria", "variants"):
        shutil.copytree(RULES / name, tmp_path / name)
    return tmp_path


def rules(organisation: str) -> Any:
    return load_rules(organisation, TODAY).national


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), "utf-8")


def line_of(folder: Path, file: str, piece: str) -> int:
    lines = (folder / file).read_text("utf-8").splitlines()
    [number] = [number for number, line in enumerate(lines, 1) if piece in line]
    return number


def faults(act: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        act()
    return list(map(str, refused.value.faults))


# What ships -------------------------------------------------------------------------------------


def test_every_rule_file_that_ships_is_right() -> None:
    organisations = {"CZ", "DE", "ES", "FI", "FR", "IT", "PL", "RS"}
    expected = {"2026/default", "2026/PSA-MD"} | {f"2026/NSS-{country}" for country in organisations}
    assert set(check_all()) == expected


def test_an_organisation_without_rules_of_its_own_has_the_default_ones() -> None:
    belgium = load_rules("NSS-BE-FR", TODAY)
    assert belgium.version == "2026/NSS-BE-FR"
    national = belgium.national
    assert (national.pass_mark.value, belgium.criteria_set.maximum) == (18, 30)
    assert (national.criterion_minimum.value, national.review.merge.value) == (2, Merge.MEAN)
    assert national.calendar.kind.value is CalendarKind.ROLLING
    assert (national.limits.per_school_year.value, national.limits.european_only.value) == (4, True)
    assert (national.limits.description_words.value, national.limits.section_words.value) == (150, 200)
    assert (national.limits.upload_mib.value, national.limits.uploads_mib.value) == (20, 100)
    assert national.review.disagreement.value == 6
    assert len(national.preconditions.value) == 5


def test_the_newest_european_rule_ships_and_is_in_force_where_an_edition_names_it(folder: Path) -> None:
    assert load_rules("NSS-BE-FR", TODAY).european.unit.value is Unit.AWARDS, "the brief's rule, unless"
    change(folder, DEFAULT, "in_force_from:", "variants: [european-by-countries]\nin_force_from:")
    european = load_rules("NSS-BE-FR", TODAY, folder).european
    assert (european.unit.value, european.share.value, european.above.value) == (Unit.PROJECTS, "25%", 20)
    assert european.average
    assert european.average.value is Average.COUNTRIES
    assert european.await_others
    assert european.await_others.value
    assert (european.together.value, european.at_least.value) == (Together.COUNTRIES, 2)
    assert european.european_only
    assert european.european_only.value
    shown = {one.name: one for one in placed("NSS-PL", TODAY, folder)}
    assert (shown["european.unit"].file, shown["european.unit"].own) == (
        "variants/european-by-countries.yaml",
        False,
    )
    assert shown["national.calendar.working_days"].own
    assert all(one.source.startswith("found") for one in shown.values() if one.file.startswith("variants/"))


def test_what_an_organisations_file_says_itself_counts_before_a_variant(folder: Path) -> None:
    (folder / PL).write_text(
        "variants: [european-by-countries]\neuropean:\n  above: {value: 22, source: assumption}\n", "utf-8"
    )
    poland, elsewhere = (load_rules(one, TODAY, folder).european for one in ("NSS-PL", "NSS-BE-FR"))
    assert (poland.unit.value, poland.above.value) == (Unit.PROJECTS, 22)
    assert elsewhere.unit.value is Unit.AWARDS


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[newest]", "“newest” is no variant; known are european-by-countries."),
        ("[../criteria/2014]", "is no variant"),
        ("european-by-countries", "expected a list of names"),
        ("[1]", "expected a list of names"),
    ],
)
def test_a_variant_that_there_is_not_is_told_with_its_line(folder: Path, said: str, told: str) -> None:
    change(folder, DEFAULT, "in_force_from:", f"variants: {said}\nin_force_from:")
    [fault] = faults(lambda: load_rules("NSS-BE-FR", TODAY, folder))
    assert told in fault
    assert fault.startswith(f"{DEFAULT}:{line_of(folder, DEFAULT, 'variants:')}")


def test_a_mistake_in_a_variant_is_told_also_where_nothing_names_it(folder: Path) -> None:
    change(folder, "variants/european-by-countries.yaml", "value: projects", "value: schools")
    [fault] = faults(lambda: check_all(folder))
    assert fault.startswith("variants/european-by-countries.yaml:4 · european.unit")


def test_an_overlay_overrides_only_what_it_names() -> None:
    default, poland = rules("NSS-BE-NL"), rules("NSS-PL")
    assert poland.calendar.working_days.value == {
        month: 60 if month in (5, 6, 7, 8) else 30 for month in range(1, 13)
    }
    assert poland.model_copy(update={"calendar": default.calendar}) == default


@pytest.mark.parametrize(
    ("organisation", "closings", "late"),
    [
        ("NSS-IT", ["06-30 23:59"], Late.ROLL_OVER),
        ("NSS-CZ", ["02-28"], Late.ROLL_OVER),
        ("NSS-DE", ["05-31"], Late.REFUSE),
        ("NSS-FI", ["01-21", "05-13", "09-10"], Late.REFUSE),
        ("PSA-MD", ["05-15", "09-10"], Late.REFUSE),
    ],
)
def test_countries_with_rounds_close_when_they_say(
    organisation: str, closings: list[str], late: Late
) -> None:
    calendar = rules(organisation).calendar
    assert calendar.kind.value is CalendarKind.ROUNDS
    assert [round_.closes for round_ in calendar.rounds.value] == closings
    assert calendar.late.value is late


def test_countries_deviate_where_it_was_found() -> None:
    assert rules("NSS-CZ").review.reviewers.value == 3
    assert rules("PSA-MD").review.reviewers.value == 1
    assert rules("NSS-ES").reapplication.times.value == 1
    assert rules("NSS-ES").reapplication.name_criteria.value is True
    assert rules("NSS-RS").appeal_days.value == 15
    assert rules("NSS-BE-FR").appeal_days.value == 0
    assert {criterion.maximum for criterion in load_rules("NSS-RS", TODAY).criteria_set.criteria} == {3}


SIX = [
    "pedagogical_innovation",
    "curricular_integration",
    "communication",
    "collaboration",
    "technology",
    "results",
]


@pytest.mark.parametrize(
    ("name", "counted", "knock_outs", "maximum"),
    [
        ("2014", SIX, {}, 30),
        ("2019", [one for one in SIX if one != "communication"], {}, 25),
        (
            "2022",
            [one for one in SIX if one != "communication"],
            {"online_collaboration": 3, "choice_of_ict": 3, "safety_and_rights": 3},
            25,
        ),
        ("rs", SIX, {}, 18),
    ],
)
def test_criteria_sets_are_those_of_their_time_and_place(
    folder: Path, name: str, counted: list[str], knock_outs: dict[str, int], maximum: int
) -> None:
    change(folder, DEFAULT, "value: '2014'", f"value: '{name}'")
    change(folder, DEFAULT, "pass_mark: {value: 18", "pass_mark: {value: 11")
    criteria = load_rules("NSS-XX", TODAY, folder).criteria_set
    assert [criterion.id for criterion in criteria.counted] == counted
    assert {one.id: one.minimum for one in criteria.criteria if one.minimum} == knock_outs
    assert criteria.maximum == maximum
    assert all(criterion.meaning.endswith(".") for criterion in criteria.criteria)


def test_points_of_the_common_sets_mean_what_was_found() -> None:
    words = ["nothing", "poor", "acceptable", "good", "very good", "excellent"]
    assert load_rules("NSS-PL", TODAY).criteria_set.points == dict(enumerate(words))


def test_every_value_says_where_it_comes_from() -> None:
    def unsourced(value: Any, at: str) -> list[str]:
        if isinstance(value, dict):
            if set(value) == {"value", "source"}:
                return (
                    [] if value["source"] in {"brief", "assumption"} or "found: " in value["source"] else [at]
                )
            return [found for name, inner in value.items() for found in unsourced(inner, f"{at}.{name}")]
        return [] if value is None else [at]

    for version in check_all():
        assert unsourced(load_rules(version.split("/")[1], TODAY).to_json()["national"], version) == []


# Editions ---------------------------------------------------------------------------------------


def test_the_newest_edition_whose_date_has_come_is_in_force(folder: Path) -> None:
    shutil.copytree(folder / "editions/2026", folder / "editions/2027")
    change(folder, "editions/2027/default.yaml", "2024-09-01", "2026-09-01")
    change(folder, "editions/2027/default.yaml", "pass_mark: {value: 18", "pass_mark: {value: 20")
    for day, version, mark in [
        (date(2024, 9, 1), "2026/NSS-PL", 18),
        (date(2026, 8, 31), "2026/NSS-PL", 18),
        (date(2026, 9, 1), "2027/NSS-PL", 20),
        (date(2031, 1, 1), "2027/NSS-PL", 20),
    ]:
        edition = load_rules("NSS-PL", day, folder)
        assert (edition.version, edition.national.pass_mark.value) == (version, mark)


def test_before_the_first_edition_there_are_no_rules() -> None:
    with pytest.raises(
        InvalidInput, match=r"2024-08-31 is before the first edition of rules, 2026, which is in force"
    ):
        load_rules("NSS-PL", date(2024, 8, 31))


def test_national_rounds_that_are_decided_after_the_european_year_are_told_when_rules_are_checked(
    folder: Path,
) -> None:
    told = overruns()
    assert [one.partition(" is decided by ")[0] for one in told] == [
        "2026/NSS-FI: “September cut-off” closes on 09-10 and",
        "2026/NSS-IT: “Annual round” closes on 06-30 23:59 and",
        "2026/PSA-MD: “Autumn session” closes on 09-10 and",
    ]
    assert all("after 09-30, when the labels of its European year end" in one for one in told)
    change(folder, DEFAULT, "ends: '09-30'", "ends: '11-15'")
    assert [one.partition(":")[0] for one in overruns(folder)] == []
    change(folder, DEFAULT, "ends: '11-15'", "ends: '05-31'")
    assert "2026/NSS-DE" in {one.partition(":")[0] for one in overruns(folder)}


def test_an_edition_that_was_kept_is_the_same_years_later() -> None:
    for version in check_all():
        edition = load_rules(version.split("/")[1], TODAY)
        kept = RuleEdition.from_json(json.loads(json.dumps(edition.to_json())))
        assert kept == edition
        assert kept.digest == edition.digest
        assert kept.version == version


def test_any_other_value_makes_another_digest(folder: Path) -> None:
    before = load_rules("NSS-PL", TODAY, folder)
    change(folder, CRITERIA, "  3: good", "  3: quite good")
    after = load_rules("NSS-PL", TODAY, folder)
    assert before.digest != after.digest
    assert load_rules("NSS-PL", TODAY).digest == before.digest


def test_a_changed_file_counts_at_once_and_an_unchanged_one_is_not_read_again(folder: Path) -> None:
    first = load_rules("NSS-PL", TODAY, folder)
    assert load_rules("NSS-PL", date(2026, 4, 1), folder) is first
    change(folder, PL, "{1: 30", "{1: 31")
    second = load_rules("NSS-PL", TODAY, folder)
    assert second.national.calendar.working_days is not None
    assert second.national.calendar.working_days.value[1] == 31
    (folder / PL).unlink()
    third = load_rules("NSS-PL", TODAY, folder)
    assert third.national.calendar.working_days is not None
    assert third.national.calendar.working_days.value[1] == 60


@pytest.mark.parametrize("name", ["../2026/NSS-PL", "/etc/passwd", "default", "a\0b", "x" * 5000, ""])
def test_the_name_of_an_organisation_leads_to_no_other_file(name: str) -> None:
    assert load_rules(name, TODAY).national == load_rules("NSS-BE-FR", TODAY).national


def test_an_organisation_may_ask_for_more_than_the_criteria_set(folder: Path) -> None:
    knock_outs = "  knock_outs: {value: {technology: 4}, source: 'found: somewhere'}\n"
    (folder / PL).write_text("national:\n" + knock_outs, "utf-8")
    edition = load_rules("NSS-PL", TODAY, folder)
    minima = {one.id: edition.minimum(one) for one in edition.criteria_set.criteria}
    assert minima == dict.fromkeys(SIX, 2) | {"technology": 4}


# Mistakes ---------------------------------------------------------------------------------------

MISTAKES = [  # what, in which file, what is changed into what, the line it stands on, what is said
    ("unknown key", DEFAULT, "pass_mark:", "pas_mark:", "pas_mark", "is not known here"),
    ("wrong type", DEFAULT, "value: 18", "value: eighteen", "eighteen", "valid integer"),
    ("text for a number", DEFAULT, "value: 18", "value: '18'", "pass_mark", "valid integer"),
    ("yes for a number", DEFAULT, "value: 18", "value: yes", "pass_mark", "valid integer"),
    (
        "number for yes",
        DEFAULT,
        "european_only: {value: true, source: 'found: NSS",
        "european_only: {value: 1, source: 'found: NSS",
        "european_only: {value: 1",
        "valid boolean",
    ),
    ("negative", DEFAULT, "value: 18", "value: -1", "pass_mark", "greater than or equal to 0"),
    ("above the maximum", DEFAULT, "value: 18", "value: 31", "pass_mark", "31 is above 30"),
    (
        "minimum above",
        DEFAULT,
        "criterion_minimum: {value: 2",
        "criterion_minimum: {value: 6",
        "criterion_min",
        "above 5",
    ),
    ("missing source", DEFAULT, "{value: 18, source: assumption}", "{value: 18}", "pass_mark", "is missing"),
    (
        "bare value",
        DEFAULT,
        "{value: 18, source: assumption}",
        "18",
        "pass_mark",
        "expected {value: …, source: …}",
    ),
    (
        "odd source",
        DEFAULT,
        "{value: 18, source: assumption}",
        "{value: 18, source: hearsay}",
        "hearsay",
        '"brief", "assumption" or "found: "',
    ),
    (
        "empty source",
        DEFAULT,
        "{value: 18, source: assumption}",
        "{value: 18, source: 'found: '}",
        "pass_mark",
        "found",
    ),
    (
        "no criteria set",
        DEFAULT,
        "value: '2014'",
        "value: '2013'",
        "2013",
        "is no criteria set; known are 2014, 2019, 2022, rs",
    ),
    ("path as set", DEFAULT, "value: '2014'", "value: '../x'", "../x", "is no criteria set"),
    (
        "too few reviewers",
        DEFAULT,
        "most_reviewers: {value: 3",
        "most_reviewers: {value: 1",
        "most_reviewers",
        "fewer than the reviewers",
    ),
    (
        "uploads",
        DEFAULT,
        "uploads_mib: {value: 100",
        "uploads_mib: {value: 10",
        "uploads_mib",
        "less than one upload",
    ),
    ("precondition", DEFAULT, "finished, contributed", "done, contributed", "done,", "shared_plan"),
    ("no date", DEFAULT, "2024-09-01", "2025-13-01", "2025-13-01", "no value that a rule can have"),
    ("a moment", DEFAULT, "2024-09-01", "2024-09-01 10:00:00", "in_force_from", "YYYY-MM-DD"),
    ("day and month", CZ, "'02-28'", "'31-06'", "31-06", '"31-06" is no date'),
    ("31 June", CZ, "'02-28'", "'06-31'", "06-31", '"06-31" is no date'),
    ("hour", CZ, "'02-28'", "'02-28 24:00'", "24:00", "a day goes from 00:00 to 23:59"),
    ("not a date", CZ, "'02-28'", "soon", "soon", "expected MM-DD"),
    ("syntax", CZ, "national:", "national: [", "kind:", "is not YAML"),
    ("tab", CZ, "  calendar:", "\tcalendar:", "\tcalendar", "is not YAML"),
    (
        "twice",
        CZ,
        "  review:\n",
        "  review:\n    reviewers: {value: 2, source: assumption}\n",
        "three reviewers'",
        "stands twice",
    ),
    ("share of all", DEFAULT, "{value: 1/3", "{value: 4/3", "4/3", "more than the whole"),
    ("share as a number", DEFAULT, "{value: 1/3", "{value: 0.33", "0.33", "valid string"),
    ("leap day", DEFAULT, "ends: '09-30'", "ends: '02-29'", "02-29", "no day that every year has"),
    (
        "unknown in the chain of ties",
        DEFAULT,
        "ties: {value: together, source: assumption}\n  tie_chain: {value: [collaboration,",
        "ties: {value: chain, source: assumption}\n  tie_chain: {value: [friendship,",
        "friendship",
        "is no criterion; known are",
    ),
    ("late", CZ, "value: roll_over", "value: forgive", "forgive", "refuse"),
    (
        "overlay in force",
        CZ,
        "national:",
        "in_force_from: 2026-01-01\nnational:",
        "in_force_from",
        "belongs into default.yaml",
    ),
    (
        "overlay identity",
        CZ,
        "national:",
        "organisation: NSS-XX\nnational:",
        "organisation: ",
        "is not known here",
    ),
    (
        "unknown criterion",
        CZ,
        "  review:\n",
        "  knock_outs: {value: {luck: 3}, source: assumption}\n  review:\n",
        "luck",
        "is no criterion of the set 2014",
    ),
    (
        "knock-out above",
        CZ,
        "  review:\n",
        "  knock_outs: {value: {results: 6}, source: assumption}\n  review:\n",
        "results: 6",
        "6 is above 5",
    ),
    ("month 13", PL, "12: 30", "13: 30", "13: 30", "less than or equal to 12"),
    ("no month", PL, "12: 30}", "11: 30}", "1: 30", "stands twice"),
    ("missing month", PL, ", 12: 30", "", "working_days:", "no working days for month 12"),
    ("set without id", CRITERIA, "id: '2014'", "name_: '2014'", "name_", "is not known here"),
    ("set of another name", CRITERIA, "id: '2014'", "id: '2015'", "id: '2015'", "is not “2014”"),
    ("criterion twice", CRITERIA, "- id: results", "- id: technology", "twice", "“technology” stands twice"),
    (
        "points without meaning",
        CRITERIA,
        "  5: excellent\n",
        "",
        "points:",
        "does not say what 5 points mean",
    ),
    (
        "part of nothing",
        CRITERIA,
        "  - id: results\n",
        "  - id: results\n    part_of: luck\n",
        "part_of",
        "“luck” is no criterion",
    ),
]


@pytest.mark.sampled
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0])
def test_a_mistake_is_refused_with_file_line_and_reason(folder: Path, mistake: tuple[str, ...]) -> None:
    _, file, old, new, piece, reason = mistake
    change(folder, file, old, new)
    found = faults(lambda: check_all(folder))
    if piece == "twice":
        line = len((folder / file).read_text("utf-8").splitlines()) - 3  # the last criterion's id
    else:
        line = line_of(folder, file, piece)
    matching = [fault for fault in found if reason in fault]
    assert any(fault.startswith((f"{file}:{line} ", f"{file}:{line}:")) for fault in matching), found
    organisation = Path(file).stem if "NSS" in file else "NSS-XX"
    assert faults(lambda: load_rules(organisation, TODAY, folder))


def test_all_mistakes_of_all_files_come_at_once(folder: Path) -> None:
    change(folder, DEFAULT, "value: 18", "value: many")
    change(folder, DEFAULT, "per_school_year:", "per_year:")
    change(folder, CZ, "value: roll_over", "value: forgive")
    change(folder, CRITERIA, "  5: excellent\n", "")
    change(folder, "criteria/rs.yaml", "id: 'rs'", "id: 'sr'")
    found = faults(lambda: check_all(folder))
    named = {fault.split(":")[0] for fault in found}
    assert named == {DEFAULT, CZ, CRITERIA, "criteria/rs.yaml"}
    assert len(found) == len(set(found))
    assert sum(fault.startswith(DEFAULT) for fault in found) == 3  # many, per_year, per_school_year missing


def test_a_mistake_in_the_default_is_told_once_and_not_for_every_organisation(folder: Path) -> None:
    change(folder, DEFAULT, "value: 18", "value: many")
    assert len(faults(lambda: check_all(folder))) == 1


ROUNDS = "national: {calendar: {kind: {value: rounds, source: brief}, rounds: {source: brief, value: [%s]}}}"


@pytest.mark.parametrize(
    ("rounds", "reason"),
    [
        ("", "names at least one"),
        (
            "{name: A, opens: '01-01', closes: '06-30', decided_by: '08-01'},"
            "{name: B, opens: '06-30', closes: '11-30', decided_by: '12-31'}",
            "is open while “A” is",
        ),
        (
            "{name: A, opens: '10-01', closes: '02-28', decided_by: '08-01'},"
            "{name: B, opens: '06-30', closes: '11-30', decided_by: '12-31'}",
            "is open while",
        ),
        (
            "{name: A, opens: '01-01', closes: '02-28', decided_by: '08-01'},"
            "{name: B, opens: '02-29', closes: '11-30', decided_by: '12-31'}",
            "is open while",  # in years without 29 February
        ),
        (
            "{name: A, opens: '01-01', closes: '03-30', decided_by: '08-01'},"
            "{name: A, opens: '05-01', closes: '11-30', decided_by: '12-31'}",
            "stands twice",
        ),
        ("{name: A, opens: '1-1', closes: '6/30', decided_by: 'later'}", "is no date"),
    ],
)
def test_rounds_that_cannot_be_are_refused(folder: Path, rounds: str, reason: str) -> None:
    (folder / PL).write_text(ROUNDS % rounds, "utf-8")
    assert any(reason in fault for fault in faults(lambda: load_rules("NSS-PL", TODAY, folder)))


def test_a_round_may_last_from_one_29_february_to_the_next_28(folder: Path) -> None:
    one = "{name: A, opens: '03-01', closes: '02-29', decided_by: '03-31'}"
    (folder / PL).write_text(ROUNDS % one, "utf-8")
    assert load_rules("NSS-PL", TODAY, folder).national.calendar.kind.value is CalendarKind.ROUNDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected a mapping"),
        (b"just a word", "expected a mapping"),
        (b"national: null", "expected {value: "),
        (b"national: [1, 2]", "expected {value: "),
        (b"national: {calendar: 7}", "expected {value: "),
        (b"? {a: b}\n: c", "expected a name before the colon"),
        (b"? [a, b]\n: c", "expected a name before the colon"),
        (b"a: !!python/object/apply:os.system [true]", "is not known here"),
        (b"a: !!python/name:os.system", "no value that a rule can have"),
        (b"national: &x {review: *x}", "alias"),
        (b"a: &x [1]\nb: [*x, *x, *x]", "alias"),
        (b"a: 1\n---\nb: 2", "is not YAML"),
        (b"a: \x00", "is not YAML"),
        (b"a: \xff\xfe", "is not UTF-8"),
        (b"a: " + b"9" * 5000, "no value that a rule can have"),
        (b"a: " + b"[" * 50 + b"]" * 50, "levels deep"),
        (b"a: " + b"[" * 100_000, "is "),
        (b"#" * 300_000, "is larger than 256 KiB"),
        (b"national: {pass_mark: {value: .nan, source: brief}}", "integer"),
        (b'national: {criteria: {value: "\\ud800", source: brief}}', "is no"),
        (b"<<: {national: 1}", "is not known here"),
    ],
)
def test_whatever_a_file_holds_it_is_refused_and_nothing_breaks(
    folder: Path, content: bytes, reason: str
) -> None:
    (folder / PL).write_bytes(content)
    found = faults(lambda: load_rules("NSS-PL", TODAY, folder))
    assert any(fault.startswith(PL) and reason in fault for fault in found), found
    (folder / "editions/2026/default.yaml").write_bytes(content)
    assert faults(lambda: check_all(folder))


def test_aliases_within_aliases_are_refused_before_they_grow(folder: Path) -> None:
    layers = ["a0: &a0 [x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (folder / PL).write_text("\n".join(layers), "utf-8")
    assert any("alias" in fault for fault in faults(lambda: load_rules("NSS-PL", TODAY, folder)))


def test_a_folder_without_editions_is_refused(tmp_path: Path) -> None:
    assert "has no editions" in faults(lambda: load_rules("NSS-PL", TODAY, tmp_path))[0]
    assert "has no editions" in faults(lambda: check_all(tmp_path / "absent"))[0]


def test_two_editions_from_one_day_are_refused(folder: Path) -> None:
    shutil.copytree(folder / "editions/2026", folder / "editions/2027")
    found = faults(lambda: load_rules("NSS-PL", TODAY, folder))
    assert found[0].startswith(f"editions/2027/default.yaml:{line_of(folder, DEFAULT, 'in_force_from')} ")
    assert "date of another edition" in found[0]
