"""Every kind of file that is known; the first that fits is taken, so the strictest come first."""

from collections.abc import Iterable

from assets.importers.formats import (
    fuel,
    generic,
    grocy,
    homebox,
    lubelogger,
    mygarage,
    papers,
    shelf,
    snipeit,
    warracker,
)
from assets.importers.rows import Format

_ALL: tuple[Format, ...] = (
    papers.PAPERS,
    homebox.ITEMS,
    shelf.ASSETS,
    warracker.WARRANTIES,
    snipeit.MAINTENANCE,
    snipeit.ASSETS,
    *mygarage.KINDS,
    *grocy.KINDS,
    fuel.FUELLY,
    fuel.FUELIO,
    fuel.ACAR,
    *lubelogger.KINDS,
    generic.THINGS,
)
FORMATS: dict[str, Format] = {each.slug: each for each in _ALL}


def detect(columns: Iterable[str], section: str = "") -> Format:
    """Return the kind of a file with these (folded) columns; one to be mapped when none fits."""
    names = frozenset(columns)
    return next(each for each in _ALL if each.fits(names, section))
