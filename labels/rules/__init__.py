"""The rules as data: versioned by campaign year and organisation, every value with its source."""
