"""The identity provider with which people sign in, such as EU Login: OpenID Connect, with PKCE.

Its addresses and keys are read from its discovery document, and read again where a token is signed with a key that is
not among them.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from labels.errors import NotAllowed, OutOfReach
from labels.sessions.provider import Asked, Claims
from labels.settings import Settings

TIMEOUT = 10.0
"""Seconds that the provider may take for an answer."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair: with `none` or a shared secret, whoever knows the identifier of the client could sign."""
_SKEW = 120
"""Seconds by which the provider's clock may be wrong."""
_READ_AGAIN = 60.0
"""Seconds before the keys are read again for a token that none of them signed."""


@dataclass
class IdentityProvider:
    """One provider, as the settings name it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    back: str
    """The address of the desk that the provider sends browsers back to."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _found: dict[str, Any] = field(default_factory=dict, repr=False)
    _keys: KeySet | None = field(default=None, repr=False)
    _keys_read_at: float = field(default=0.0, repr=False)

    def address(self, asked: Asked) -> str:
        """Where a browser is sent to sign in.

        Raises:
            OutOfReach: the provider does not answer.
        """
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._discovered()["authorization_endpoint"],
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
            )
        return str(url)

    def claims(self, query: dict[str, str], nonce: str, verifier: str, now: datetime) -> Claims:
        """Whom the provider says that somebody is, from what their browser brought back.

        Raises:
            NotAllowed: the provider refused, or what it says does not hold.
            OutOfReach: it does not answer.
        """
        if "code" not in query:
            raise NotAllowed("The identity provider has not signed you in.")
        found = self._discovered()
        with self._client() as client:
            try:
                answer = client.fetch_token(
                    found["token_endpoint"],
                    authorization_response=f"{self.back}?{urlencode(query)}",
                    state=query.get("state"),
                    code_verifier=verifier,
                    timeout=TIMEOUT,
                )
            except OAuthError as error:
                raise NotAllowed(f"The identity provider has not signed you in: {error}.") from None
            said = self._checked(str(answer.get("id_token", "")), nonce, now)
            if "email" not in said and "userinfo_endpoint" in found:
                more = client.get(found["userinfo_endpoint"], timeout=TIMEOUT).json()
                if more.get("sub") == said["sub"]:
                    said |= {name: more.get(name) for name in ("email", "email_verified")}
        return Claims(
            issuer=self.issuer,
            subject=str(said["sub"]),
            address=str(said.get("email") or "").lower(),
            address_verified=said.get("email_verified") is True,
        )

    def _checked(self, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """What a token says, whose signature and purpose were checked.

        Raises:
            NotAllowed: it is not for us, not by this provider, or over.
        """
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_SKEW,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            read = self._decoded(token)
            rules.validate(read.claims)
        except (JoseError, ValueError) as error:
            raise NotAllowed(f"What the identity provider says does not hold: {error}.") from None
        return dict(read.claims)

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._signing_keys(), algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            if time.monotonic() - self._keys_read_at < _READ_AGAIN:
                raise
            return jwt.decode(token, self._signing_keys(anew=True), algorithms=_ALGORITHMS)

    def _signing_keys(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            if self._keys is None or anew:
                self._keys = KeySet.import_key_set(self._read(self._discovered_now()["jwks_uri"]))
                self._keys_read_at = time.monotonic()
            return self._keys

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            return self._discovered_now()

    def _discovered_now(self) -> dict[str, Any]:
        if not self._found:
            found = self._read(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise OutOfReach(
                    "The identity provider", f"it calls itself {found.get('issuer')} and not {self.issuer}."
                )
            self._found = found
        return self._found

    def _read(self, address: str) -> Any:
        with _reaching():
            answer = requests.get(address, timeout=TIMEOUT)
            answer.raise_for_status()
            return answer.json()

    @contextlib.contextmanager
    def _client(self) -> Iterator[OAuth2Session]:
        with (
            _reaching(),
            OAuth2Session(
                self.client_id,
                self.client_secret,
                scope="openid email",
                redirect_uri=self.back,
                code_challenge_method="S256",
            ) as client,
        ):
            yield client


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        raise OutOfReach("The identity provider", f"{type(error).__name__}.") from error


@functools.lru_cache(maxsize=4)
def identity_provider(settings: Settings) -> IdentityProvider | None:
    """The provider that the settings name; None where people sign in with a code by mail alone."""
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    back = f"{settings.desk_url}/sign-in/provider/back"
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, secret, back)
