"""The same small process on Prefect with the warm worker, DBOS, SpiffWorkflow and django-viewflow."""
