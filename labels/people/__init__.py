"""People: roles, staff, names."""
