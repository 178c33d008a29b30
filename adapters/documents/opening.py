"""Opens the document store that the settings ask for: a directory, or S3."""

from __future__ import annotations

import os
from functools import lru_cache

from adapters.documents.store import DocumentStore
from labels.settings import Settings


def open_store(settings: Settings) -> DocumentStore:
    """The store that `settings` name, with one client per process.

    Raises:
        InvalidInput: `LABELS_DOCUMENTS` names no usable place.
    """
    return _opened(settings, os.getpid())


@lru_cache(maxsize=8)
def _opened(settings: Settings, process: int) -> DocumentStore:
    """`process` is part of the key because a forked process must not share its parent's connections."""
    if settings.documents_uri.startswith("s3:"):
        from adapters.documents.s3 import S3Store  # boto3 takes a moment to import, and is not always needed

        return S3Store.from_settings(settings)
    from adapters.documents.directory import DirectoryStore

    return DirectoryStore.from_settings(settings)
