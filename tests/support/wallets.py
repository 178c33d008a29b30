"""Other people's programs that check credentials: what 1EdTech publishes, and the library of a wallet, in a folder of its own."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOME = ROOT / ".wallet-tools"
LIBRARY = "openbadgeslib==4.6.3"
"""Its source archive has the JSON Schema of Open Badges 3.0 as 1EdTech publishes it."""
_SCHEMA = "tests/fixtures/ob_schemas/ob_v3p0_achievementcredential_schema.json"


class NotThere(Exception):
    """It can't be had on this machine; says why."""


@cache
def official_schema() -> dict[str, Any]:
    """1EdTech's JSON Schema of an `OpenBadgeCredential`.

    Raises:
        NotThere: it can't be downloaded.
    """
    path = HOME / "schema.json"
    with _alone():
        if not path.exists():
            folder = HOME / "source"
            _run(
                sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                "--no-binary", ":all:", "-d", str(folder), LIBRARY,
            )  # fmt: skip
            [archive] = folder.glob("openbadgeslib-*.tar.gz")
            with tarfile.open(archive) as source:
                [name] = [one for one in source.getnames() if one.endswith(_SCHEMA)]
                content = source.extractfile(name)
                assert content is not None
                path.write_bytes(content.read())
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def checked_by_a_wallet(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What `@digitalcredentials/vc` says of a credential with a proof.

    `given` has the `credential`, and all that its checks may ask for: `documents` by their address.

    Raises:
        NotThere: there is no Node.js, or the library can't be installed.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NotThere("Node.js is not installed")
    home = HOME / "node"
    with _alone():
        if not (home / "node_modules" / "done").exists():
            home.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "check.mjs"):
                shutil.copy(HERE / "wallet" / name, home / name)
            _run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", at=home)
            (home / "node_modules" / "done").touch()
    shutil.copy(HERE / "wallet" / "check.mjs", home / "check.mjs")
    asked = folder / "credential.json"
    asked.write_text(json.dumps(given), "utf-8")
    said = subprocess.run(
        [node, "check.mjs", str(asked)], cwd=home, capture_output=True, text=True, timeout=120, check=False
    )
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


class _alone:
    """One process at a time installs."""

    def __enter__(self) -> None:
        HOME.mkdir(exist_ok=True)
        self._lock = (HOME / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._lock.close()


def _run(*words: str, at: Path | None = None) -> None:
    done = subprocess.run(words, cwd=at, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise NotThere(f"{words[0]}: {done.stderr[-500:]}")
