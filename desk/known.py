"""How people who did something were known, in words."""

from __future__ import annotations

from collections.abc import Mapping

from labels.words.sentences import Sentence, say

KNOWN: Mapping[str, Sentence] = {
    "mail code": say("signed in with a code by mail"),
    "break-glass code": say("signed in with a code from the organisation"),
    "code": say("with a code from a mail"),
    "passkey": say("signed in with a passkey"),
    "mail code and passkey": say("signed in with a code by mail and a passkey"),
}
"""By `known_by` of an entry of the journal; an account at an identity provider is called by its address there."""
