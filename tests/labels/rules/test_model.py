"""Rules that were kept by an earlier version mean what they meant."""

from __future__ import annotations

from datetime import date

from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition

TODAY = date(2026, 3, 1)


def test_rules_that_were_kept_before_signatures_were_one_ask_for_none_and_keep_their_digest() -> None:
    body = load_rules("NSS-DE", TODAY).to_json()
    assert not RuleEdition.from_json(body).must_be_signed
    asking = body["papers"] | {"signed": {"value": True, "source": "assumption"}}
    assert RuleEdition.from_json(body | {"papers": asking}).must_be_signed
    del body["papers"]["signed"]
    before = RuleEdition.from_json(body)
    assert not before.must_be_signed
    assert before.to_json() == body
