"""All that knows Prefect's client, settings, forms, server and database."""
