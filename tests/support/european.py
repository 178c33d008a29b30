"""Rules of the European Quality Label for tests: those that ship, with what a test is about changed."""

from __future__ import annotations

from datetime import date
from typing import Any

from labels.rules import load_rules
from labels.rules.model import EuropeanRules


def european_rules(**changes: Any) -> EuropeanRules:
    """The default rules with other values for some names."""
    rules = load_rules("default", date(2026, 1, 1)).european.model_dump(mode="json")
    for name, value in changes.items():
        rules[name] = {"value": value, "source": "assumption"}
    return EuropeanRules.model_validate(rules)
