"""Credentials for wallets: signed with the key of the papers, and what tells others by which key.

A credential is a JWT, and where the key is of the curve P-256 also JSON-LD with a proof in it (Data Integrity,
`ecdsa-rdfc-2019`). It is made from the record when somebody asks for it, and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.papers.credentials import worded_credential
from adapters.papers.signing import former_keys, signer_of
from labels.papers.credential import canonical, issuer_did
from labels.papers.facts import CertificateFacts
from labels.papers.statuses import PLACES, entry, list_address, not_counting, organisation_of
from labels.record.chain import ERASED
from labels.record.schema import Issued, PaperKind
from labels.settings import Settings

JSON = ".json"
"""What addresses of JSON-LD end with; those without it are of JWTs."""
FRESH = timedelta(days=1)
"""For so long a published list may be used: an older copy could hide that a label was taken back."""
_PROVES = "secp256r1"
"""The curve of keys that make proofs; P-384 would do as well, and P-256 is what wallets take."""
_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True)
class BadgeKey:
    """A key by which credentials are signed, or one of former times by which they were."""

    key: Any
    """As `cryptography` has it: private, or public of a former one."""

    @cached_property
    def public(self) -> Any:
        """The public part."""
        return self.key.public_key() if hasattr(self.key, "private_numbers") else self.key

    @property
    def curve(self) -> str:
        """Empty for RSA."""
        return getattr(getattr(self.public, "curve", None), "name", "")

    @property
    def algorithm(self) -> str:
        """Of its signatures, as JWTs name it."""
        return _ALGORITHMS[self.curve] if self.curve else "RS256"

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public part as a JWK."""
        return dict(_imported(self.public).as_dict(private=False))

    @cached_property
    def name(self) -> str:
        """Its thumbprint (RFC 7638), by which it is told from others."""
        return str(_imported(self.public).thumbprint())

    @cached_property
    def multikey(self) -> str:
        """The public part as a Multikey; empty where it makes no proofs."""
        if self.curve != _PROVES:
            return ""
        from openbadgeslib.ob3 import multikey_from_pem

        return str(multikey_from_pem(_imported(self.public).as_pem(private=False)))

    def methods(self, did: str) -> list[dict[str, Any]]:
        """How a DID's document names it."""
        found = [{"id": self.method(did), "type": "JsonWebKey", "controller": did, "publicKeyJwk": self.jwk}]
        if self.multikey:
            found.append(
                {
                    "id": self.multikey_method(did), "type": "Multikey", "controller": did,
                    "publicKeyMultibase": self.multikey,
                }
            )  # fmt: skip
        return found

    def method(self, did: str) -> str:
        """Its name in JWTs."""
        return f"{did}#{self.name}"

    def multikey_method(self, did: str) -> str:
        """Its name in proofs."""
        return f"{did}#{self.multikey}"

    def jwt(self, document: Mapping[str, Any], did: str) -> str:
        """A credential as a JWT, whose claims are the credential's own and those that JWTs have for them."""
        from joserfc import jws

        claims = {**document, "iss": did, "jti": document["id"], "nbf": _seconds(document["validFrom"])}
        if until := document.get("validUntil"):
            claims["exp"] = _seconds(until)
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.method(did)}
        return jws.serialize_compact(header, canonical(claims), _imported(self.key), [self.algorithm])

    def proved(self, document: Mapping[str, Any], did: str, now: datetime) -> dict[str, Any] | None:
        """A credential with a proof in it; None where the key makes none."""
        if not self.multikey:
            return None
        from openbadgeslib.ob3.contexts import bundled_contexts
        from openvc.keys import P256SigningKey
        from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite

        method = self.multikey_method(did)
        proved = EcdsaRdfcProofSuite().add_proof(
            dict(document),
            signing_key=P256SigningKey(self.key, method),
            verification_method=method,
            created=now,
            extra_contexts=bundled_contexts(),  # nothing is fetched
        )
        return dict(proved)


def badge_key(settings: Settings, now: datetime) -> BadgeKey | None:
    """The key of the papers; None where none is configured, or its certificate is not valid.

    Raises:
        InvalidInput: it can't be used.
    """
    signer = signer_of(settings)
    return BadgeKey(signer.key) if signer and signer.is_valid(now) else None


def did_document(settings: Settings, did: str, now: datetime) -> dict[str, Any] | None:
    """What a DID of ours stands for: the keys by which credentials are signed, and were; None where none is."""
    methods = [method for key in _keys(settings, now) for method in key.methods(did)]
    if not methods:
        return None
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/jwk/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def key_set(settings: Settings, did: str, now: datetime) -> dict[str, Any] | None:
    """The same keys as a JWKS; None where there is none."""
    keys = [
        key.jwk | {"kid": key.method(did), "use": "sig", "alg": key.algorithm} for key in _keys(settings, now)
    ]
    return {"keys": keys} if keys else None


def _keys(settings: Settings, now: datetime) -> list[BadgeKey]:
    """The key in force, and those before it."""
    key = badge_key(settings, now)
    former = [BadgeKey(one) for one in former_keys(settings)]
    return list({one.name: one for one in ([key] if key else []) + former}.values())


def signed_credential(
    session: Session, settings: Settings, code: str, now: datetime, *, as_json: bool
) -> str | dict[str, Any] | None:
    """The credential of a certificate, as a JWT or as JSON-LD with a proof; whether it counts its caller has asked.

    None where there is none: no key, none of that kind, a pupil's code, or its holder was erased.
    """
    key = badge_key(settings, now)
    issued = session.scalar(
        sa.select(Issued).where(Issued.code == code, Issued.kind == PaperKind.CERTIFICATE)
    )
    if key is None or issued is None or issued.facts.get("holder") == ERASED:
        return None
    organisation, page = organisation_of(session, issued), settings.check_url
    facts = CertificateFacts.of(**issued.facts).model_copy(
        update={"check_url": page, "code": code, "issuer": organisation}
    )
    listed = entry(session, issued, page, JSON if as_json else "")
    stated = worded_credential(facts, settings.branding, listed).for_wallets()
    did = issuer_did(page, organisation)
    return key.proved(stated, did, now) if as_json else key.jwt(stated, did)


def signed_list(
    session: Session, settings: Settings, organisation: str, part: int, now: datetime, *, as_json: bool
) -> str | dict[str, Any] | None:
    """A published list of an organisation's credentials, by its number; None where no key signs it."""
    key = badge_key(settings, now)
    if key is None:
        return None
    from openbadgeslib.ob3 import build_status_list_credential

    did = issuer_did(settings.check_url, organisation)
    address = list_address(settings.check_url, organisation, part) + (JSON if as_json else "")
    stated = build_status_list_credential(
        did,
        address,
        "revocation",
        not_counting(session, organisation, part),
        PLACES,
        issued=now,
        valid_until=now + FRESH,
    )
    return key.proved(stated, did, now) if as_json else key.jwt(stated, did)


def _imported(key: Any) -> Any:
    """A key as joserfc has it."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )
    from joserfc.jwk import ECKey, RSAKey

    if hasattr(key, "private_numbers"):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return (ECKey if hasattr(key, "curve") else RSAKey).import_key(pem)


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())
