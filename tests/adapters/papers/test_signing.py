"""Signatures that others accept: made with a key of an authority, checked by two programs, and by nobody's leave
left out."""

from __future__ import annotations

import asyncio
import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_pdf_signature,
    read_certification_data,
)
from pyhanko_certvalidator import ValidationContext

from adapters.papers.certificates import render_certificate
from adapters.papers.credentials import render_credential
from adapters.papers.signing import PaperSigner, _its_day, look_at_signature, signer_of
from labels.errors import InvalidInput, OutOfReach
from labels.settings import Settings
from tests.labels.papers.test_credential import coded
from tests.support.authority import DAY, Authority, authority


@pytest.fixture(scope="module")
def made() -> Iterator[Authority]:
    with authority() as one:
        yield one


@pytest.fixture(scope="module")
def plain() -> bytes:
    """A certificate before it is signed."""
    return render_certificate(coded(), render_credential(coded()))


def settings(folder: Path, key: Path | None, **changes: Any) -> Settings:
    values = {"home": folder, "signing_key": key, "signing_password": "a password"} | changes
    return Settings(_env_file=None, **values)


def signer(folder: Path, key: Path, **changes: Any) -> PaperSigner:
    found = signer_of(settings(folder, key, **changes))
    assert found is not None
    return found


def signer_with_time(folder: Path, made: Authority, key: Path) -> PaperSigner:
    return signer(
        folder, key, signing_chain=made.chain(folder / "chain.pem"), timestamp_url=f"{made.address}/time"
    )


def root_of(made: Authority) -> asn1.Certificate:
    return asn1.Certificate.load(made.root.public_bytes(Encoding.DER))


def checked(content: bytes, made: Authority, moment: datetime) -> Any:
    """What pyHanko says of the signature, for somebody who trusts the authority."""
    [one] = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures
    context = ValidationContext(trust_roots=[root_of(made)], moment=moment)
    return asyncio.run(async_validate_pdf_signature(one, context, context))


def pdfsig(content: bytes, folder: Path) -> str:
    if not shutil.which("pdfsig"):
        pytest.skip("pdfsig is not installed (Debian: poppler-utils)")
    (folder / "signed.pdf").write_bytes(content)
    return subprocess.run(
        ["pdfsig", "-nocert", str(folder / "signed.pdf")], capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_signature_certifies_the_file_and_allows_no_change(
    tmp_path: Path, made: Authority, plain: bytes, kind: str
) -> None:
    signed = signer(tmp_path, made.pkcs12(tmp_path / "key.p12", kind=kind)).sign(plain, made.now)
    status = checked(signed, made, made.now)
    assert status.bottom_line, status.pretty_print_details()
    reader = PdfFileReader(io.BytesIO(signed))
    certified = read_certification_data(reader)
    assert certified is not None
    assert certified.permission is MDPPerm.NO_CHANGES
    said = pdfsig(signed, tmp_path)
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_what_was_changed_after_signing_is_noticed_by_both(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    signed = bytearray(signer(tmp_path, made.pkcs12(tmp_path / "key.p12")).sign(plain, made.now))
    signed[len(plain) // 2] ^= 1
    found = look_at_signature(bytes(signed))
    assert found is not None
    assert (found.view.intact, found.view.whole) == (False, False)
    assert "no longer fits" in found.view.why
    assert "Digest Mismatch" in pdfsig(bytes(signed), tmp_path)


def test_a_key_in_pem_does_as_well(tmp_path: Path, made: Authority, plain: bytes) -> None:
    signed = signer(tmp_path, made.pem(tmp_path / "key.pem"), signing_password=None).sign(plain, made.now)
    found = look_at_signature(signed)
    assert found is not None
    assert (found.view.signer, found.view.intact, found.view.whole, found.view.signed_at) == (
        "Test Organisation", True, True, made.now,
    )  # fmt: skip
    assert not found.view.timestamped


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 3, 15, 22, 59, tzinfo=UTC), date(2026, 3, 15)),
        (datetime(2026, 3, 15, 23, 1, tzinfo=UTC), date(2026, 3, 16)),
        (datetime(2026, 3, 15, 23, 1), date(2026, 3, 16)),  # as a foreign file may say it
        (datetime(9999, 12, 31, 23, 30, tzinfo=UTC), None),
        (None, None),
    ],
)
def test_a_signature_names_its_day_in_brussels_whatever_its_maker_wrote(
    at: datetime | None, said: date | None
) -> None:
    assert _its_day(at) == said


@pytest.mark.slow
def test_with_a_time_stamp_a_signature_outlives_its_certificate(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    key = made.pkcs12(tmp_path / "key.p12", until=made.now + 30 * DAY)
    signed = signer_with_time(tmp_path, made, key).sign(plain, made.now)
    [one] = PdfFileReader(io.BytesIO(signed)).embedded_regular_signatures
    assert not checked(signed, made, made.now + 400 * DAY).trusted
    # At the time that the time stamp proves, with nothing but what the file brings along, and hard on what is missing:
    asked = len(made.asked)
    kept = DocumentSecurityStore.read_dss(PdfFileReader(io.BytesIO(signed))).as_validation_context(
        {
            "trust_roots": [root_of(made)], "moment": made.now,
            "revocation_mode": "require", "allow_fetching": False,
        }
    )  # fmt: skip
    status = asyncio.run(async_validate_pdf_signature(one, kept, kept))
    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.trusted
    assert status.timestamp_validity.timestamp == made.now
    assert len(made.asked) == asked
    assert "/list.crl" in made.asked
    with pikepdf.open(io.BytesIO(signed)) as pdf:
        assert len(pdf.Root.DSS.CRLs) >= 1
        assert len(pdf.Root.DSS.Certs) >= 2
    found = look_at_signature(signed)
    assert found is not None
    assert (found.view.intact, found.view.whole, found.view.timestamped) == (True, True, True)
    assert found.view.why.endswith("as a time-stamp service confirms.")
    assert "Signature is Valid." in pdfsig(signed, tmp_path)


@pytest.mark.slow
def test_a_signed_certificate_is_still_an_archival_and_accessible_file(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    for one in (
        signer(tmp_path, made.pkcs12(tmp_path / "one.p12")),
        signer_with_time(tmp_path, made, made.pkcs12(tmp_path / "two.p12")),
    ):
        signed = one.sign(plain, made.now)
        assert signed.startswith(plain), "what was rendered is not touched"
        assert len(signed) < 82_000
        with pikepdf.open(io.BytesIO(plain)) as before, pikepdf.open(io.BytesIO(signed)) as after:
            assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
            assert (after.pdf_version, after.Root.get("/Version")) == (before.pdf_version, None)
            assert after.Root.StructTreeRoot.objgen == before.Root.StructTreeRoot.objgen
            page, [widget] = after.pages[0], after.pages[0].Annots
            assert [str(one) for one in (page.Tabs, widget.Subtype, widget.FT)] == ["/S", "/Widget", "/Sig"]
            # Of no size and outside the page, it needs no appearance (PDF/A-3, 6.3.3) and no tag (PDF/UA-1, 7.18.1);
            # its flags are Print and Locked, nothing hidden (PDF/A-3, 6.3.2).
            assert list(map(float, widget.Rect)) == [-9999.0] * 4
            assert int(widget.F) == 0b10000100
            assert str(widget.TU) == "Signature of the organisation"
            assert not {"/A", "/AA"} & widget.keys()
            assert "/NeedAppearances" not in after.Root.AcroForm


def test_a_key_is_read_once_and_a_renewed_one_is_taken_up(tmp_path: Path, made: Authority) -> None:
    path = made.pkcs12(tmp_path / "key.p12")
    first = signer(tmp_path, path)
    assert signer(tmp_path, path) is first
    made.pkcs12(path)
    second = signer(tmp_path, path)
    assert second.fingerprint != first.fingerprint


# Nothing is issued unsigned by accident ------------------------------------------------------------


def refused(found: Settings) -> str:
    with pytest.raises(InvalidInput) as told:
        signer_of(found)
    return str(told.value)


def test_no_key_is_no_signature_unless_they_are_required(tmp_path: Path) -> None:
    assert signer_of(settings(tmp_path, None)) is None
    assert "LABELS_SIGNING_KEY: is not set, and papers must be signed" in refused(
        settings(tmp_path, None, signatures="required")
    )


def test_a_key_that_can_not_be_used_is_told_without_its_password(tmp_path: Path, made: Authority) -> None:
    path = made.pkcs12(tmp_path / "key.p12")
    (tmp_path / "noise.p12").write_bytes(b"\x30\x82noise")
    (tmp_path / "noise.pem").write_text("-----BEGIN PRIVATE KEY-----\nnoise\n-----END PRIVATE KEY-----\n")
    bare = (made.pem(tmp_path / "bare.pem")).read_bytes()
    (tmp_path / "bare.pem").write_bytes(bare[: bare.index(b"-----BEGIN CERT")])
    for key, why in {
        tmp_path / "none.p12": "No such file",
        tmp_path / "noise.p12": "no PKCS#12 or PEM file",
        tmp_path / "noise.pem": "no PKCS#12 or PEM file",
        tmp_path / "bare.pem": "no certificate that belongs to its key",
        tmp_path: "can't be read",
    }.items():
        assert why in refused(settings(tmp_path, key, signing_password=None))
    said = refused(settings(tmp_path, path, signing_password="hush"))
    assert "its password is wrong" in said
    assert "hush" not in said
    chain = refused(settings(tmp_path, path, signing_chain=tmp_path / "noise.p12"))
    assert "LABELS_SIGNING_CHAIN: noise.p12 holds no certificates" in chain


def test_a_time_stamp_needs_a_root_to_trace_it_to(tmp_path: Path, made: Authority) -> None:
    path = made.pem(tmp_path / "key.pem")
    said = refused(settings(tmp_path, path, signing_password=None, timestamp_url="http://127.0.0.1:9"))
    assert "holds no root certificate, and a time-stamp service is configured" in said


def test_a_certificate_that_has_ended_or_not_begun_signs_nothing(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    for path in (
        made.pkcs12(tmp_path / "old.p12", until=made.now - DAY, begins=made.now - 9 * DAY),
        made.pkcs12(tmp_path / "new.p12", begins=made.now + DAY),
    ):
        with pytest.raises(InvalidInput, match=r"is valid from .* only\. Put a renewed one in its place"):
            signer(tmp_path, path).sign(plain, made.now)


def test_a_time_stamp_service_that_is_away_is_told_and_nothing_is_signed(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    path, chain = made.pkcs12(tmp_path / "key.p12"), made.chain(tmp_path / "chain.pem")
    away = signer(tmp_path, path, signing_chain=chain, timestamp_url="http://127.0.0.1:9/time")
    with pytest.raises(OutOfReach, match=r"time-stamp service is out of reach.*Nothing was issued"):
        away.sign(plain, made.now)


def test_a_revoked_key_signs_nothing_where_its_authority_is_asked(tmp_path: Path, plain: bytes) -> None:
    with authority() as made:
        path = made.pkcs12(tmp_path / "key.p12")
        one = signer_with_time(tmp_path, made, path)
        made.revoked.append(asn1.Certificate.load(one._certificate).serial_number)
        with pytest.raises(InvalidInput, match="revoked"):
            one.sign(plain, made.now)


@pytest.mark.parametrize(
    "content", [b"/ByteRange", b"%PDF-1.7\n/ByteRange [0 1 2 3]\n%%EOF", b"%PDF-1.7\n" + b"<<" * 9000 + b"/ByteRange"]
)  # fmt: skip
def test_what_only_looks_like_a_signature_is_told_as_that(content: bytes) -> None:
    found = look_at_signature(content)
    assert found is not None
    assert not found.view.intact
    assert look_at_signature(b"%PDF-1.7\n%%EOF") is None


@pytest.mark.slow
def test_whatever_was_done_to_a_signed_file_a_look_at_it_ends(
    tmp_path: Path, made: Authority, plain: bytes
) -> None:
    signed = signer_with_time(tmp_path, made, made.pkcs12(tmp_path / "key.p12")).sign(plain, made.now)
    chance = random.Random(1)
    for _ in range(60):
        spoilt = bytearray(signed)
        for _ in range(chance.randrange(1, 9)):
            place = chance.randrange(len(plain) - 2000, len(signed))  # where the file's own tables are
            spoilt[place : place + chance.randrange(0, 40)] = chance.randbytes(chance.randrange(0, 40))
        found = look_at_signature(bytes(spoilt))
        assert found is None or found.view.why
