"""The languages that papers are written in: catalogues of gettext, read and written with Babel."""
