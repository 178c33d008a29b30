"""The table of label kinds has a row for each, and what else there is for each kind agrees with it."""

from __future__ import annotations

from adapters.languages.mails import LABELS
from adapters.prefect.runs import DEPLOYMENTS
from labels.kinds import KINDS, Applicant, LabelKind
from labels.views.briefs.by_label import BRIEFS


def test_every_kind_of_application_has_a_row_a_flow_a_brief_and_a_name_in_mails() -> None:
    assert set(KINDS) == set(LabelKind)
    applied_for = {label for label, kind in KINDS.items() if kind.applicant}
    assert applied_for == set(DEPLOYMENTS) == set(BRIEFS) == set(LABELS)


def test_numbers_and_run_names_tell_the_kinds_apart() -> None:
    prefixes = [kind.prefix for kind in KINDS.values() if kind.prefix]
    assert len(set(prefixes)) == len(prefixes)
    assert len({kind.short for kind in KINDS.values()}) == len(KINDS)


def test_only_an_organisations_application_has_a_date_of_its_own_for_every_step() -> None:
    assert all(
        kind.has_decision_date is (kind.applicant is not Applicant.ORGANISATION)
        for kind in KINDS.values()
        if kind.applicant
    )
