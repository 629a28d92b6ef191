"""`make year`: plays a year of many households, judges it and writes docs/year.md.

    python -m tests.year [--homes 200] [--days 365] [--minutes 20] [--write]

Each process plays its share of the households in a database of its own, in the server of
DATABASE_URL (or in the embedded one), which is gone at the end. When the minutes are over
the clock stops where it is; what came until then is judged and written.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from tests.year import invariants
from tests.year.parts import Part, lived, whole
from tests.year.truth import Year

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "year.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
SHOWN = 20  # findings printed of each invariant


def figures(year: Year, *, start: datetime, took: float, found: dict[str, list[str]]) -> str:
    """Return the numbers as a table in Markdown."""
    outcome_of = {one.line: one.outcome for one in year.outcomes}
    contacts = [said for said in year.said if said.line in outcome_of]
    outcomes = Counter(outcome_of[said.line] for said in contacts)
    news = [said for said in contacts if said.is_news]
    false = [said for said in news if outcome_of[said.line] in ("absorbed", "duplicate")]
    repeats = [said for said in contacts if said.tells and not said.is_news]
    shown = [said for said in repeats if outcome_of[said.line] == "shown"]
    levels = Counter(told.level for told in year.told)
    sent = Counter(one.channel for one in year.messages if one.purpose == "notification")
    saved, before = (
        year.measured.get("attention_saved_s", 0),
        year.measured.get("attention_baseline_s", 0),
    )
    rows = [
        ("Households, in zones", f"{len(year.homes)}, {len({home.zone for home in year.homes})}"),
        ("Simulated time", f"{start:%d %B %Y} to {year.ends:%d %B %Y}"),
        ("Contacts", f"{len(contacts):,}"),
        ("Notifications", (f"{len(year.told):,}: {levels['interrupt']:,} interrupts,"
         f" {levels['feed']:,} silent changes of a card")),
        ("Contacts for each interrupt", f"{len(contacts) / max(1, levels['interrupt']):.1f}"),
        ("Messages sent of them", ", ".join(f"{n:,} {kind}" for kind, n in sent.most_common())),
        ("Digests", f"{len(year.digests):,}"),
        ("Shown on a card", f"{outcomes['shown']:,}"),
        ("Absorbed: nothing new in them", f"{outcomes['absorbed']:,}"),
        ("Held: surveys, adverts, not granted", f"{outcomes['held']:,}"),
        ("At the door", f"{outcomes['door']:,}"),
        ("Of contacts with news by construction, falsely absorbed",
         f"{len(false):,} of {len(news):,}"),
        ("Of repetitions by construction, shown all the same",
         f"{len(shown):,} of {len(repeats):,}"),
        ("Surveys asked for and offered",
         f"{sum(said.kind == 'survey' for said in contacts):,}, {len(year.offers):,}"),
        ("Attention saved", (f"{saved / 3600:,.0f} of {before / 3600:,.0f} hours"
         f" ({100 * saved / max(1, before):.0f} %)")),
        ("Promises broken", str(sum(map(len, found.values())))),
        ("Played in", f"{took / 60:.1f} min, {len(contacts) / took:.0f} contacts/s"),
    ]  # fmt: skip
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def write(text: str) -> None:
    """Put the figures in their place in docs/year.md; the words around them stay."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE} has no {BEGIN} ... {END}")
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Play, judge, say what was found; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.year")
    parser.add_argument("--homes", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--share", type=float, default=1.0, help="how much of it all is said")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--start", default="2026-01-01", help="a date")
    parser.add_argument("--minutes", type=float, default=600, help="after which the clock stops")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="into docs/year.md")
    chosen = parser.parse_args()
    start = datetime.fromisoformat(chosen.start).replace(tzinfo=UTC)
    began = time.time()
    parts = [
        Part(
            homes=tuple(range(first, chosen.homes, chosen.processes)),
            seed=chosen.seed,
            start=start,
            days=chosen.days,
            share=chosen.share,
            until=began + 60 * chosen.minutes,
        )
        for first in range(min(chosen.processes, chosen.homes))
    ]
    with ProcessPoolExecutor(len(parts), mp_context=get_context("spawn")) as pool:
        year = whole(list(pool.map(lived, parts)))
    took = time.time() - began
    found = invariants.findings(year)
    text = figures(year, start=start, took=took, found=found)
    sys.stdout.write(f"{text}\n")
    for name, lines in found.items():
        sys.stdout.write(f"\n{name}: {len(lines)}\n")
        sys.stdout.writelines(f"  {line}\n" for line in lines[:SHOWN])
    if chosen.write:
        write(text)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
