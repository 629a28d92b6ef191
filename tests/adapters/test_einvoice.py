"""Electronic invoices: UBL, CII, and CII in a PDF; and the traps that come in their shape."""

import io
import time
from email.message import EmailMessage
from typing import Any

import facturx  # type: ignore[import-untyped]  # no types
import pytest
from pypdf import PdfWriter

from suppliers.adapters import einvoice, mail
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import Authentication, Purpose
from suppliers.contacts import Contact, Money
from tests.adapters.conftest import ana

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:ID>R-2026-118</cbc:ID><cbc:IssueDate>2026-11-10</cbc:IssueDate>
 <cbc:DueDate>2026-11-30</cbc:DueDate><cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
 <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
 <cac:OrderReference><cbc:ID>4471-88213</cbc:ID></cac:OrderReference>
 <cac:AccountingSupplierParty><cac:Party>
  <cac:PartyName><cbc:Name>Nordvärme GmbH</cbc:Name></cac:PartyName>
 </cac:Party></cac:AccountingSupplierParty>
 <cac:LegalMonetaryTotal>
  <cbc:TaxInclusiveAmount currencyID="EUR">119.00</cbc:TaxInclusiveAmount>
  <cbc:PayableAmount currencyID="EUR">99.00</cbc:PayableAmount>
 </cac:LegalMonetaryTotal>
</Invoice>"""
CII = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice
 xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>
  <ram:ID>urn:factur-x.eu:1p0:minimum</ram:ID>
 </ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
 <rsm:ExchangedDocument><ram:ID>R-2026-118</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="102">20261110</udt:DateTimeString>
  </ram:IssueDateTime>
 </rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:SellerTradeParty><ram:Name>Nordvärme GmbH</ram:Name></ram:SellerTradeParty>
   <ram:BuyerTradeParty><ram:Name>Ana Hart</ram:Name></ram:BuyerTradeParty>
   <ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>4471-88213</ram:IssuerAssignedID>
   </ram:BuyerOrderReferencedDocument>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery/>
  <ram:ApplicableHeaderTradeSettlement>
   <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>
    <udt:DateTimeString format="102">20261130</udt:DateTimeString>
   </ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    <ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount>
    <ram:GrandTotalAmount>119.00</ram:GrandTotalAmount>
    <ram:DuePayableAmount>99.00</ram:DuePayableAmount>
   </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement>
 </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>"""
EXPECTED = einvoice.Invoice(
    number="R-2026-118",
    currency="EUR",
    issued_on="2026-11-10",
    due_on="2026-11-30",
    total="119.00",
    payable="99.00",
    seller="Nordvärme GmbH",
    order="4471-88213",
)
# The test sign of virus scanners, in pieces so that none stops at this file.
TRAP = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + "STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def blank_pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    writer.write(out)
    return out.getvalue()


def factur_x(xml: str = CII) -> bytes:
    return bytes(
        facturx.generate_from_binary(
            blank_pdf(), xml.encode(), flavor="factur-x", level="minimum", check_xsd=False
        )
    )


def with_attached(name: str, content: bytes) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    writer.add_attachment(name, content)
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("form", ["ubl", "cii", "pdf"])
def test_an_invoice_is_read_in_each_form(form: str) -> None:
    payload = {"ubl": UBL.encode(), "cii": CII.encode(), "pdf": factur_x()}[form]
    assert einvoice.read(payload) == EXPECTED


def test_a_credit_note_gives_money_back() -> None:
    note = UBL.replace("<Invoice ", "<CreditNote ").replace("</Invoice>", "</CreditNote>")
    found = einvoice.read(note.encode())
    assert found is not None
    assert found.is_credit
    base = bill(UBL.encode(), kind="xml", body="Hello.")[0]
    said = einvoice.understood(base.with_(facts=(), keys=(), type=""), [found])
    assert {fact.name: fact.money for fact in said.facts if fact.money} == {
        "refund": Money(amount="119.00", currency="EUR")
    }
    assert said.type == "invoice.corrected"


@pytest.mark.parametrize(
    "payload",
    [b"", b"Hello", b"<html/>", b"<a>", blank_pdf(), with_attached("note.txt", b"Hello")],
    ids=["nothing", "text", "page", "broken", "pdf", "pdf_with_a_note"],
)
def test_another_file_is_no_invoice(payload: bytes) -> None:
    assert einvoice.read(payload) is None


DOCTYPE = '<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = "<!DOCTYPE Invoice [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '&a{n - 1};&a{n - 1};&a{n - 1};&a{n - 1};&a{n - 1};&a{n - 1};'>"
    for n in range(1, 20)
) + "]>"  # fmt: skip


def after_head(doctype: str, entity: str) -> bytes:
    head, _, rest = UBL.partition("?>")
    return f"{head}?>{doctype}{rest.replace('R-2026-118', entity)}".encode()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (after_head(DOCTYPE, "&x;"), "doctype"),
        (after_head(LAUGHS, "&a19;"), "doctype"),
        (after_head("<!DOCTYPE Invoice SYSTEM 'http://mallory.example/x.dtd'>", "1"), "doctype"),
        (UBL.replace("R-2026-118", "").encode(), "no_number"),
        (b"<Invoice>" + b"x" * einvoice.MAX_XML, "too_large"),
        (b"%PDF-1.7\n" + b"0" * einvoice.MAX_PDF, "too_large"),
        (b"%PDF-1.7\nno more than this", "invalid_pdf"),
        (TRAP, "trap"),
        (with_attached("factur-x.xml", TRAP), "trap"),
        (with_attached("factur-x.xml", after_head(LAUGHS, "&a19;")), "doctype"),
    ],
    ids=["xxe", "laughs", "dtd", "number", "xml", "pdf", "broken", "trap", "trap_in", "laughs_in"],
)
def test_a_trap_is_refused_with_a_verdict_and_costs_nothing(payload: bytes, code: str) -> None:
    began = time.process_time()
    with pytest.raises(ContentError) as refused:
        einvoice.read(payload)
    assert refused.value.code == code
    assert time.process_time() - began < 2


def bill(
    payload: bytes,
    *,
    kind: str,
    body: str = "Your invoice: please pay 250.00 EUR by 12/24/2026.",
    context: Context | None = None,
) -> list[Contact]:
    message = EmailMessage()
    message["From"] = "Nordvärme <billing@nordvarme.example>"
    message["Subject"] = "Your invoice"
    message["Message-ID"] = "<bill@nordvarme.example>"
    message.set_content(body)
    message.add_attachment(payload, maintype="application", subtype=kind, filename=f"bill.{kind}")
    return mail.read(message.as_bytes(), context=context or ana())


def facts(contact: Contact) -> dict[str, Any]:
    return {fact.name: fact.money or fact.value for fact in contact.facts}


@pytest.mark.parametrize("kind", ["pdf", "xml"])
def test_the_invoice_of_a_mail_beats_its_text(kind: str) -> None:
    (found,) = bill(factur_x() if kind == "pdf" else UBL.encode(), kind=kind)
    assert facts(found) == {
        "amount_due": Money(amount="99.00", currency="EUR"),
        "total": Money(amount="119.00", currency="EUR"),
        "due_on": "2026-11-30",
        "issued_on": "2026-11-10",
        "seller": "Nordvärme GmbH",
    }
    assert {fact.source for fact in found.facts} == {"invoice"}
    assert (found.type, found.purpose) == ("invoice.issued", Purpose.BILLING)
    assert {"invoice": "R-2026-118", "order": "4471-88213"}.items() <= {
        key.scheme: key.value for key in found.keys
    }.items()


def test_a_refused_invoice_leaves_the_mail_and_says_why() -> None:
    (found,) = bill(after_head(LAUGHS, "&a19;"), kind="xml")
    assert found.remarks == ("invoice_refused:doctype",)
    assert facts(found)["amount_due"] == Money(amount="250.00", currency="EUR")


def test_the_invoice_of_an_unproved_sender_states_nothing() -> None:
    (found,) = bill(UBL.encode(), kind="xml", context=ana(authentication=Authentication.NONE))
    assert all(fact.source == "text" for fact in found.facts)


def test_two_invoices_in_one_mail_are_known_by_number_only() -> None:
    other = einvoice.Invoice(number="R-2", payable="5.00", currency="EUR")
    (base,) = bill(b"x", kind="xml", body="Hello.")
    said = einvoice.understood(base, [EXPECTED, other])
    assert [key.value for key in said.keys if key.scheme == "invoice"] == ["R-2026-118", "R-2"]
    assert said.facts == ()
