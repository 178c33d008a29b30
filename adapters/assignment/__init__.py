"""Finds the best plan of reviewers for many applications at once, by linear programming (HiGHS)."""
