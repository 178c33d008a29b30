"""People's rights in their data: what the record knows of a person, told to them, kept for its time, and erased."""
