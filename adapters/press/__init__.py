"""WeasyPrint: HTML becomes PDF, fast and the same bytes each time."""
