"""`python -m tests.bench [row ...]`: prints the table of docs/performance.md.

Starts what it measures on a database of its own in the server of DATABASE_URL (or in the
embedded one) and drops it at the end.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Measure the named rows, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("rows", nargs="*", help="which rows; all unless given")
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.chdir(ROOT)
    import django  # noqa: PLC0415 - after the settings are named

    django.setup()
    from tests.bench.bench import Bench, table  # noqa: PLC0415 - needs the settings
    from tests.bench.rows import ROWS  # noqa: PLC0415

    unknown = set(chosen.rows) - ROWS.keys()
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    with Bench(seconds=chosen.seconds, rounds=chosen.rounds) as bench:
        rows = [ROWS[name].measure(bench) for name in chosen.rows or ROWS]
    sys.stdout.write(table(rows))
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
