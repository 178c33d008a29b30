"""Applications that read alike, section by section: found among all of the record, told to a coordinator, shown to few."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.applications import fingerprints, likeness
from labels.applications.fingerprints import MOST_SECTIONS
from labels.applications.likeness import Likeness, Relation
from labels.applications.similarity import Reading
from labels.errors import NotFound
from labels.mail import messages
from labels.people.persons import behind
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Fingerprint,
    Journal,
    Mail,
    Member,
    Organisation,
    Outcome,
    Project,
    Section,
    Teacher,
)
from labels.rules.loading import load_rules
from labels.rules.model import LIKENESS, RuleEdition
from labels.views.likeness import LikenessShown, likeness_for
from tests.support.case import COORDINATOR, Case, open_case, withdrawn
from tests.support.mails import told_by
from tests.support.people import CRITERIA, TODAY, populate

ALPHABETS = {
    "Latin": "abcdefghijklmnoprstuwyząęł",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщюя",
    "Armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցփքօֆ",
    "Georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
}


def prose(seed: object, words: int = 120, script: str = "Latin") -> str:
    """A text that nobody wrote before, the same for the same seed."""
    chance = random.Random(str(seed))
    letters = ALPHABETS[script]
    made = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(words)]
    return ". ".join(" ".join(made[first : first + 12]).capitalize() for first in range(0, words, 12)) + "."


def sections(of: str, script: str = "Latin", **changes: str) -> dict[str, str]:
    return {name: prose(f"{of} {name}", script=script) for name in CRITERIA} | changes


Apply = Callable[..., Case]


@pytest.fixture
def applied(record: Record) -> Apply:
    """Hands in an application with the sections given, in the name of a teacher of this country or another."""
    with record.writing() as session:
        populate(session)
        session.add(
            Organisation(
                id="CSS", kind="CSS", country="EU", name="CSS", email="css@eu.example", language="en"
            )
        )
        session.flush()
        for number in range(30):
            session.add(
                Project(id=f"P-5{number:02}", title=f"Project {number}", started_on=TODAY, ended_on=None)
            )
            session.add(
                Teacher(
                    id=f"T-5{number:02}", name=f"Teacher {number}", email=f"t-5{number:02}@school.example",
                    school="S-9", registered_on=TODAY, language="pl",
                )
            )  # fmt: skip
            session.flush()
            for teacher in (f"T-5{number:02}", "T-1", "T-2"):
                role = "founder" if teacher != "T-1" else "partner"
                session.add(Member(project=f"P-5{number:02}", teacher=teacher, role=role, joined_on=TODAY))

    def apply(texts: dict[str, str], **changes: Any) -> Case:
        organisation = "NSS-PT" if changes.get("teacher") == "T-2" else "NSS-PL"
        case = Case(record, organisation, sections=texts, **changes)
        case.conditions()
        case.likeness()
        return case

    return apply


def found(case: Case) -> list[Likeness]:
    with case.record.reading() as session:
        return likeness.likenesses(session, session.get_one(Application, case.id))


def shown(case: Case, who: str) -> tuple[LikenessShown, ...]:
    with case.record.reading() as session:
        return likeness_for(session, case.id, behind(session, who)[0].id).shown


def warnings(case: Case) -> list[messages.SimilarityWarning]:
    mails = [
        one for one in case.all(Mail) if one.template == "similarity_warning" and one.application == case.id
    ]
    return [told_by(one, messages.SimilarityWarning) for one in mails]


def noted(case: Case) -> list[dict[str, Any]]:
    entries = [one for one in case.all(Journal) if one.what == Event.READS_LIKE_ANOTHER]
    return [one.details for one in entries if one.application == case.id]


@pytest.mark.parametrize("script", ALPHABETS)
def test_two_of_six_sections_copied_word_for_word_are_found_in_any_script(
    applied: Apply, script: str
) -> None:
    first = applied(sections("first", script))
    copied = {name: prose(f"first {name}", script=script) for name in ("results", "technology")}
    second = applied(sections("second", script, **copied), teacher="T-3")
    [one] = found(second)
    assert (one.application, one.relation) == (first.id, Relation.PARTNER)
    assert [(pair.section, pair.other_section, pair.shared.share) for pair in one.sections] == [
        ("results", "results", 1.0),
        ("technology", "technology", 1.0),
    ]
    assert one.share == pytest.approx(1 / 3)
    [warning] = warnings(second)
    assert (warning.other, warning.percent, warning.same_project, warning.more) == (first.id, 33, True, 0)
    assert [details["sections"] for details in noted(second)] == [["results", "technology"]]
    assert warnings(first) == [], "it came first"
    assert [other.application for other in found(first)] == [second.id], "its page shows both ways"


def test_a_copy_from_another_project_of_a_former_year_is_found(applied: Apply) -> None:
    former = applied(sections("former"), teacher="T-501", project="P-501")
    withdrawn(former)
    with former.record.writing() as session:
        session.get_one(Application, former.id).submitted_at -= timedelta(days=800)
    case = applied(sections("now", results=prose("former results")))
    [one] = found(case)
    assert (one.application, one.relation) == (former.id, Relation.OTHER)
    [warning] = warnings(case)
    assert not warning.same_project


def test_a_text_that_was_moved_to_another_section_is_found_there(applied: Apply) -> None:
    applied(sections("first"))
    case = applied(sections("second", results=prose("first technology")), teacher="T-3")
    [one] = found(case)
    assert [(pair.section, pair.other_section) for pair in one.sections] == [("results", "technology")]


def test_a_passage_is_enough_however_long_the_section_is(applied: Apply) -> None:
    applied(sections("first"))
    passage = " ".join(prose("first results").split()[30:75])
    own = prose("own", 150)
    case = applied(sections("second", results=f"{own} {passage}"), teacher="T-3")
    [one] = found(case)
    [pair] = one.sections
    [marked] = pair.shared.passages
    assert pair.text[slice(*marked.here)] == passage.rstrip(".")
    assert pair.shared.share < 0.5


def test_a_copy_in_which_every_eighth_word_was_changed_is_found(applied: Apply) -> None:
    applied(sections("first"))
    words = prose("first results").split()
    changed = " ".join(f"x{place}" if place % 8 == 0 else word for place, word in enumerate(words))
    case = applied(sections("second", results=changed), teacher="T-3")
    [one] = found(case)
    assert [pair.section for pair in one.sections] == ["results"]


def test_ones_own_application_for_another_project_is_marked_and_another_attempt_is_none(
    applied: Apply,
) -> None:
    first = applied(sections("mine"), teacher="T-1", project="P-501")
    case = applied(sections("now", results=prose("mine results")), teacher="T-1", project="P-502")
    assert [(one.application, one.relation) for one in found(case)] == [(first.id, Relation.SAME_APPLICANT)]
    withdrawn(first)
    again = applied(sections("mine"), teacher="T-1", project="P-501")
    assert again.id != first.id
    assert first.id not in [one.application for one in found(again)]


@pytest.mark.slow
def test_what_many_projects_write_is_everybodys_and_hides_nobodys_copy(applied: Apply) -> None:
    template = prose("a template that goes round", 60)
    many = LIKENESS.everybodys.value
    for number in range(many):
        texts = sections(f"of {number}", results=f"{template} {prose(f'own of {number}', 30)}")
        applied(texts, teacher=f"T-5{number:02}", project=f"P-5{number:02}")
    case = applied(
        sections("now", results=f"{template} {prose('own', 30)}"), teacher="T-520", project="P-520"
    )
    assert found(case) == []
    thief = applied(
        sections("thief", results=f"{template} {prose('thief', 30)}", technology=prose("now technology")),
        teacher="T-521", project="P-521",
    )  # fmt: skip
    [one] = found(thief)
    assert (one.application, [pair.section for pair in one.sections]) == (case.id, ["technology"])


@pytest.mark.slow
def test_partners_of_one_project_make_no_phrase_everybodys(applied: Apply) -> None:
    texts = sections("shared")
    for number in range(LIKENESS.everybodys.value + 2):
        with applied(
            sections(f"x {number}"), teacher=f"T-5{number:02}", project=f"P-5{number:02}"
        ).record.writing() as s:
            s.add(Member(project="P-1", teacher=f"T-5{number:02}", role="partner", joined_on=TODAY))
        applied(texts, teacher=f"T-5{number:02}", project="P-1")
    case = applied(texts, teacher="T-3")
    assert {one.relation for one in found(case)} == {Relation.PARTNER}
    assert len(found(case)) == LIKENESS.everybodys.value + 2
    [warning] = warnings(case)
    assert warning.more == LIKENESS.everybodys.value + 1, "one mail, however many they are"


def test_a_fingerprint_is_kept_in_so_many_sections_and_no_more(record: Record) -> None:
    case = open_case(record)
    reading = Reading(prose("everywhere"))
    with record.writing() as session:
        for number in range(MOST_SECTIONS + 3):
            readings = {f"section {number}": reading}
            fingerprints.keep(
                session, case.id, readings, fingerprints.matches(session, set(reading.fingerprints.values()))
            )
    with record.reading() as session:
        rows = session.execute(
            sa.select(sa.func.count()).select_from(Fingerprint).group_by(Fingerprint.fingerprint)
        )
        assert {row[0] for row in rows} == {MOST_SECTIONS}


def test_it_is_looked_for_once_and_what_is_ineligible_is_found_but_not_told_of(applied: Apply) -> None:
    refused = applied(sections("first"), teacher="T-3", preconditions=dict.fromkeys(
        ("shared_plan", "finished", "contributed", "collaborative", "safe"), False))  # fmt: skip
    assert refused.row().outcome is Outcome.INELIGIBLE
    case = applied(sections("first"))
    assert [one.application for one in found(case)] == [refused.id]
    assert not case.likeness()
    assert len(noted(case)) == len(warnings(case)) == 1
    assert noted(refused) == []


def test_a_coordinator_sees_only_what_is_with_their_organisation_and_the_central_service_all(
    applied: Apply,
) -> None:
    foreign = applied(sections("first"), teacher="T-2", project="P-501")
    case = applied(sections("first"), teacher="T-3")
    assert [one.application for one in found(case)] == [foreign.id]
    assert shown(case, COORDINATOR) == ()
    assert (noted(case), warnings(case)) == ([], []), "another country's, of another project"
    [seen] = shown(case, "css@eu.example")
    assert (seen.application, seen.country, seen.percent) == (foreign.id, "PT", 100)
    own = applied(sections("first"), teacher="T-501", project="P-501")
    [seen] = shown(case, COORDINATOR)
    assert (seen.application, seen.teacher) == (own.id, "Teacher 1")
    with pytest.raises(NotFound):
        shown(foreign, COORDINATOR)


def test_a_foreign_partner_is_told_of_by_number_and_their_text_is_not_shown(applied: Apply) -> None:
    foreign = applied(sections("first"), teacher="T-2")
    case = applied(sections("first"), teacher="T-3")
    [warning] = warnings(case)
    assert warning.other == foreign.id
    assert shown(case, COORDINATOR) == ()


def test_neither_an_applicant_nor_a_reviewer_sees_what_a_case_reads_like(applied: Apply) -> None:
    applied(sections("first"))
    case = applied(sections("first"), teacher="T-3")
    [step, *_] = case.ask()
    for who in ("t-3@school.example", "t-1@school.example", step.assignee):
        with pytest.raises(NotFound):
            shown(case, who)


def test_the_page_marks_the_passages_in_both_texts(applied: Apply) -> None:
    applied(sections("first"))
    copied = prose("first results")
    case = applied(sections("second", results=f"{prose('own', 20)} {copied}"), teacher="T-3")
    [seen] = shown(case, COORDINATOR)
    [pair] = seen.sections
    assert "".join(part.text for part in pair.here) == f"{prose('own', 20)} {copied}"
    assert "".join(part.text for part in pair.there) == copied
    assert [part.text for part in pair.here if part.shared] == [copied.rstrip(".")]
    assert [part.text for part in pair.there if part.shared] == [copied.rstrip(".")]
    assert (pair.criterion, pair.percent, pair.longest) == ("Results, impact and documentation", 100, 120)


def test_from_when_on_texts_are_alike_is_a_rule_and_what_was_kept_before_has_its_digest() -> None:
    edition = load_rules("NSS-PL", TODAY)
    assert edition.national.likeness == edition.likeness == LIKENESS
    body = edition.to_json()
    del body["national"]["likeness"]
    former = RuleEdition.from_json(body)
    assert former.to_json() == body
    assert former.digest != edition.digest
    assert former.likeness == LIKENESS


def test_of_an_application_nothing_is_left_once_its_fingerprints_are_forgotten(applied: Apply) -> None:
    first = applied(sections("first"))
    case = applied(sections("first"), teacher="T-3")
    with case.record.writing() as session:
        assert fingerprints.forget(session, [first.id]) > 50
        assert fingerprints.forget(session, [first.id]) == 0
    with case.record.reading() as session:
        of_first = sa.select(Section.id).where(Section.application == first.id)
        assert session.scalar(sa.select(sa.func.count()).where(Fingerprint.section.in_(of_first))) == 0
        assert fingerprints.are_kept(session, first.id)
    assert found(case) == []
