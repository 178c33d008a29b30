"""WebAuthn: what a browser is told when it is to make or use a passkey, and whether its answer holds.

The library checks what the standard lists; what it is asked for here is that the person was verified by their device,
by fingerprint, face or PIN, which makes a passkey two factors at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from labels.errors import NotAllowed
from labels.sessions.passkeys import LASTS, NewKey, Signed, Site

T = TypeVar("T")
_MILLISECONDS = int(LASTS.total_seconds()) * 1000


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose passkey is to be made, as their device shows it."""

    handle: bytes
    address: str
    name: str


def how_to_add(site: Site, challenge: bytes, holder: Holder, there: Sequence[str]) -> str:
    """What `navigator.credentials.create` is told, as JSON; `there` are the passkeys that they have."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="eTwinning labels",
        user_id=holder.handle,
        user_name=holder.address,
        user_display_name=holder.name,
        challenge=challenge,
        timeout=_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(one)) for one in there],
    )
    return options_to_json(options)


def how_to_sign_in(site: Site, challenge: bytes, of: Sequence[str] = ()) -> str:
    """What `navigator.credentials.get` is told, as JSON: the same whoever asks, or the passkeys `of` somebody known."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_MILLISECONDS,
        allow_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(one)) for one in of] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def added(site: Site, challenge: bytes, answer: str) -> NewKey:
    """The passkey that a browser says it has made.

    Raises:
        NotAllowed: the answer does not hold.
    """

    def check() -> NewKey:
        credential = parse_registration_credential_json(json.loads(answer))
        _not_framed(credential.response.client_data_json)
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        return NewKey(bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count)

    return _checked(check)


def named(answer: str) -> str:
    """The id of the passkey that an answer says to be of; nothing is proved with that.

    Raises:
        NotAllowed: it is no such answer.
    """
    return _checked(
        lambda: bytes_to_base64url(parse_authentication_credential_json(json.loads(answer)).raw_id)
    )


def signed(site: Site, challenge: bytes, answer: str, public_key: bytes) -> Signed:
    """What a passkey with this public key has signed. Its counter is for whoever knows the last one to judge.

    Raises:
        NotAllowed: the answer does not hold.
    """

    def check() -> Signed:
        credential = parse_authentication_credential_json(json.loads(answer))
        _not_framed(credential.response.client_data_json)
        proved = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            # The library looks at the counter before the signature, where anybody could have written it.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return Signed(credential.response.user_handle or b"", proved.new_sign_count)

    return _checked(check)


def _not_framed(client_data: bytes) -> None:
    """The library takes answers that were given within a page of somebody else's; we do not."""
    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("it was made within a page of another site")


def _checked(check: Callable[[], T]) -> T:
    try:
        return check()
    except Exception as error:  # hostile bytes fail in CBOR, keys and JSON each with an error of its own
        raise NotAllowed(f"This passkey was not accepted: {type(error).__name__}.") from error
