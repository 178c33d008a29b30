"""Plays random courses of all labels on a virtual clock and compares each step of them with a model in BPMN.

Run it with `.venv/bin/python -m benchmarks.walk --courses 10000`; it prints what was done and every difference, and ends
with 1 where there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from benchmarks.walk.batches import Batch, play


def main() -> int:
    """Plays batches until there are as many courses."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--courses", type=int, default=200)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first batch; the next have the next numbers"
    )
    parser.add_argument(
        "--papers", type=float, default=0.01, help="share of the papers that is really rendered"
    )
    arguments = parser.parse_args()
    began, seed, done = time.monotonic(), arguments.seed, Batch()
    while done.courses < arguments.courses:
        one = play(seed, arguments.papers)
        done += one
        for difference in one.differences:
            print(f"seed {seed}: {difference}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{done.courses} courses, {len(done.differences)} differences", end="", file=sys.stderr)
        seed += 1
    print(f"\n{done.courses:,} courses, {sum(done.acts.values()):,} acts, {time.monotonic() - began:.0f} s")
    for name, number in Counter(done.acts).most_common():
        print(f"  {name:40}{number:>9,}")
    for name, number in sorted(done.ends.items()):
        print(f"  ended {name:34}{number:>9,}")
    print(f"papers rendered: {done.papers:,}; breaches of what must always hold: {len(done.breaches)}")
    print(f"differences between the record and the model: {len(done.differences)}")
    for breach in done.breaches:
        print(breach)
    return 1 if done.differences or done.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
