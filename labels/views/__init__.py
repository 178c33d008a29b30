"""Views: what is shown of the record, as data."""
