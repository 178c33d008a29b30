"""The class of `benchmarks.certificates` in Typst; run by it with an interpreter that has typst and segno.

Reads the class as JSON from standard input and prints as JSON the seconds of a processor that it took, the size of
a file and the peak of memory; the last file goes to the path that is given, to be looked at.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from pathlib import Path

import segno  # type: ignore[import-not-found,unused-ignore]  # of the benchmark's own environment
import typst  # type: ignore[import-not-found]  # of the benchmark's own environment

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Compiles one file for each pupil, with one compiler that keeps whatever it can."""
    pupils = json.load(sys.stdin)
    compiler = typst.Compiler(
        HERE / "certificate.typ",
        root=HERE.parent,
        font_paths=[HERE.parent / "templates" / "assets" / "fonts"],
        ignore_system_fonts=True,
    )

    def compiled(pupil: dict[str, str]) -> bytes:
        code = io.BytesIO()
        segno.make(pupil["address"], error="m", micro=False, mask=4).save(code, kind="svg", border=4)
        given = pupil | {"code-svg": code.getvalue().decode()}
        file: bytes = compiler.compile(sys_inputs=given, pdf_standards=["a-3a", "ua-1"], timestamp=1791936000)
        return file

    compiled(pupils[-1])
    began = time.process_time()
    files = [compiled(pupil) for pupil in pupils]
    taken = time.process_time() - began
    Path(sys.argv[1]).write_bytes(files[-1])
    size = sum(map(len, files)) // len(files)
    json.dump(
        {
            "seconds": taken,
            "size": size,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "version": typst.__version__,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
