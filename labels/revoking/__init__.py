"""Taking back: corrections and reopened decisions."""
