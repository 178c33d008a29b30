"""An authenticator in software: makes passkeys and signs with them as a device does, well or as somebody hostile would."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Key:
    """A passkey in its device."""

    host: str
    handle: bytes
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    count: int = 0


@dataclass(frozen=True)
class Device:
    """What makes and uses passkeys, in a browser at an origin."""

    origin: str
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    framed: bool = False
    """The page that asks is shown within another site's."""

    def but(self, **changed: Any) -> Device:
        """The same, in another place or with other habits."""
        return dataclasses.replace(self, **changed)

    def makes(self, options: dict[str, Any]) -> tuple[Key, str]:
        """A new passkey, and what the browser sends."""
        key = Key(options["rp"]["id"], unb64(options["user"]["id"]))
        public = key.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        data = (
            self._data(key, WITH_KEY)
            + bytes(16)
            + len(key.id).to_bytes(2, "big")
            + key.id
            + cbor2.dumps(cose)
        )
        response = {
            "clientDataJSON": b64(self._client("webauthn.create", options["challenge"])),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return key, self._sent(key, response)

    def signs(self, options: dict[str, Any], key: Key) -> str:
        """What the browser sends when somebody signs in with a passkey."""
        if self.counts:
            key.count += 1
        data, client = self._data(key), self._client("webauthn.get", options["challenge"])
        signature = key.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {
            "clientDataJSON": client,
            "authenticatorData": data,
            "signature": signature,
            "userHandle": key.handle,
        }
        return self._sent(key, {name: b64(value) for name, value in parts.items()})

    def _data(self, key: Key, more: int = 0) -> bytes:
        host = hashlib.sha256(key.host.encode()).digest()
        return host + bytes([self.flags | more]) + key.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.framed}
        return json.dumps(said).encode()

    def _sent(self, key: Key, response: dict[str, str]) -> str:
        return json.dumps(
            {"id": b64(key.id), "rawId": b64(key.id), "type": "public-key", "response": response}
        )
