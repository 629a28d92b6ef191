"""Finds amounts of money in text, and what each of them is for.

price-parser 0.5.1 reads one price from a short text and read an order number, a phone
number and a saving as one in 3 of 15 sentences in five languages (ours none); it is ten
times as fast, and on hostile text seven times as slow.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from suppliers.adapters.fields import canonical
from suppliers.contacts import FactClaim, Money

MAX_AMOUNTS = 40
LABEL_SPAN = 70  # characters before an amount that may say what it is

SYMBOLS = {
    "$": "", "us$": "USD", "c$": "CAD", "a$": "AUD", "€": "EUR", "£": "GBP", "¥": "JPY",
    "₹": "INR", "zł": "PLN", "fr.": "CHF", "euro": "EUR", "euros": "EUR", "dollars": "",
    "dollar": "", "pounds": "GBP", "franken": "CHF",
}  # fmt: skip
DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"})
CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|SEK|NOK|DKK|PLN|CZK|HUF|INR|BRL|MXN"
NUMBER = (
    r"\d{1,3}(?:[.,'\u2019 \u00a0]\d{3}){1,4}(?:[.,]\d{1,2})?(?!\d)"
    r"|\d{1,9}(?:[.,](?:\d{2}|[-\u2013]{1,2}))?"
)

AMOUNT = re.compile(
    rf"(?<![\w.,/-])(?:(?P<before>US\$|C\$|A\$|[$€£¥₹]|(?:{CODES}|Fr\.)(?=[ \u00a0]?\d))[ \u00a0]?"
    rf"(?P<n1>{NUMBER})|(?P<n2>{NUMBER})[ \u00a0]?(?P<after>[$€£¥₹]|zł|(?:{CODES}|euros?|dollars?|"
    rf"pounds|Franken)\b))(?![\w])",
    re.IGNORECASE,
)
# A bare number is money only straight after a word of money: "Upgrade for 49.00".
BARE = re.compile(
    r"(?<!\w)(?:for|fee|fees|costs?|price|charge|charged|total|amount|preis|kosten|kostet|gebühr|"
    r"für|"
    r"prix|coûte|coût|frais|prezzo|costo|costa|per|precio|coste|cuesta|por)[ :=]{1,3}"
    r"(?P<n>\d{1,6}[.,]\d{2})(?![\d:.,]?\d|[ \u00a0]?(?:uhr|[ap]\.?m|h\b|%|[-\u2013] ?\d))",
    re.IGNORECASE,
)

# A sentence about the price that names nothing: "It costs 89 euros", "Das kostet 89 Euro".
NOTHING_NAMED = re.compile(
    r"(?:(?:and |und |et |e |y )?(?:it|this|that|es|das|ça|cela|il|questo|esto) )?"
    r"(?:will |would |wird |kann )?(?:costs?|kosten|kostet|coûte(?:ra)?|costa|costerà|"
    r"cuesta|costará)",
    re.IGNORECASE,
)


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


# The nearest of these words before an amount says what it is; "no" is no claim at all.
PURPOSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("no", _any("save", "saving", "saved", "off", "discount", "voucher", "worth", "up to",
                "instead of",
                "rabatt", "sparen", "gutschein", "statt", "bis zu", "remise", "sconto",
                "descuento", "win", "over", "fino a", "hasta", "jusqu'à")),
    ("refund", _any("refund(?:ed)?", "credit(?:ed)?", "(?:rück)?erstattung", "gutschrift",
                    "erstatten", "rembours(?:ement|ons|é)", "rimborsiamo", "reembolsamos",
                    "rimborso", "reembolso")),
    ("deposit", _any("deposit", "anzahlung", "kaution", "acompte", "caparra", "depósito")),
    ("amount_due", _any("amount due", "balance due", "balance", "please pay", "to pay", "payable",
                        "outstanding", "due", "zu zahlen", "zahlen sie",
                        "überweisen(?: sie)?", "zu überweisen", "bezahlen(?: sie)?",
                        "veuillez payer", "veuillez régler", "à régler", "pagare", "abonar",
                        "rechnungsbetrag", "offener betrag",
                        "fällig", "à payer", "montant dû", "da pagare", "importo dovuto",
                        "a pagar", "invoice total", "pay",
                        # "Invoice R-551: 100.00"
                        "(?:invoice|rechnung|facture|fattura|factura)"
                        "(?: (?:no|nr|n)[.°]?)? [a-z]{0,4}[-/]?[0-9][a-z0-9/-]{0,20}")),
    ("total", _any("total", "sum", "gesamt(?:betrag)?", "summe", "totale", "importe")),
    ("fee", _any("fees?", "costs?", "price", "charges?", "upgrade", "rate", "preis", "kosten",
                 "kostet", "gebühr", "prix", "coût", "frais", "prezzo", "costo", "costa", "precio",
                 "coste", "order", "for")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Amount:
    """One amount in a text: what it is, and where it stands."""

    name: str
    money: Money
    label: str
    span: tuple[int, int]


def read(text: str, *, currency: str) -> list[Amount]:
    """Return the amounts of money in `text`, in their order."""
    found = []
    for match in AMOUNT.finditer(text):
        number = match["n1"] or match["n2"]
        code = _currency(match["before"] or match["after"], currency)
        found.append((match.start(), match.end(), number, code))
        if len(found) >= MAX_AMOUNTS:
            break
    taken = [(start, end) for start, end, _, _ in found]
    for match in BARE.finditer(text):
        if len(found) >= MAX_AMOUNTS:
            break
        if not any(start < match.end("n") and match.start("n") < end for start, end in taken):
            found.append((match.start("n"), match.end("n"), match["n"], currency))
    return [_amount(text, *item) for item in sorted(found)]


def claims(text: str, *, currency: str) -> tuple[FactClaim, ...]:
    """Return what the text says about money, each name with one amount only.

    A name with two different amounts has two readings and yields nothing. A total that
    stands alone, or equals the fee, is the price of the work.
    """
    by_name: dict[str, dict[Money, str]] = {}
    for amount in read(text, currency=currency):
        if amount.name != "no":
            by_name.setdefault(amount.name, {}).setdefault(amount.money, amount.label)
    totals = by_name.get("total", {})
    if totals and "fee" not in by_name:
        by_name["fee"] = by_name.pop("total")
    elif len(totals) == 1 and totals.keys() <= by_name["fee"].keys():
        by_name.pop("total")
    return tuple(
        FactClaim(name=name, money=next(iter(values)), label=next(iter(values.values())))
        for name, values in by_name.items()
        if len(values) == 1
    )


def _currency(written: str, default: str) -> str:
    written = written.lower()
    code = SYMBOLS.get(written, written.upper())
    if code:
        return code
    return default if default in DOLLARS else "USD"


def _amount(text: str, start: int, end: int, number: str, currency: str) -> Amount:
    line_start = max(text.rfind("\n", 0, start) + 1, start - LABEL_SPAN)
    before = text[line_start:start]
    near = max(
        ((_last(pattern, before), name) for name, pattern in PURPOSES), key=lambda item: item[0]
    )
    name = near[1] if near[0] >= 0 else "fee"
    if name != "no" and re.match(
        r"[ \u00a0]?(?:off\b|discount|rabatt|cheaper)", text[end : end + 12], re.IGNORECASE
    ):
        name = "no"
    return Amount(
        name, Money(amount=decimal(number), currency=currency), _label(before), (start, end)
    )


def _last(pattern: re.Pattern[str], text: str) -> int:
    position = -1
    for match in pattern.finditer(text):
        position = match.end()
    return position


def decimal(number: str) -> str:
    """Return a written number as a decimal string with at least two places.

    The last separator is the decimal one unless three digits follow it.
    """
    digits = re.sub(r"['\u2019 \u00a0\u2013-]", "", number).rstrip(".,")
    position = max(digits.rfind("."), digits.rfind(","))
    if position >= 0 and len(digits) - position - 1 != 3:
        whole, part = digits[:position], digits[position + 1 :]
    else:
        whole, part = digits, ""
    whole = whole.replace(".", "").replace(",", "")
    return canonical(Decimal(f"{whole or '0'}.{part or '0'}"))


def _label(before: str) -> str:
    """Return the words just before an amount: what the sender called it."""
    piece = re.split(r"[.!?;:\n](?=\s|$)", before.rstrip(" :,=-\u2013("))[-1].strip(
        " ,:-\u2013*|\t"
    )
    piece = re.sub(
        r"(?:^|\s)(?:for|für|pour|per|por|is|ist|at|of)$", "", piece, flags=re.IGNORECASE
    )
    return "" if NOTHING_NAMED.fullmatch(piece) else piece[-60:].strip(" ,:-\u2013")
