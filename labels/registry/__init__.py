"""The registry: organisations, schools, teachers, projects and staff, as files bring them in."""
