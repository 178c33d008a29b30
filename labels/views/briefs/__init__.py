"""Briefs: what whoever answers a step is shown of the case, a kind of label a module."""
