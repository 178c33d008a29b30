"""The facts of a paper are complete, clean and identified by what they say."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from pydantic import ValidationError

from labels.errors import InvalidInput
from labels.kinds import LabelKind
from labels.papers.facts import LetterKind, ScoreLine
from tests.support.papers import certificate, letter


def test_equal_facts_have_one_digest_and_any_changed_fact_another() -> None:
    assert certificate().digest == certificate().digest
    assert certificate().digest == certificate(holder=" Zso\u0301fia Kovács-Ștefănescu").digest
    digests = {
        certificate().digest,
        certificate(holder="Zsófia Kovács").digest,
        certificate(awarded_on="2026-10-15").digest,
        certificate(language="fr").digest,
        letter().digest,
        letter(LetterKind.AWARD).digest,
    }
    assert len(digests) == 6


def test_the_digest_is_the_same_on_every_machine_and_release() -> None:
    assert certificate().digest == "1000471c7b78d10ab927842faf6badb4f80e52481ac158cadf4ae370d8ba1551"


def test_facts_cannot_be_changed_after_they_were_stated() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(certificate(), "holder", "Somebody else")  # noqa: B010 - mypy knows it is read-only


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        certificate(holder="", application="nql 1", country="x" * 201, awarded_on="yesterday", nickname="Z")
    assert {fault.where for fault in caught.value.faults} == {
        "holder", "application", "country", "awarded_on", "nickname",
    }  # fmt: skip


def test_a_nomination_has_no_certificate() -> None:
    with pytest.raises(InvalidInput, match="there is no certificate of a nomination"):
        certificate(label=LabelKind.NOMINATION)


def test_a_certificate_names_its_project_unless_it_is_a_schools() -> None:
    assert certificate(label=LabelKind.SCHOOL, project="").project == ""
    with pytest.raises(InvalidInput, match="names a project"):
        certificate(project="")


def test_a_mean_of_reviews_is_told_with_two_places_and_halves_go_up() -> None:
    def line(points: object) -> Decimal:
        return ScoreLine(criterion="c", points=points, maximum=5).points

    assert line(Fraction(11, 3)) == Decimal("3.67")
    assert line(Decimal("3.665")) == Decimal("3.67")
    assert line(2.675) == Decimal("2.68")
    assert line(4) == 4


@pytest.mark.parametrize("points", [6, -1, "NaN", "Infinity", "1e9", "many"])
def test_points_out_of_range_are_refused(points: object) -> None:
    with pytest.raises(InvalidInput):
        letter(scores=[{"criterion": "c", "points": points, "maximum": 5}])


def test_each_kind_of_letter_says_what_it_must_and_nothing_of_another() -> None:
    failed = [{"condition": "c", "what_to_do": "w"}]
    with pytest.raises(InvalidInput, match="at least one failed condition"):
        letter(LetterKind.INELIGIBLE, failed_conditions=[])
    with pytest.raises(InvalidInput, match="was not scored"):
        letter(LetterKind.INELIGIBLE, total=3, maximum=5)
    with pytest.raises(InvalidInput, match="belong to a letter of ineligibility"):
        letter(LetterKind.AWARD, failed_conditions=failed)
    with pytest.raises(InvalidInput, match="at least one reason and one route forward"):
        letter(LetterKind.REFUSAL, route_forward=[])
    with pytest.raises(InvalidInput, match="says when an application arrived"):
        letter(LetterKind.RECEIPT, arrived_at=None)
    with pytest.raises(InvalidInput, match="has a deadline"):
        letter(LetterKind.INVITATION, deadline=None)
    with pytest.raises(InvalidInput, match="stands on a receipt only"):
        letter(LetterKind.AWARD, files=[{"name": "a.pdf", "size": 1, "digest": "0"}])
    with pytest.raises(InvalidInput, match="only schools are invited"):
        letter(LetterKind.INVITATION, label=LabelKind.NATIONAL)
    with pytest.raises(InvalidInput, match="no such letter"):
        letter(LetterKind.INELIGIBLE, label=LabelKind.SCHOOL)
    with pytest.raises(InvalidInput, match="National Quality Label and the School Label only"):
        letter(label=LabelKind.PUPIL)
    with pytest.raises(InvalidInput, match="names its project"):
        letter(project="")
    with pytest.raises(InvalidInput, match="total is told with its maximum"):
        letter(maximum=None)


def test_a_criterion_below_its_minimum_falls_short() -> None:
    short, fine = letter().scores
    assert short.falls_short
    assert not fine.falls_short
