"""Answers: proved, taken, late."""
