"""Numbers as drawings that print and need no script: positions for small SVGs, QR codes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import segno
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

WIDTH, HEIGHT = 100, 24


class Part(NamedTuple):
    """A part of a bar, in thousandths of its width."""

    label: str
    shown: str
    tone: str
    start: int
    width: int


@register.filter
def points(values: Sequence[float | None]) -> str:
    """Return the points of a line through the values, the highest at the top; None has none."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    reach = (high - low) or 1
    step = WIDTH / (len(values) - 1)
    return " ".join(
        f"{number * step:.1f},{HEIGHT - (value - low) / reach * (HEIGHT - 4) - 2:.1f}"
        for number, value in enumerate(values)
        if value is not None
    )


@register.filter
def parts(rows: Sequence[dict[str, Any]]) -> list[Part]:
    """Return rows of `label`, `value` and optional `shown` and `tone` as parts of one bar.

    What is not positive has no width; it stays in the list of words below the bar.
    """
    total = sum(max(0.0, float(row["value"])) for row in rows) or 1
    tones = ("pine", "lake", "plum", "rest")
    found, at = [], 0.0
    for number, row in enumerate(rows):
        share = max(0.0, float(row["value"])) / total * 1000
        tone = row.get("tone") or tones[min(number, len(tones) - 1)]
        shown = str(row.get("shown", row["value"]))
        found.append(Part(str(row["label"]), shown, tone, round(at), round(share)))
        at += share
    return found


@register.filter
def qr(text: str) -> SafeString:
    """Return a text as a QR code: an inline SVG without a size of its own."""
    code = segno.make(str(text), error="m", micro=False)
    drawn = code.svg_inline(omitsize=True, border=0, svgclass=None, lineclass=None)
    return mark_safe(drawn)  # noqa: S308 - modules of a code: no part of the text is in it


@register.filter
def initials(name: str) -> str:
    """Return the letters a person or a firm goes by in a small circle."""
    words = [word for word in str(name).split() if word[:1].isalnum()]
    if not words:
        return "?"
    last = words[-1][:1] if len(words) > 1 else ""
    return words[0][:1] + last
