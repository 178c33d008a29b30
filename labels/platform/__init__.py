"""Beside the platform that has the accounts: its tokens, and what it has been told and has told us."""
