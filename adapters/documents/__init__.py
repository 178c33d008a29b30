"""The document store: evidence, certificates and letters, kept under the digest of their content."""

from adapters.documents.opening import open_store
from adapters.documents.store import DamagedDocument, DocumentStore, key_of

__all__ = ["DamagedDocument", "DocumentStore", "key_of", "open_store"]
