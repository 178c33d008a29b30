"""Signing in at the desk: codes by mail, sessions, and who somebody is."""
