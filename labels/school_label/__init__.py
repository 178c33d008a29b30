"""The School Label: who is invited, what a school says of itself, and what becomes of it."""
