"""Applications: from the file to their end."""
