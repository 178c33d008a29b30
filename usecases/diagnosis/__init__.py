"""What is wrong with a configuration before anybody notices it, and what to do about each fault."""
