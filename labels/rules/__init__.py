"""The rules as data: versioned by campaign year and organisation, every value with its source."""

from labels.rules.loading import check_all, load_rules, load_school_rules
from labels.rules.model import RuleEdition

__all__ = ["RuleEdition", "check_all", "load_rules", "load_school_rules"]
