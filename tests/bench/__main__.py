"""`python -m tests.bench [row ...]`: prints the table of docs/performance.md.

Starts what it measures on a database of its own in the server of DATABASE_URL (or in the
embedded one) and drops it at the end.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- table -->", "<!-- /table -->"


def write(found: str) -> None:
    """Put the table in its place in docs/performance.md; the words around it stay."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE} has no {BEGIN} ... {END}")
    PAGE.write_text(f"{before}{BEGIN}\n{found}{END}{after}")


def main() -> int:
    """Measure the named rows, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("rows", nargs="*", help="which rows; all unless given")
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument("--scale", type=int, default=10_000_000, help="rows stored at most")
    parser.add_argument("--quick", action="store_true", help="a short try on few rows")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    chosen = parser.parse_args()
    # A bench that is told to end still drops its database and ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if chosen.quick:
        chosen.seconds, chosen.rounds, chosen.scale = 2, 1, min(chosen.scale, 20_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    os.chdir(ROOT)
    import django  # noqa: PLC0415 - after the settings are named

    django.setup()
    from tests.bench import world  # noqa: PLC0415 - needs the settings
    from tests.bench.bench import Bench, table  # noqa: PLC0415
    from tests.bench.rows import ROWS  # noqa: PLC0415

    unknown = set(chosen.rows) - ROWS.keys()
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    with Bench(
        seconds=chosen.seconds, rounds=chosen.rounds, scale=chosen.scale, is_quick=chosen.quick
    ) as bench:
        rows = []
        for name in chosen.rows or ROWS:
            sys.stderr.write(f"measuring {name} ...\n")
            world.forget_waiting()
            rows.append(ROWS[name].measure(bench))
            sys.stderr.write(f"{rows[-1].ours} | {rows[-1].floor}\n")
        found = table(rows)
    sys.stdout.write(found)
    if chosen.write:
        write(found)
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
