"""Where a mail can be stopped, and what is an advert: with evidence, and precision first."""

import pytest

from suppliers.adapters import adverts, headers, mime
from suppliers.adapters.context import Context
from suppliers.choices import ContactKind, Purpose
from suppliers.contacts import Contact, Unsubscribe


def head(*fields: str) -> headers.Head:
    return headers.read("\r\n".join((*fields, "", "Hello")).encode())


ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["Subject: Hello"], None),
        (
            ["List-Unsubscribe: <https://skyline.example/u?t=1>", ONE_CLICK],
            Unsubscribe(url="https://skyline.example/u?t=1", is_one_click=True),
        ),
        (
            ["List-Unsubscribe: <https://skyline.example/u>"],
            Unsubscribe(url="https://skyline.example/u"),
        ),
        (
            [
                "List-Unsubscribe: <mailto:stop@skyline.example?subject=stop>,",
                " <https://skyline.example/u>",
                "List-Unsubscribe-Post: list-unsubscribe = one-click",
            ],
            Unsubscribe(
                url="https://skyline.example/u",
                is_one_click=True,
                mailto="mailto:stop@skyline.example?subject=stop",
            ),
        ),
        # One click needs an https address.
        (
            ["List-Unsubscribe: <mailto:stop@skyline.example>", ONE_CLICK],
            Unsubscribe(mailto="mailto:stop@skyline.example"),
        ),
        (["List-Unsubscribe: <http://skyline.example/u>", ONE_CLICK], None),
        (["List-Unsubscribe: <https://ana@skyline.example/u>"], None),
        (["List-Unsubscribe: <https://skyline.example:8443/u>"], None),
        (["List-Unsubscribe: <mailto:a@x.example,b@y.example>"], None),
        (["List-Unsubscribe: https://skyline.example/u"], None),
        (["List-Unsubscribe: <https://[skyline>, <javascript:alert(1)>"], None),
    ],
)
def test_where_a_mail_can_be_stopped_is_kept(
    fields: list[str], expected: Unsubscribe | None
) -> None:
    assert adverts.unsubscribe_of(head(*fields)) == expected


def test_the_head_says_that_a_mail_went_to_many() -> None:
    found = head("List-Id: <news.skyline.example>", "Precedence: Bulk", "Feedback-ID: 1:2:skyline")
    assert adverts.bulk_signs(found) == (
        adverts.LIST_ID,
        adverts.BULK_PRECEDENCE,
        adverts.CAMPAIGN,
    )
    assert adverts.bulk_signs(head("Subject: Hello")) == ()


BULK = "List-Unsubscribe: <https://news.skyline.example/u>\r\nPrecedence: bulk\r\n"
ADVERTS = {
    "en_sale": (BULK, "Black Friday: 40 % off all boxes", "Shop now. Unsubscribe here."),
    "en_newsletter": (BULK, "Our November newsletter", "New arrivals and best sellers for you."),
    "en_upgrade": (BULK, "Upgrade today", "Try Skyline Plus free. Limited time. Unsubscribe."),
    "en_shipping": (BULK, "Free shipping this weekend", "Order now and save up to $30. Opt out."),
    "en_plain": ("", "Special offer", "Exclusive deals: 20 % off. Don't miss it. Unsubscribe."),
    "en_bestof": (BULK, "Deals you will love", "Our offers of the week. Email preferences."),
    "de_sale": (BULK, "Nur heute: 30 % Rabatt", "Jetzt kaufen und sparen. Hier abmelden."),
    "de_winter": (BULK, "Unsere Winterangebote", "Entdecken Sie Neuheiten. Abbestellen."),
    "de_voucher": (BULK, "Ihr Gutschein wartet", "Gutscheincode WINTER nutzen, versandkostenfrei."),
    "de_plain": ("", "Sonderangebot", "Rabatte bis 50 %. Jetzt bestellen! Abmelden: Link unten."),
    "de_offers": (BULK, "Angebote der Woche", "Nur solange der Vorrat reicht. Jetzt zugreifen."),
    "fr_sale": (BULK, "Soldes : -50 % de réduction", "Profitez de nos offres. Se désinscrire."),
    "fr_new": (BULK, "Découvrez nos nouveautés", "Nos bons plans du mois. Désinscription."),
    "fr_code": (BULK, "Votre code promo", "Livraison offerte avec le code HIVER. J'en profite !"),
    "fr_plain": ("", "Offre spéciale", "Remises et promotions ! Achetez vite. Se désabonner."),
    "it_sale": (BULK, "Saldi: sconti fino al 40 %", "Acquista ora. Per disiscriverti clicca qui."),
    "it_new": (BULK, "Scopri le novità", "Le nostre offerte della settimana. Disiscriviti."),
    "it_code": (BULK, "Codice sconto per te", "Approfittane subito, spedizione gratuita."),
    "it_plain": ("", "Promozione", "Offerte e sconti solo oggi. Compra! Disiscriversi qui."),
    "es_sale": (BULK, "Rebajas: 30 % de descuento", "Compra ahora. Para darse de baja, aquí."),
    "es_new": (BULK, "Descubre las novedades", "Nuestras ofertas del mes. Darse de baja."),
    "es_code": (BULK, "Tu código promocional", "Envío gratis con el código INVIERNO. Aprovecha."),
    "es_plain": ("", "Oferta especial", "Descuentos y promociones. Compra ya. Darse de baja."),
}  # fmt: skip
# Bulk headers on every one of them: what it is about decides.
MATTERS = {
    "en_visit": ("Your visit on Monday", "Our technician comes Mon 16 Nov, 8:00-12:00. Deals."),
    "en_soon": ("Great news, we are on our way", "Your technician arrives in 20 minutes. Offers!"),
    "en_parcel": ("Out for delivery", "Your parcel is out for delivery. Unsubscribe. Shop now."),
    "en_shipped": ("Shipped!", "Your order 4471 has shipped. More offers and deals below."),
    "en_invoice": ("Your invoice", "Invoice number 118, $49.00. Save up to 20 % off with Plus."),
    "en_payment": ("Payment failed", "Your payment of $9.00 was declined. Offers, deals, sale."),
    "en_recall": ("Important: product recall", "Stop using the HR44. Offers, deals."),
    "en_code": ("Your code", "Your sign-in code is 449 812. Unsubscribe. Offers, deals."),
    "en_contract": ("Good news", "Your contract ends on 1 December. Offers and deals to stay."),
    "en_outage": ("Planned maintenance", "A power cut on Monday. Newsletter. Offers."),
    "de_visit": ("Ihr Termin", "Der Techniker kommt am 16.11. 8-12 Uhr. Angebote, Rabatte."),
    "de_parcel": ("Es ist unterwegs", "Ihre Sendung wurde verschickt. Newsletter. Rabatte."),
    "de_invoice": ("Ihre Rechnung", "Rechnungsbetrag 49,00 €. Angebote, Rabatte, Gutschein."),
    "de_recall": ("Rückrufaktion", "Bitte nicht mehr benutzen. Gutschein, Angebote, Rabatte."),
    "de_code": ("Sicherheitscode", "Ihr Bestätigungscode: 449812. Newsletter, Angebote."),
    "de_price": ("Preisanpassung", "Ab Januar kostet es mehr. Angebote, Rabatte, jetzt sichern."),
    "fr_visit": ("Rendez-vous", "Le technicien passera lundi 16 novembre de 8h à 12h. Soldes."),
    "fr_parcel": ("Expédié", "Votre colis a été expédié. Profitez de nos offres. Se désabonner."),
    "fr_invoice": ("Facture", "Votre facture de 49,00 €. Soldes, offres, remises."),
    "fr_code": ("Connexion", "Code de vérification : 449812. Offres, promotions."),
    "it_visit": ("Appuntamento", "Il tecnico arriva lunedì 16 novembre dalle 8 alle 12. Sconti."),
    "it_parcel": ("Spedito", "Il tuo pacco è stato spedito. Offerte e sconti. Disiscriviti."),
    "it_invoice": ("Bolletta", "La sua bolletta di 49,00 €. Offerte, sconti, promozioni."),
    "it_recall": ("Avviso di sicurezza", "Richiamo del prodotto. Offerte, sconti, saldi."),
    "es_visit": ("Cita", "El técnico llegará el lunes 16 de noviembre de 8:00 a 12:00. Ofertas."),
    "es_parcel": ("Enviado", "Su pedido ha sido enviado. Ofertas, descuentos. Darse de baja."),
    "es_invoice": ("Factura", "Su factura de 49,00 €. Ofertas, rebajas, descuentos."),
    "es_code": ("Acceso", "Su código de verificación: 449812. Ofertas, descuentos."),
}  # fmt: skip


def read(fields: str, subject: str, body: str, context: Context) -> Contact:
    raw = f"From: news@skyline.example\r\n{fields}Subject: {subject}\r\n\r\n{body}\r\n"
    raw = raw.replace("\r\n\r\n", "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", 1)
    return mime.read(raw.encode(), context=context)[0]


@pytest.mark.parametrize("name", ADVERTS)
def test_an_advert_is_known_with_its_evidence(name: str, context: Context) -> None:
    fields, subject, body = ADVERTS[name]
    found = read(fields, subject, body, context)
    assert (found.kind, found.purpose) == (ContactKind.ADVERT, Purpose.MARKETING)
    assert any(sign.startswith(adverts.WORDS) for sign in found.advert_signs)
    assert (adverts.LIST_UNSUBSCRIBE in found.advert_signs) == bool(fields)
    assert bool(found.unsubscribe) == bool(fields)


@pytest.mark.parametrize("name", MATTERS)
def test_what_matters_is_never_an_advert(name: str, context: Context) -> None:
    subject, body = MATTERS[name]
    found = read(BULK, subject, body, context)
    assert found.kind != ContactKind.ADVERT
    assert found.advert_signs == ()
    assert found.unsubscribe is not None  # it can be stopped all the same


def test_an_offer_in_the_mark_up_is_a_sign(context: Context) -> None:
    page = '<script type="application/ld+json">{"@type": "DiscountOffer"}</script>Hello'
    raw = f"From: n@skyline.example\r\n{BULK}Content-Type: text/html\r\n\r\n{page}".encode()
    found = mime.read(raw, context=context)[0]
    assert found.kind == ContactKind.ADVERT
    assert adverts.OFFER_MARKUP in found.advert_signs


@pytest.mark.parametrize(
    "thing",
    [
        '{"@type": "Order", "orderNumber": "4471"}',
        '{"@type": "ParcelDelivery", "trackingNumber": "1Z"}',
    ],
)
def test_a_number_in_the_mark_up_makes_it_a_matter(thing: str, context: Context) -> None:
    page = f'<script type="application/ld+json">{thing}</script>Offers! Deals! Sale! Shop now!'
    raw = f"From: n@skyline.example\r\n{BULK}Content-Type: text/html\r\n\r\n{page}".encode()
    assert mime.read(raw, context=context)[0].kind != ContactKind.ADVERT
