"""The quality labels: national, European and pupil."""
