"""A Django application with nothing but the small process."""
