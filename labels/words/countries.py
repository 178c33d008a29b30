"""The countries whose schools take part in eTwinning, by their ISO 3166-1 codes."""

from __future__ import annotations

COUNTRIES: dict[str, str] = {
    "AL": "Albania",
    "AM": "Armenia",
    "AT": "Austria",
    "AZ": "Azerbaijan",
    "BA": "Bosnia and Herzegovina",
    "BE": "Belgium",
    "BG": "Bulgaria",
    "CY": "Cyprus",
    "CZ": "Czechia",
    "DE": "Germany",
    "DK": "Denmark",
    "EE": "Estonia",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "GE": "Georgia",
    "GR": "Greece",
    "HR": "Croatia",
    "HU": "Hungary",
    "IE": "Ireland",
    "IS": "Iceland",
    "IT": "Italy",
    "JO": "Jordan",
    "LB": "Lebanon",
    "LI": "Liechtenstein",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "LV": "Latvia",
    "MD": "Moldova",
    "ME": "Montenegro",
    "MK": "North Macedonia",
    "MT": "Malta",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PS": "Palestine",
    "PT": "Portugal",
    "RO": "Romania",
    "RS": "Serbia",
    "SE": "Sweden",
    "SI": "Slovenia",
    "SK": "Slovakia",
    "TN": "Tunisia",
    "TR": "Türkiye",
    "UA": "Ukraine",
    "XK": "Kosovo",
}
"""Every country there ever was: the 44 of the brief's time (with GB), and ME, XK and PS that came later.
XK is user-assigned, not ISO's own."""


def country_name(code: str) -> str:
    """The country's name in English; a code that is none is left as it is."""
    return COUNTRIES.get(code, code)


OTHER_CODES: dict[str, str] = {"EL": "GR", "UK": "GB"}
"""The European Union's own codes, which people write from habit, and ours for them."""
