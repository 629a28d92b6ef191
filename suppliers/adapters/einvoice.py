"""Reads electronic invoices (EN 16931): UBL and CII as XML, and CII inside a PDF.

Runs in the child process only, in a request of its own: what breaks a reader of PDFs
costs the invoice its facts, never the mail its words. The XML in a PDF (ZUGFeRD,
Factur-X, XRechnung) is taken out by pypdf; factur-x 7.8 would parse it with entities on.
Nothing here fetches anything, and no document type is believed.
"""

import base64
import email
import io
import logging
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from email import policy
from email.message import Message
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # no types

from suppliers.adapters import goods
from suppliers.adapters.errors import ContentError
from suppliers.adapters.fields import canonical
from suppliers.choices import Purpose
from suppliers.contacts import Contact, FactClaim, GoodsClaim, Key, Money

MAX_XML = 2 * 2**20
MAX_PDF = 10 * 2**20
MAX_FILES = 4
MAX_ATTACHED = 20  # files inside one PDF that are looked at
SOURCE = "invoice"
NAMES = re.compile(r"\.(?:xml|pdf)\Z", re.IGNORECASE)
# The harmless text by which scanners are tested; in two pieces, so that none stops here.
TRAP = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"
ROOTS = frozenset({"Invoice", "CreditNote", "CrossIndustryInvoice"})
# Entities that grow without end are stopped by the parser; this says what it was.
DOCTYPE = re.compile(rb"<!DOCTYPE\s+(?:\w+:)?(?:Invoice|CreditNote|CrossIndustryInvoice)\b")
CREDITS = frozenset({"381", "261", "262", "296", "308", "396", "420", "458", "532"})
GTINS = (8, 12, 13, 14)
FINEST = Decimal("0.0001")  # as prices are kept
MONEY_NAMES = frozenset({"fee", "total", "amount_due", "due_on", "refund"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What an invoice states; amounts in its currency, days as ISO 8601."""

    number: str
    currency: str = ""
    issued_on: str = ""
    due_on: str = ""
    total: str = ""
    payable: str = ""
    seller: str = ""
    order: str = ""
    contract: str = ""
    is_credit: bool = False
    lines: tuple[GoodsClaim, ...] = ()


@dataclass(slots=True)
class Found:
    """The invoices of a mail, each once, and why others were refused."""

    invoices: list[Invoice] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def task(data: dict[str, Any]) -> dict[str, Any]:
    """Answer a request of `mail.read`: facts, keys and remarks as JSON."""
    found = Found()
    message = email.message_from_bytes(base64.b64decode(data["raw"]), policy=policy.compat32)
    _collect(message, found)
    base = Contact.from_json(data["contact"])
    contact = understood(base, found.invoices).with_(
        remarks=tuple(dict.fromkeys((*base.remarks, *found.refused)))
    )
    return contact.to_json()


def _collect(message: Message, found: Found) -> None:
    files = 0
    for part in message.walk():
        kind = part.get_content_type()
        name = str(part.get_filename() or "")[:200]
        is_one = kind.endswith(("/pdf", "/xml", "+xml")) or NAMES.search(name)
        if part.is_multipart() or not is_one or kind.startswith(("text/html", "image/")):
            continue
        files += 1
        if files > MAX_FILES:
            found.refused.append("invoice_refused:too_many")
            return
        payload = part.get_payload(decode=True)
        try:
            invoice = read(payload if isinstance(payload, bytes) else b"")
        except ContentError as error:
            found.refused.append(f"invoice_refused:{error.code}")
            continue
        if invoice is not None and invoice not in found.invoices:
            found.invoices.append(invoice)


def read(payload: bytes) -> Invoice | None:
    """Return the invoice in a file, or None where it is another kind of file.

    Raises ContentError for one that is refused: a limit, a trap, a document type.
    """
    if TRAP in payload:
        raise ContentError("trap", "", "It holds the test sign of virus scanners.")
    if payload[:1024].lstrip().startswith(b"%PDF-"):
        return _from_pdf(payload)
    return _from_xml(payload)


def _from_pdf(payload: bytes) -> Invoice | None:
    from pypdf import PdfReader  # noqa: PLC0415 - few mails have a PDF
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    if len(payload) > MAX_PDF:
        raise ContentError("too_large", "", "A PDF is read up to 10 MiB.")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # a stranger's file is no event
    try:
        reader = PdfReader(io.BytesIO(payload))
        if reader.is_encrypted:
            return None  # a PDF like any other; its facts are not for us
        for number, attached in enumerate(reader.attachment_list):
            if number >= MAX_ATTACHED:
                break
            if not str(attached.name).lower().endswith(".xml"):
                continue
            content = bytes(attached.content)
            if TRAP in content:
                raise ContentError("trap", "", "It holds the test sign of virus scanners.")
            found = _from_xml(content)
            if found is not None:
                return found
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as e:
        raise ContentError("invalid_pdf", "", "The PDF cannot be read.") from e
    return None


def _from_xml(payload: bytes) -> Invoice | None:
    if len(payload) > MAX_XML:
        raise ContentError("too_large", "", "An invoice is read up to 2 MiB.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(payload, parser)
    except (etree.XMLSyntaxError, ValueError):
        if DOCTYPE.search(payload.replace(b"\x00", b"")):
            raise ContentError("doctype", "", "Its document type cannot be read.") from None
        return None  # no XML at all, or none that anybody could read
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise ContentError("doctype", "", "An invoice has no document type of its own.")
    name = _local(root)
    if name not in ROOTS:
        return None
    found = (
        _cii(root) if name == "CrossIndustryInvoice" else _ubl(root, is_credit=name == "CreditNote")
    )
    if not found.number:
        raise ContentError("no_number", "", "The invoice has no number.")
    return found


def _local(node: Any) -> str:
    return str(etree.QName(node).localname) if isinstance(node.tag, str) else ""


def _at(root: Any, *path: str) -> Any:
    """Return the first element at a path of local names, or None."""
    nodes = [root]
    for name in path:
        nodes = [child for node in nodes for child in node if _local(child) == name]
    return nodes[0] if nodes else None


def _text(root: Any, *path: str) -> str:
    node = _at(root, *path)
    return " ".join((node.text or "").split())[:255] if node is not None else ""


def _amount(root: Any, *path: str) -> str:
    written = _text(root, *path)
    try:
        return canonical(Decimal(written[:30])) if written else ""
    except (InvalidOperation, ValueError):
        return ""


def _iso(written: str) -> str:
    try:
        return date.fromisoformat(written[:10]).isoformat()
    except ValueError:
        return ""


def _cii_day(root: Any, *path: str) -> str:
    """Return a day in the format 102 (YYYYMMDD), the only one EN 16931 allows."""
    written = _text(root, *path, "DateTimeString")
    try:
        return datetime.strptime(written, "%Y%m%d").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError:
        return _iso(written)


def _ubl(root: Any, *, is_credit: bool) -> Invoice:
    party = ("AccountingSupplierParty", "Party")
    total = "LegalMonetaryTotal"
    node = _at(root, total, "PayableAmount")
    currency = _text(root, "DocumentCurrencyCode") or (
        str(node.get("currencyID", "")) if node is not None else ""
    )
    due = _text(root, "DueDate") or _text(root, "PaymentMeans", "PaymentDueDate")
    return Invoice(
        number=_text(root, "ID"),
        currency=currency[:3].upper(),
        issued_on=_iso(_text(root, "IssueDate")),
        due_on=_iso(due),
        total=_amount(root, total, "TaxInclusiveAmount"),
        payable=_amount(root, total, "PayableAmount"),
        seller=_text(root, *party, "PartyName", "Name")
        or _text(root, *party, "PartyLegalEntity", "RegistrationName"),
        order=_text(root, "OrderReference", "ID"),
        contract=_text(root, "ContractDocumentReference", "ID"),
        is_credit=is_credit or _text(root, "InvoiceTypeCode") in CREDITS,
        lines=tuple(_ubl_line(line) for line in _all(root, "InvoiceLine")),
    )


def _cii(root: Any) -> Invoice:
    deal = "SupplyChainTradeTransaction"
    agreement = (deal, "ApplicableHeaderTradeAgreement")
    settlement = (deal, "ApplicableHeaderTradeSettlement")
    sums = (*settlement, "SpecifiedTradeSettlementHeaderMonetarySummation")
    return Invoice(
        number=_text(root, "ExchangedDocument", "ID"),
        currency=_text(root, *settlement, "InvoiceCurrencyCode")[:3].upper(),
        issued_on=_cii_day(root, "ExchangedDocument", "IssueDateTime"),
        due_on=_cii_day(root, *settlement, "SpecifiedTradePaymentTerms", "DueDateDateTime"),
        total=_amount(root, *sums, "GrandTotalAmount"),
        payable=_amount(root, *sums, "DuePayableAmount"),
        seller=_text(root, *agreement, "SellerTradeParty", "Name"),
        order=_text(root, *agreement, "BuyerOrderReferencedDocument", "IssuerAssignedID"),
        contract=_text(root, *agreement, "ContractReferencedDocument", "IssuerAssignedID"),
        is_credit=_text(root, "ExchangedDocument", "TypeCode") in CREDITS,
        lines=tuple(
            _cii_line(line, _text(root, *settlement, "InvoiceCurrencyCode")[:3].upper())
            for line in _all(_at(root, deal), "IncludedSupplyChainTradeLineItem")
        ),
    )


def _all(root: Any, name: str) -> list[Any]:
    """Return the elements of a name right under one, as many as are read."""
    found = [] if root is None else [child for child in root if _local(child) == name]
    return found[: goods.MOST]


def _ubl_line(line: Any) -> GoodsClaim:
    total, count = _at(line, "LineExtensionAmount"), _at(line, "InvoicedQuantity")
    return _line(
        words=(
            _text(line, "Item", "Name") or _text(line, "Item", "Description"),
            _text(line, "Item", "BrandName"),
            _text(line, "Item", "ModelName"),
        ),
        numbers={
            "serial": _text(line, "Item", "ItemInstance", "SerialID"),
            "gtin": _text(line, "Item", "StandardItemIdentification", "ID"),
            "mpn": _text(line, "Item", "ManufacturersItemIdentification", "ID"),
        },
        quantity=_text(line, "InvoicedQuantity"),
        unit="" if count is None else str(count.get("unitCode", "")),
        net=_amount(line, "LineExtensionAmount"),
        currency="" if total is None else str(total.get("currencyID", ""))[:3].upper(),
        rate=_amount(line, "Item", "ClassifiedTaxCategory", "Percent"),
    )


def _cii_line(line: Any, currency: str) -> GoodsClaim:
    product = "SpecifiedTradeProduct"
    delivery, settlement = "SpecifiedLineTradeDelivery", "SpecifiedLineTradeSettlement"
    count = _at(line, delivery, "BilledQuantity")
    sums = (settlement, "SpecifiedTradeSettlementLineMonetarySummation", "LineTotalAmount")
    return _line(
        words=(
            _text(line, product, "Name"),
            _text(line, product, "BrandName"),
            _text(line, product, "ModelName"),
        ),
        numbers={
            "serial": _text(
                line, product, "IndividualTradeProductInstance", "SupplierAssignedSerialID"
            ),
            "gtin": _text(line, product, "GlobalID"),
            "mpn": _text(line, product, "ManufacturerAssignedID"),
        },
        quantity=_text(line, delivery, "BilledQuantity"),
        unit="" if count is None else str(count.get("unitCode", "")),
        net=_amount(line, *sums),
        currency=currency,
        rate=_amount(line, settlement, "ApplicableTradeTax", "RateApplicablePercent"),
    )


def _line(
    *,
    words: tuple[str, str, str],
    numbers: dict[str, str],
    quantity: str,
    unit: str,
    net: str,
    currency: str,
    rate: str,
) -> GoodsClaim:
    """Return a line with the price and the tax of one piece; `words`: name, maker and model."""
    name, maker, model = words
    count = Decimal(goods.decimal(quantity) or 1)
    price = Decimal(net) / count if net else None
    tax = price * Decimal(rate) / 100 if price is not None and rate else None
    gtin = numbers["gtin"]
    if not (gtin.isdecimal() and len(gtin) in GTINS):
        numbers = numbers | {"gtin": ""}  # a number of the seller's own scheme
    return GoodsClaim(
        name=name,
        maker=maker[:120],
        model=model[:120],
        numbers=tuple(Key(scheme=s, value=value[:200]) for s, value in numbers.items() if value),
        quantity=goods.decimal(quantity),
        unit=goods.unit(unit),
        price=goods.money(None if price is None else price.quantize(FINEST), currency),
        tax=goods.money(None if tax is None else tax.quantize(FINEST), currency),
    )


def understood(contact: Contact, invoices: list[Invoice]) -> Contact:
    """Return `contact` with what its one invoice states, which beats what its text says.

    Several different invoices in one mail are known by their numbers; their amounts have
    more than one reading, and stay in the files.
    """
    if not invoices:
        return contact
    keys = [key for invoice in invoices for key in _keys(invoice)]
    first = invoices[0]
    is_credit = all(invoice.is_credit for invoice in invoices)
    facts = _facts(first) if len(invoices) == 1 else ()
    named = {fact.name for fact in facts}
    kept = tuple(
        fact
        for fact in contact.facts
        if fact.name not in named and not (fact.source == "text" and fact.name in MONEY_NAMES)
    )
    return contact.with_(
        type=contact.type or ("invoice.corrected" if is_credit else "invoice.issued"),
        keys=tuple(dict.fromkeys((*contact.keys, *keys))),
        facts=(*kept, *(fact for fact in facts if fact.name not in {f.name for f in kept})),
        goods=contact.goods or _goods(invoices),
        purpose=Purpose.BILLING,
    )


def _goods(invoices: list[Invoice]) -> tuple[GoodsClaim, ...]:
    """Return what was bought; what a credit note names goes back."""
    lines = [line for one in invoices if not one.is_credit for line in one.lines if line.name]
    return tuple(lines[: goods.MOST])


def _keys(invoice: Invoice) -> list[Key]:
    pairs = (
        ("invoice", invoice.number),
        ("order", invoice.order),
        ("contract", invoice.contract),
    )
    return [Key(scheme=scheme, value=value) for scheme, value in pairs if value]


def _facts(invoice: Invoice) -> tuple[FactClaim, ...]:
    def money(amount: str) -> Money:
        is_code = len(invoice.currency) == 3 and invoice.currency.isalpha()
        return Money(amount=amount, currency=invoice.currency if is_code else "")

    payable = invoice.payable or invoice.total
    is_paid = bool(payable) and Decimal(payable) <= 0
    found = []
    if invoice.is_credit:
        amount = invoice.total or payable
        found.append(("refund", "", money(amount.lstrip("-")) if amount else None))
    else:
        found.append(("amount_due", "", money(payable) if payable and not is_paid else None))
        is_other = invoice.total and invoice.total != payable
        found.append(("total", "", money(invoice.total) if is_other else None))
        found.append(("due_on", "" if is_paid else invoice.due_on, None))
    found += [("issued_on", invoice.issued_on, None), ("seller", invoice.seller, None)]
    return tuple(
        FactClaim(name=name, value=value, money=amount, source=SOURCE)
        for name, value, amount in found
        if value or amount is not None
    )
