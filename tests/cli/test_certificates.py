"""`labels certificates` says what it gathered, or what there is none of."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Terminal


def test_a_year_without_certificates_says_so_and_prints_nothing(terminal: Terminal) -> None:
    out = terminal.folder / "out"
    result = terminal.run("certificates", "national", "2026", str(out))
    assert result.exit_code == 0
    assert "No certificate" in result.stderr
    assert list(out.iterdir()) == []
    assert terminal.json("certificates", "school", "2026", str(out)) == {"certificates": 0, "volumes": []}


def test_no_label_no_year_no_organisation_and_no_folder(terminal: Terminal) -> None:
    (terminal.folder / "file").write_text("x")
    out = str(terminal.folder / "out")
    assert "LABEL" in terminal.fails(2, "certificates", "nationale", "2026", out)
    assert "YEAR" in terminal.fails(2, "certificates", "national", "1999", out)
    assert "NSS-XX" in terminal.fails(4, "certificates", "national", "2026", out, "--organisation", "NSS-XX")
    assert "FOLDER" in terminal.fails(2, "certificates", "national", "2026", str(terminal.folder / "file"))
    assert not Path(out).exists()
