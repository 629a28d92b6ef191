"""A month's report as PDF: one sheet of A4, with the fonts of the pages, nothing from outside."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from assets.printing import FONTS  # of every paper we write
from notifications import month_words
from notifications.months import Report

FAMILY = "Figtree"
MARGIN = 18.0  # mm
SIZES = (10.5, 9.5, 8.5, 7.5, 6.5)  # points of the words: the largest with which all fits one sheet
INK, SOFT, PINE, RULE = (32, 38, 36), (94, 101, 97), (24, 78, 64), (214, 208, 198)


def write(report: Report, *, site: str) -> bytes:
    """Return the report as one sheet; `site` is what its links begin with."""
    for size in SIZES:
        sheet = _Sheet(report, site=site, size=size)
        if sheet.page_no() == 1:
            break
    return bytes(sheet.output())


class _Sheet(FPDF):
    """The report written in one size; it has more than one page where that is too large."""

    def __init__(self, report: Report, *, site: str, size: float) -> None:
        super().__init__(format="A4")
        self.site, self.size = site, size
        self.step = size * 0.53  # mm from line to line
        self.add_font(FAMILY, "", FONTS / "figtree-regular.ttf")
        self.add_font(FAMILY, "B", FONTS / "figtree-semibold.ttf")
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN)
        self.set_title(f"{report.household.name}: {month_words.title(report)}")
        self.set_creator("Steward")
        self.set_lang((get_language() or "en")[:2])
        self.add_page()
        self._head(report)
        for part in month_words.parts(report):
            self._part(part)
        self._foot()

    def _head(self, report: Report) -> None:
        self._say(report.household.name, size=self.size, color=SOFT)
        self._say(month_words.title(report), size=self.size * 2, weight="B", color=PINE)
        self._say(month_words.lead(report), size=self.size * 1.2)
        if report.is_so_far:
            self._say(_("This month so far."), size=self.size, color=SOFT)
        if report.is_empty:
            return
        self.ln(self.step)
        width = (self.w - 2 * MARGIN) / 3
        top = self.get_y()
        for number, stat in enumerate(month_words.stats(report)):
            self.set_xy(MARGIN + number * width, top)
            self._font(self.size * 1.9, "B", PINE)
            self.cell(
                width,
                self.step * 1.7,
                stat.value,
                link=f"{self.site}{stat.href}",
                new_x=XPos.LEFT,
                new_y=YPos.NEXT,
            )
            self._font(self.size * 0.9, "", SOFT)
            self.cell(width, self.step, stat.label, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _part(self, part: month_words.Part) -> None:
        self.ln(self.step * 0.9)
        self.set_draw_color(*RULE)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.ln(self.step * 0.4)
        self._say(part.title, size=self.size * 1.1, weight="B", color=PINE)
        for line in part.lines:
            self._say(line.text, size=self.size, href=line.href)

    def _foot(self) -> None:
        self.ln(self.step)
        words = _("Counted from events. How we count: %(url)s")
        address = f"{self.site}/report/how/"
        self._say(words % {"url": address}, size=self.size * 0.85, color=SOFT, href="/report/how/")

    def _say(
        self,
        text: str,
        *,
        size: float,
        weight: str = "",
        color: tuple[int, int, int] = INK,
        href: str = "",
    ) -> None:
        self._font(size, weight, color)
        self.multi_cell(
            0,
            size * 0.53,
            text,
            align="L",
            link=f"{self.site}{href}" if href else "",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def _font(self, size: float, weight: str, color: tuple[int, int, int]) -> None:
        self.set_font(FAMILY, weight, size)
        self.set_text_color(*color)
