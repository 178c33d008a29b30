"""The system of record: what is remembered, in SQLite or PostgreSQL."""

from labels.record.engine import Record, migrate, open_record

__all__ = ["Record", "migrate", "open_record"]
