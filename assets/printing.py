"""What is printed: sheets with our fonts, labels, and the report of a loss.

The writer of PDF weighs 18 MiB in a process that has loaded it: whoever prints imports this
module where it prints.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import segno
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF

from assets import vault
from assets.choices import DocumentKind
from assets.labels import facts_of
from assets.models import Asset, Document, Loss

SHEET_MOST = 240
FONTS = Path(__file__).parent / "fonts"
FAMILY = "Figtree"
OTHERS = "DejaVu"  # for letters that Figtree has not: Greek, Cyrillic, Hebrew, signs
COLUMNS, ROWS, WIDE, HIGH, SIDE, TOP = 3, 8, 70.0, 37.0, 0.0, 0.5  # mm of a sheet of 24
TAPE = (90.0, 29.0)  # mm
MARGIN = 18.0


class Paper(FPDF):
    """A sheet with the fonts of the pages, nothing from outside."""

    def __init__(self, size: str | tuple[float, float]) -> None:
        super().__init__(format=size, unit="mm")
        self.add_font(FAMILY, "", FONTS / "figtree-regular.ttf")
        self.add_font(FAMILY, "B", FONTS / "figtree-semibold.ttf")
        self.add_font(OTHERS, "", FONTS / "dejavu-sans.ttf")
        self.add_font(OTHERS, "B", FONTS / "dejavu-sans-bold.ttf")
        self.set_fallback_fonts([OTHERS], exact_match=False)
        self.set_auto_page_break(auto=False)
        self.set_creator("Steward")
        self.set_lang((get_language() or "en")[:2])

    def words(self, text: str, *, size: float, weight: str = "", width: float = 0) -> None:
        """Write words that wrap, and go to the next line."""
        self.set_font(FAMILY, weight, size)
        self.multi_cell(width, size * 0.45, text, new_x="LEFT", new_y="NEXT")

    def label(self, asset: Asset, address: str, *, left: float, top: float, high: float) -> None:
        """Draw one label: its code, its name and the first of its numbers."""
        picture = io.BytesIO()
        segno.make(address, error="m", micro=False).save(picture, kind="png", scale=6, border=2)
        side = high - 5
        self.image(picture, x=left + 3, y=top + 2.5, w=side, h=side)
        self.set_xy(left + side + 4, top + 5)
        room = self.wide - side - 7
        self.words(asset.name[:60], size=9, weight="B", width=room)
        made = f"{asset.maker} {asset.model}".strip()
        number = next(iter(asset.identifiers.all()), None)
        for text in (made, number.value[:40] if number else "", _("Found it? Scan.")):
            if text:
                self.words(text[:60], size=7, width=room)

    wide = WIDE


Labelled = Sequence[tuple[Asset, str]]  # with the address its code opens


def sheet(labelled: Labelled) -> bytes:
    """Return labels on sheets of 24 (70 by 37 mm), as they are sold for any printer."""
    paper = Paper("A4")
    for number, (asset, address) in enumerate(labelled[:SHEET_MOST]):
        place = number % (COLUMNS * ROWS)
        if place == 0:
            paper.add_page()
        row, column = divmod(place, COLUMNS)
        paper.label(asset, address, left=SIDE + column * WIDE, top=TOP + row * HIGH, high=HIGH)
    return bytes(paper.output())


def tape(labelled: Labelled) -> bytes:
    """Return labels one behind the other, for a printer of tape (29 by 90 mm)."""
    wide, high = TAPE
    paper = Paper((wide, high))
    paper.wide = wide
    for asset, address in labelled[:SHEET_MOST]:
        paper.add_page()
        paper.label(asset, address, left=0, top=0, high=high)
    return bytes(paper.output())


def loss_report(asset: Asset, loss: Loss | None) -> bytes:
    """Return what police and insurer ask for: numbers, price, proof of purchase, pictures."""
    paper = Paper("A4")
    paper.set_margins(MARGIN, MARGIN, MARGIN)
    paper.set_auto_page_break(auto=True, margin=MARGIN)
    paper.add_page()
    paper.words(str(_("Report of a loss")), size=20, weight="B")
    paper.ln(4)
    for label, value in facts_of(asset, loss):
        if value:
            paper.words(str(label), size=8)
            paper.words(str(value), size=11, weight="B")
            paper.ln(1.5)
    kept = asset.documents.filter(removed_at=None).order_by("kind", "-added_at")
    papers = list(kept.exclude(kind=DocumentKind.PHOTO)[:30])
    if papers:
        paper.ln(3)
        paper.words(str(_("Papers kept")), size=13, weight="B")
        for one in papers:
            paper.words(f"{one.get_kind_display()}: {one.name}", size=10)
    wanted = (DocumentKind.PHOTO, DocumentKind.RECEIPT)
    for picture in kept.filter(kind__in=wanted, has_thumb=True)[:8]:
        add_picture(paper, picture)
    return bytes(paper.output())


def picture_inline(paper: Paper, picture: Document) -> bool:
    """Draw a kept picture where the words are, in a third of the page; False if it is lost."""
    try:
        content = vault.get(picture.uuid)
    except vault.VaultError:
        return False
    paper.image(io.BytesIO(content), w=paper.epw / 2, h=paper.eph / 3, keep_aspect_ratio=True)
    paper.ln(2)
    return True


def add_picture(paper: Paper, picture: Document) -> None:
    """Add a kept picture on a page of its own; one that cannot be read is named."""
    paper.add_page()
    paper.words(f"{picture.get_kind_display()}: {picture.name}", size=10)
    try:
        content = vault.get(picture.uuid)
    except vault.VaultError:
        paper.words(str(_("The picture could not be read.")), size=10)
        return
    # Made anew by us when it was taken in, so it is opened here without a child process.
    paper.image(io.BytesIO(content), w=paper.epw, h=paper.eph - 20, keep_aspect_ratio=True)
