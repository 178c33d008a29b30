"""Signing papers: with whose key, which service vouches for the time, and what a signature in a file says.

A signature is PAdES: B-B, or B-LT where a time-stamp service is configured. It certifies the file (DocMDP, no
changes allowed): the organisation is its author, and nobody has anything to add. What was PDF/A-3 and PDF/UA
stays so: the metadata is left as it is, and the field has no size and lies outside the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import io
import logging
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from adapters.threads import begun
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.files import contents
from labels.papers.verifying import NO_SIGNATURE, SignatureView, signature_says
from labels.settings import SIGNING_FORMER, Settings

T = TypeVar("T")

FIELD = "Signature"
_TIMEOUT = 20
"""Seconds that the time-stamp service, or a look at a signature, may take."""
_BESIDE = 1_500
"""Bytes of a signature beside its certificates, where no time-stamp goes along."""
_FRESH = 3600
"""Seconds for which a list of revoked certificates, once fetched, is used for other papers too."""


def signer_of(settings: Settings, *, must: bool = False) -> PaperSigner | None:
    """Who signs papers; None where they are issued unsigned, which settings and rules then allow.

    `must`: the rules ask for a signature (`papers.signed`).

    Raises:
        InvalidInput: signatures are required and no key is configured, or the key can't be used.
    """
    path = settings.signing_key
    if path is None:
        if must or settings.signatures == "required":
            asks = "LABELS_SIGNATURES=required" if settings.signatures == "required" else "rule papers.signed"
            problem = f"is not set, and papers must be signed ({asks})."
            raise _unusable("LABELS_SIGNING_KEY", problem, "Name the key's file; nothing is issued before.")
        return None
    password = settings.signing_password.get_secret_value() if settings.signing_password else None
    try:
        changed = tuple(
            one.stat().st_mtime_ns for one in (path, settings.signing_chain) if one
        )  # a renewed key is taken up without a new start
    except OSError as error:
        raise _unusable("LABELS_SIGNING_KEY", f"{error.filename}: {error.strerror}.") from None
    return _loaded(path, password, settings.signing_chain, settings.timestamp_url, changed)


@lru_cache(maxsize=4)
def _loaded(
    path: Path, password: str | None, chain: Path | None, timestamp_url: str, _changed: tuple[int, ...]
) -> PaperSigner:
    key, certificate, others = _read_key(path, password.encode() if password else None)
    if chain is not None:
        others = [*others, *_read_chain(chain)]
    return PaperSigner(key, certificate, others, timestamp_url)


def _unusable(setting: str, problem: str, remedy: str = "Nothing is issued until it works.") -> InvalidInput:
    return InvalidInput("signing", [Fault(setting, problem, remedy)])


def _read_key(
    path: Path, password: bytes | None, setting: str = "LABELS_SIGNING_KEY"
) -> tuple[Any, Any, list[Any]]:
    """The private key, its certificate, and what other certificates lie beside it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

    try:
        content = _content(path)
        if b"-----BEGIN" in content:
            key: Any = load_pem_private_key(content, password)
            found = x509.load_pem_x509_certificates(content) if b"BEGIN CERTIFICATE" in content else []
        else:
            key, own, others = pkcs12.load_key_and_certificates(content, password)
            found = [*([own] if own else []), *others]
    except OSError as error:
        raise _unusable(setting, f"can't be read: {error.strerror}.") from None
    except (ValueError, TypeError) as error:
        # The library's words may quote the file.
        problem = (
            f"{path.name} is no PKCS#12 or PEM file with a key and its certificate, or its password is wrong"
        )
        raise _unusable(setting, f"{problem} ({type(error).__name__}).") from None
    own = next((one for one in found if key and one.public_key() == key.public_key()), None)
    if key is None or own is None:
        raise _unusable(setting, f"{path.name} holds no certificate that belongs to its key.")
    return key, own, [one for one in found if one is not own]


_LARGEST = 1_000_000
"""Bytes of a key or a chain of certificates."""


def _content(path: Path) -> bytes:
    if len(content := contents(path, _LARGEST)) > _LARGEST:
        raise ValueError("too large")
    return content


def _read_chain(path: Path, setting: str = "LABELS_SIGNING_CHAIN") -> list[Any]:
    from cryptography import x509

    try:
        return list(x509.load_pem_x509_certificates(_content(path)))
    except OSError as error:
        raise _unusable(setting, f"can't be read: {error.strerror}.") from None
    except ValueError:
        raise _unusable(setting, f"{path.name} holds no certificates in PEM.") from None


def former_keys(settings: Settings) -> list[Any]:
    """The public keys by which papers and credentials were signed before, the latest first.

    Raises:
        InvalidInput: the file that is named can't be read.
    """
    path = settings.signing_former
    named = _read_chain(path, "LABELS_SIGNING_FORMER") if path else []
    return [one.public_key() for one in [*_former_certificates(settings.home / SIGNING_FORMER), *named]]


def _former_certificates(file: Path) -> list[Any]:
    return _read_chain(file, str(file)) if file.is_file() and file.stat().st_size else []


@dataclass(frozen=True, slots=True)
class Certified:
    """A key's certificate, and the file that it was found in."""

    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal digits."""
    content: bytes = field(repr=False)
    """The certificate in PEM; where it is looked for with its key, all of that file."""
    until: datetime


def certificates_in(file: Path) -> list[Certified]:
    """The certificates that were replaced, the latest first; none where there is no such file.

    Raises:
        InvalidInput: the file can't be read.
    """
    return [_certified(one) for one in _former_certificates(file)]


def _certified(certificate: Any, content: bytes = b"") -> Certified:
    from cryptography.hazmat.primitives.serialization import Encoding

    der = certificate.public_bytes(Encoding.DER)
    pem = content or certificate.public_bytes(Encoding.PEM)
    return Certified(hashlib.sha256(der).hexdigest(), pem, certificate.not_valid_after_utc)


def key_in(file: Path, settings: Settings, now: datetime) -> Certified:
    """A key with its certificate that could take the place of the one in force, with the same password and chain.

    Raises:
        InvalidInput: it can't be read, or could not sign now.
    """
    password = settings.signing_password.get_secret_value().encode() if settings.signing_password else None
    key, certificate, others = _read_key(file, password, str(file))
    chain = _read_chain(settings.signing_chain) if settings.signing_chain else []
    signer = PaperSigner(key, certificate, [*others, *chain], settings.timestamp_url)
    if not signer.is_valid(now):
        raise _unusable(str(file), "its certificate is not valid now.", "Name a renewed one.")
    return _certified(certificate, _content(file))


@cache
def _own_thread() -> ThreadPoolExecutor:
    """Where an event loop can be started, also while a flow has one running."""
    return ThreadPoolExecutor(1, "signing")


def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        return await work()

    return _own_thread().submit(lambda: asyncio.run(run())).result()


def _in_time(work: Callable[[], Awaitable[T]]) -> T:
    """What a look at somebody's file comes to, in a thread that nobody waits for longer than that.

    Raises:
        TimeoutError: it takes longer, which only a file does that was made to.
    """

    async def run() -> T:
        return await work()

    return begun(lambda: asyncio.run(run()), "looking at a signature").result(_TIMEOUT)


class PaperSigner:
    """One key with its certificate, read once a process."""

    def __init__(self, key: Any, certificate: Any, others: list[Any], timestamp_url: str = "") -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        self._key = key
        self._from, self._until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        self._certificate = certificate.public_bytes(Encoding.DER)
        self._others = [one.public_bytes(Encoding.DER) for one in others]
        self._roots = [
            der for der, one in zip(self._others, others, strict=True) if one.issuer == one.subject
        ]
        self._timestamp_url = timestamp_url
        self._fetched: tuple[int, Any] | None = None
        if timestamp_url and not self._roots:
            raise _unusable(
                "LABELS_SIGNING_CHAIN",
                "holds no root certificate, and a time-stamp service is configured.",
                "Put the certificates of both authorities into it, each up to its root.",
            )

    @property
    def key(self) -> Any:
        """The private key, for what papers are accompanied by."""
        return self._key

    def is_valid(self, at: datetime) -> bool:
        """Whether its certificate is valid at a moment."""
        return bool(self._from <= at <= self._until)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, by which the record knows who signed."""
        return hashlib.sha256(self._certificate).hexdigest()

    @property
    def certificate_in_pem(self) -> bytes:
        """The certificate, for others to check signatures with."""
        return ssl.DER_cert_to_PEM_cert(self._certificate).encode()

    def sign(self, content: bytes, now: datetime) -> bytes:
        """A PDF with its signature; its bytes are others each time.

        Raises:
            InvalidInput: the certificate is not valid at `now`, or can't be traced to a root.
            OutOfReach: the time-stamp service does not answer.
        """
        if not self.is_valid(now):
            days = f"is valid from {brussels_day(self._from)} to {brussels_day(self._until)} only"
            raise _unusable(
                "LABELS_SIGNING_KEY", f"its certificate {days}.", "Put a renewed one in its place."
            )
        from pyhanko.pdf_utils.misc import PdfError
        from pyhanko.sign.general import SigningError
        from pyhanko.sign.timestamps.common_utils import TimestampRequestError
        from pyhanko_certvalidator.errors import PathError, ValidationError

        try:
            return _awaited(lambda: self._signed(content, now))
        except (TimestampRequestError, TimeoutError) as error:
            raise OutOfReach(
                "The time-stamp service", f"{error}.", "Nothing was issued; it is tried again."
            ) from None
        except (PathError, ValidationError) as error:
            problem = f"a certificate can't be traced to a root in it: {error}"
            raise _unusable("LABELS_SIGNING_CHAIN", problem) from None
        except (SigningError, PdfError) as error:
            why = ": ".join(str(one).rstrip(".") for one in (error, error.__cause__) if one)
            raise _unusable("LABELS_SIGNING_KEY", f"the paper could not be signed. {why}.") from None

    async def _signed(self, content: bytes, now: datetime) -> bytes:
        from pyhanko.sign import fields, signers
        from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference

        timestamper = self._timestamper()
        meta = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            embed_validation_info=timestamper is not None,
            # Within what is signed: pyHanko would write another revision, and the metadata anew.
            dss_settings=DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
            validation_context=self._validation(now) if timestamper else None,
        )
        outside = fields.InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)
        field = fields.SigFieldSpec(
            FIELD, on_page=0, invis_sig_settings=outside, readable_field_name="Signature of the organisation"
        )
        signer = _parts().signer(self._key, self._certificate, self._others)
        pdf = _parts().writer(io.BytesIO(content))
        at = _parts().pdf_signer(meta, signer=signer, timestamper=timestamper, new_field_spec=field)
        at.moment = now
        room = len(self._certificate) + sum(map(len, self._others)) + _BESIDE
        signed = await at.async_sign_pdf(pdf, bytes_reserved=None if timestamper else 2 * room)
        return bytes(signed.getvalue())

    @functools.cache  # noqa: B019 -- there is one signer a process, which remembers how long the service's answers are
    def _timestamper(self) -> Any:
        if not self._timestamp_url:
            return None
        from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

        return RequestsHTTPTimeStamper(self._timestamp_url, timeout=_TIMEOUT)  # type: ignore[no-untyped-call]  # theirs has no annotations

    def _validation(self, now: datetime) -> Any:
        """How the chain is looked through for what goes along: lists and answers about revocation, where its
        certificates say where to ask."""
        from asn1crypto.x509 import Certificate
        from pyhanko_certvalidator import ValidationContext
        from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend

        hour = int(now.timestamp()) // _FRESH
        if self._fetched is None or self._fetched[0] != hour:
            self._fetched = hour, RequestsFetcherBackend().get_fetchers()
        return ValidationContext(
            trust_roots=[Certificate.load(one) for one in self._roots],
            other_certs=[Certificate.load(one) for one in self._others],
            moment=now,
            allow_fetching=True,
            fetchers=self._fetched[1],
            revocation_mode="soft-fail",
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """pyHanko's classes as they are needed here: imported late, for they take a while."""

    signer: Callable[..., Any]
    writer: Callable[..., Any]
    pdf_signer: Callable[..., Any]


@cache
def _parts() -> _Parts:
    from asn1crypto.x509 import Certificate
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.hashes import SHA256
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class Untouched(IncrementalPdfFileWriter):
        """Leaves metadata and version as they were rendered: pyHanko would write the former anew, and lose that
        it is PDF/A and PDF/UA, and make a PDF 2.0 of it, which PDF/A-3 is not."""

        def _update_meta(self) -> None:
            pass

        def ensure_output_version(self, version: Any) -> None:
            pass

    class Keyed(signers.Signer):
        """Signs with a key that was read before, instead of reading it for each signature."""

        def __init__(self, key: Any, certificate: bytes, others: list[bytes]) -> None:
            store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # theirs has no annotations
            store.register_multiple([Certificate.load(one) for one in others])
            super().__init__(signing_cert=Certificate.load(certificate), cert_registry=store)
            self._key = key

        async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
            if isinstance(self._key, ec.EllipticCurvePrivateKey):
                return self._key.sign(data, ec.ECDSA(SHA256()))
            signed: bytes = self._key.sign(data, padding.PKCS1v15(), SHA256())
            return signed

    class AtMoment(signers.PdfSigner):
        """Signs at the moment that it is given."""

        moment: datetime

        def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> Any:
            session = super().init_signing_session(pdf_out, existing_fields_only)
            session.system_time = self.moment
            return session

    return _Parts(Keyed, Untouched, AtMoment)


# Looking at a signature --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignatureFound:
    """What a signature says, and by whose certificate."""

    fingerprint: str
    view: SignatureView


def look_at_signature(content: bytes) -> SignatureFound | None:
    """The first signature in a file, whoever made it and whatever is wrong with it; None where there is none."""
    if b"/ByteRange" not in content:
        return None
    try:
        return _in_time(lambda: _looked_at(content))
    except Exception:  # a file from anywhere: whatever is wrong with it, it is no signature that holds
        nothing = SignatureView(signer="", intact=False, whole=False, ours=False, why=NO_SIGNATURE)
        return SignatureFound("", nothing)


def _its_day(at: datetime | None) -> date | None:
    """The day that a signature names, whatever its maker wrote there."""
    with contextlib.suppress(OverflowError):
        if at is not None:
            return brussels_day(at if at.tzinfo else at.replace(tzinfo=UTC))
    return None


async def _looked_at(content: bytes) -> SignatureFound | None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import async_validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    # Whether its authority is known here is of no interest: the record knows who signed.
    logging.getLogger("pyhanko.sign.validation.generic_cms").setLevel(logging.CRITICAL)
    signatures = PdfFileReader(io.BytesIO(content), strict=False).embedded_regular_signatures
    if not signatures:
        return None
    one = signatures[0]
    nobody = ValidationContext(trust_roots=[one.signer_cert], allow_fetching=False)
    status = await async_validate_pdf_signature(
        one, signer_validation_context=nobody, ts_validation_context=nobody
    )
    names = one.signer_cert.subject.native
    name = str(names.get("common_name") or names.get("organization_name") or "somebody without a name")
    stamp = status.timestamp_validity
    intact = bool(status.intact and status.valid)
    stamped = bool(stamp and stamp.intact and stamp.valid)
    # A signature of ours is followed by what its own validation needs, which nobody sees.
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE or (
        status.coverage is SignatureCoverageLevel.ENTIRE_REVISION
        and status.modification_level in (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES)
    )
    at = stamp.timestamp if stamp and stamped else one.self_reported_timestamp
    why = signature_says(name, _its_day(at), intact=intact, stamped=stamped, whole=whole)
    return SignatureFound(
        hashlib.sha256(one.signer_cert.dump()).hexdigest(),
        SignatureView(
            signer=name,
            intact=intact,
            whole=whole and intact,
            ours=False,
            signed_at=at,
            timestamped=stamped,
            why=why,
        ),
    )
