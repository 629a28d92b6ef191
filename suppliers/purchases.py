"""What an order or a bill proposes to the owner's things, and what it does not.

A thing is proposed when it lasts: a machine, a device, a tool. Services, fees, what is used
up and what is worn or eaten are not. Where the seller says what a line is, that counts;
else its unit, its number of pieces and its words do. In doubt, a line that nothing names
more closely (no number, no maker, no kind of thing we know) is proposed only from a price
on at which people keep receipts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from suppliers.contacts import GoodsClaim, Key, Money

PIECES_MOST = 4  # of one line; who buys more of it stocks up
WORTH = Decimal(40)  # of any currency; below it, only what is named closely is proposed
OWN_NUMBERS = ("serial", "vin", "imei")  # name one thing, not its product
_CUT = r"(?<!\w)(?:{})(?!\w)"
# Work: of a line that has a product's number they are a part of its name ("repair stand").
_WORKS = (
    "service", "servicing", "repair", "labou?r", "inspection", "maintenance", "callout",
    "call-out",
    "reparatur", "wartung", "inspektion", "arbeitszeit", "anfahrt",
    "riparazione", "manutenzione", "manodopera", "intervento",
    "réparation", "entretien", "main-d'œuvre",
    "reparación", "mantenimiento", "mano de obra",
)  # fmt: skip
# What is sold like a thing, number and all, and is none.
_RIGHTS = (
    "subscription", "membership", "plan", "licen[cs]e", "insurance", "warranty",
    "protection plan", "gift ?card", "voucher", "ticket", "upgrade", "activation", "deposit",
    "abo", "abonnement", "mitgliedschaft", "lizenz", "versicherung", "garantieverlängerung",
    "gutschein", "eintrittskarte", "pfand",
    "abbonamento", "licenza", "assicurazione", "buono", "biglietto", "estensione di garanzia",
    "assurance", "bon d'achat",
    "suscripción", "seguro",
)  # fmt: skip
_USED_UP = (
    "filters?", "cartridges?", "ink", "toner", "batteries", "battery pack of", "bags?", "pads?",
    "pods?", "capsules?", "tablets? \\d+", "detergent", "cleaner", "descaler", "oil", "coolant",
    "screen ?wash", "wipers?", "wiper blades?", "brake pads?", "spark plugs?", "bulbs?", "fuses?",
    "screws?", "nails", "tape", "glue", "paint", "paper", "seeds?", "soil", "food", "coffee",
    "tea", "wine", "beer", "chocolate", "shampoo", "soap", "books?", "magazines?", "t-?shirts?",
    "shirts?", "socks?", "shoes?", "trousers", "jeans", "dress", "jacket", "cable ties", "salt",
    "filterpatronen?", "ersatzfilter", "patronen?", "tinte", "batterien", "beutel", "kapseln?",
    "waschmittel", "reiniger", "entkalker", "motoröl", "öl", "wischerblätter", "bremsbeläge",
    "zündkerzen?", "glühbirnen?", "leuchtmittel", "schrauben", "klebeband", "farbe", "papier",
    "samen", "erde", "kaffee", "tee", "wein", "bier", "schokolade", "seife", "buch", "bücher",
    "hemd", "hose", "socken", "schuhe", "jacke", "kleid", "regeneriersalz",
    "filtri", "filtro", "cartucce", "cartuccia", "inchiostro", "batterie", "sacchetti", "capsule",
    "detersivo", "detergente", "anticalcare", "olio", "spazzole tergicristallo",
    "pastiglie freni", "candele", "lampadine", "lampadina", "viti", "nastro", "vernice", "carta",
    "semi", "terriccio", "caffè", "tè", "vino", "birra", "cioccolato", "sapone", "libro", "libri",
    "camicia", "maglietta", "calze", "scarpe", "pantaloni", "giacca",
    "filtres?", "cartouches?", "encre", "piles", "sacs?", "lessive", "huile", "ampoules?",
    "livres?", "chaussures", "filtros?", "cartuchos?", "tinta", "pilas", "bolsas?", "aceite",
)  # fmt: skip
# The same words stand in the names of things that last. What a thing is, stands last in the
# languages of the first list ("coffee machine", but "machine cleaner"), first in the other.
_LASTING = (
    "machine", "maker", "grinder", "shredder", "charger", "printer", "reader", "drill", "saw",
    "pump", "press", "dryer", "washer", "lamp", "dispenser", "compressor", "holder", "cooler",
    "radiator", "heater", "boiler", "furnace", "mower", "sander", "sprayer", "system", "unit",
    "kettle", "fridge", "freezer", "table", "desk", "shelf", "rack", "cabinet", "chair", "stand",
    "cutter", "mixer", "blender", "toaster", "oven", "camera", "speaker", "robot", "vacuum",
    "scale", "safe", "tester", "binder", "mill", "roaster",
    "maschine", "drucker", "mühle", "pumpe", "gerät", "bohrer", "säge", "ladegerät", "heizung",
    "kessel", "kocher", "kühlschrank", "regal", "tisch", "schrank", "ständer", "sauger", "waage",
    "kamera", "röster", "schneider",
)  # fmt: skip
_LASTING_FIRST = (
    "macchina", "stampante", "macinacaffè", "pompa", "trapano", "caldaia", "caricatore",
    "tavolo", "tavolino", "scaffale", "frigorifero", "bollitore", "armadio", "lampada",
    "imprimante", "broyeur", "table", "étagère", "bouilloire", "réfrigérateur", "machine",
    "máquina", "impresora", "mesa", "estante", "hervidor", "frigorífico",
)  # fmt: skip
# What stands beside a thing on its bill, and is a line of its price.
_BESIDE = {
    "delivery": (
        "delivery", "shipping", "postage", "freight", "handling", "versand", "versandkosten",
        "lieferung", "fracht", "porto", "spedizione", "consegna", "trasporto", "livraison",
        "frais de port", "envío", "gastos de envío",
    ),
    "installation": (
        "installation", "installing", "fitting", "set-?up", "commissioning", "assembly",
        "montage", "einbau", "inbetriebnahme", "anschluss", "aufbau", "installazione",
        "montaggio", "posa", "messa in servizio", "instalación", "montaje",
    ),
    "discount": (
        "discount", "coupon", "promotion", "rebate", "rabatt", "nachlass", "skonto", "sconto",
        "remise", "réduction", "descuento",
    ),
}  # fmt: skip


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_CUT.format("|".join(words)), re.IGNORECASE)


_WORK, _RIGHT, _CONSUMABLE = _any(_WORKS), _any(_RIGHTS), _any(_USED_UP)
_DEVICE, _DEVICE_FIRST = _any(_LASTING), _any(_LASTING_FIRST)
# What follows is what it is for, or what comes with it: "filter for a coffee machine".
_FOR = re.compile(
    r"(?i)\s(?:for|für|fuer|per|pour|para|zu[rm]?|compatible with|passend|incl(?:uding|\.)?|with"
    r"|inkl(?:usive|\.)?|mit|incluso|con|avec)\s.*|\s*[(\[].*?[)\]]"
)
_MORE = re.compile(r"\s*[,+&|/].*")  # ... and what else is in the box
_LINES = {kind: _any(words) for kind, words in _BESIDE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One line of a price: `kind` is one of our kinds of lines, the sum is for all pieces."""

    kind: str
    sum: Money
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One thing that an order or a bill proposes, with what it cost."""

    goods: GoodsClaim
    lines: tuple[PriceLine, ...] = ()

    @property
    def pieces(self) -> int:
        """How many of it were bought."""
        return int(Decimal(self.goods.quantity or 1))


def proposed(goods: Sequence[GoodsClaim], *, is_known: Iterable[bool]) -> list[Purchase]:
    """Return what of an order is proposed.

    `is_known` says of each line whether its words name a kind of thing that we know.
    What stands beside one thing alone (delivery, fitting, a discount) is part of its price.
    """
    known = list(is_known)
    things = [line for line, sure in zip(goods, known, strict=True) if lasts(line, is_known=sure)]
    beside = [
        PriceLine(kind=kind, sum=_all_pieces(line, line.price), label=line.name[:120])
        for line in goods
        if line not in things and (kind := _beside(line)) and line.price is not None
    ]
    if len(things) != 1:
        beside = []  # nobody says whose delivery it was
    return [Purchase(goods=line, lines=(*_own_lines(line), *beside)) for line in things]


def lasts(line: GoodsClaim, *, is_known: bool) -> bool:
    """Whether a line is a thing to look after."""
    if line.sort in ("service", "fee", "discount", "consumable", "part") or _beside(line):
        return False
    if line.price is not None and Decimal(line.price.amount) < 0:
        return False  # it goes back
    if any(number.scheme in OWN_NUMBERS for number in line.numbers):
        return True
    count = Decimal(line.quantity or 1)
    if line.unit or count != int(count) or count > PIECES_MOST:
        return False
    if line.sort == "product":  # the seller sorts; only what is used up is nobody's thing
        return not _is_used_up(line.name)
    what = _FOR.sub("", line.name)
    if _RIGHT.search(what) or (_WORK.search(what) and not line.numbers):
        return False
    if _is_used_up(line.name):
        return False
    is_named = bool(is_known or line.model or (line.maker and line.numbers))
    return is_named or (line.price is not None and Decimal(line.price.amount) >= WORTH)


def same(one: GoodsClaim, other: GoodsClaim) -> bool:
    """Whether two lines of one order are the same thing: by a number they share, or by name."""
    mine = {number.scheme: fold(number.value) for number in one.numbers}
    theirs = {number.scheme: fold(number.value) for number in other.numbers}
    shared = mine.keys() & theirs.keys()
    if any(mine[scheme] != theirs[scheme] for scheme in shared):
        return False  # two of one sort, told apart by their serials
    return bool(shared) or fold(one.name) == fold(other.name)


def joined(known: Purchase, new: Purchase) -> Purchase:
    """Return what is known of a thing with what a later statement adds; what is there stays."""
    have, more = known.goods, new.goods
    schemes = {number.scheme for number in have.numbers}
    numbers = (*have.numbers, *(n for n in more.numbers if n.scheme not in schemes))
    goods = replace(
        have,
        maker=have.maker or more.maker,
        model=have.model or more.model,
        numbers=numbers,
        price=have.price or more.price,
        tax=have.tax or more.tax,
        warranty_months=have.warranty_months or more.warranty_months,
    )
    kinds = {line.kind for line in known.lines}
    is_whole = bool(kinds & {"gross", "net"})
    lines = (
        *known.lines,
        *(
            line
            for line in new.lines
            if line.kind not in kinds and not (is_whole and line.kind in ("gross", "net", "tax"))
        ),
    )
    return Purchase(goods=goods, lines=lines)


def identity(line: GoodsClaim) -> str:
    """Return what tells a line from the others of its order."""
    by_scheme = {number.scheme: fold(number.value) for number in line.numbers}
    for scheme in (*OWN_NUMBERS, "gtin"):
        if scheme in by_scheme:
            return f"{scheme}:{by_scheme[scheme]}"
    return f"name:{fold(line.name)}"


def fold(text: str) -> str:
    """Return a text or a number as it is compared."""
    return "".join(char for char in text.casefold() if char.isalnum())


def own_numbers(line: GoodsClaim) -> list[Key]:
    """Return the numbers that name one thing and no other of its product."""
    return [number for number in line.numbers if number.scheme in OWN_NUMBERS]


def _is_used_up(name: str) -> bool:
    what = _MORE.sub("", _FOR.sub("", name))
    used = list(_CONSUMABLE.finditer(what))
    if not used:
        return False
    is_named_after = any(each.start() >= used[-1].end() for each in _DEVICE.finditer(what))
    is_named_before = any(each.end() <= used[0].start() for each in _DEVICE_FIRST.finditer(what))
    return not (is_named_after or is_named_before)


def _beside(line: GoodsClaim) -> str:
    """Return which line of a price this is when it is no thing: delivery, fitting, discount."""
    if line.sort == "discount":
        return "discount"
    if line.numbers or line.sort in ("product", "part", "consumable"):
        return ""
    return next((kind for kind, words in _LINES.items() if words.search(line.name)), "")


def _own_lines(line: GoodsClaim) -> tuple[PriceLine, ...]:
    if line.price is None:
        return ()
    if line.tax is None:
        return (PriceLine(kind="gross", sum=_all_pieces(line, line.price)),)
    return (
        PriceLine(kind="net", sum=_all_pieces(line, line.price)),
        PriceLine(kind="tax", sum=_all_pieces(line, line.tax)),
    )


def _all_pieces(line: GoodsClaim, price: Money | None) -> Money:
    """Return a price for all pieces of a line."""
    one = price or Money(amount="0")
    whole = Decimal(one.amount) * Decimal(line.quantity or 1)
    return Money(amount=f"{whole:.2f}", currency=one.currency)
