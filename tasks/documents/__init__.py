"""The document store: evidence, certificates and letters, kept under the digest of their content."""

from tasks.documents.store import DamagedDocument, DocumentStore, key_of, open_store

__all__ = ["DamagedDocument", "DocumentStore", "key_of", "open_store"]
