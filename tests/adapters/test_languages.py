"""Realistic messages in five languages, each in the country where it is written."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from suppliers.adapters import text
from suppliers.adapters.context import Context
from suppliers.choices import Stage
from suppliers.contacts import Money

HOMES = {
    "de": ("Europe/Berlin", "DE", "EUR", "de"),
    "ch": ("Europe/Zurich", "CH", "CHF", "de"),
    "en": ("Europe/London", "GB", "GBP", "en"),
    "us": ("America/New_York", "US", "USD", "en"),
    "fr": ("Europe/Paris", "FR", "EUR", "fr"),
    "it": ("Europe/Rome", "IT", "EUR", "it"),
    "es": ("Europe/Madrid", "ES", "EUR", "es"),
}


def read(home: str, said: str, *, day: int = 13) -> text.Reading:
    """Read what came on Friday 13 November 2026 at nine, or on another day of it."""
    zone, country, currency, language = HOMES[home]
    now = datetime(2026, 11, day, 9, 0, tzinfo=ZoneInfo(zone))
    context = Context(
        received_at=now,
        zone=zone,
        country=country,
        currency=currency,
        language=language,
        day_first=home != "us",
    )
    return text.read(said, said_at=now, context=context)


def shown(home: str, reading: text.Reading) -> str:
    window = reading.visit.window if reading.visit else None
    if window is None:
        return ""
    zone = ZoneInfo(HOMES[home][0])
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    return f"{start:%d %H:%M}-{end:%H:%M}"


@pytest.mark.parametrize(
    ("home", "said", "expected"),
    [
        ("de",
         "Unser Techniker kommt am Dienstag, den 17.11. zwischen 8 und 12 Uhr zu Ihnen.",
         "17 08:00-12:00"),
        ("de", "Ihr Termin: Di., 17.11.2026, 13:00 - 15:30 Uhr", "17 13:00-15:30"),
        ("de", "Der Monteur kommt morgen von 9 bis 11 Uhr.", "14 09:00-11:00"),
        ("de",
         "Ihr Paket wird übermorgen zwischen 10:15 und 12:15 Uhr zugestellt.",
         "15 10:15-12:15"),
        ("de",
         "Der Besuch findet am 17. November 2026 in der Zeit von 7.30 Uhr bis 9.00 Uhr statt.",
         "17 07:30-09:00"),
        ("de", "Wir kommen heute zwischen 14 und 16 Uhr vorbei.", "13 14:00-16:00"),
        ("de",
         "Ihr Techniker kommt am kommenden Mittwoch zwischen 12 und 15 Uhr.",
         "18 12:00-15:00"),
        ("fr",
         "Notre technicien passera le mardi 17 novembre entre 9h et 11h30.",
         "17 09:00-11:30"),
        ("fr", "Votre rendez-vous : mardi 17/11/2026 de 14h à 16h", "17 14:00-16:00"),
        ("fr", "Votre colis sera livré demain entre 8h30 et 10h30.", "14 08:30-10:30"),
        ("fr", "Le technicien passera aujourd'hui de 13 h à 15 h.", "13 13:00-15:00"),
        ("fr", "Intervention prévue le 17 novembre 2026, de 8 h 30 à 12 h 00", "17 08:30-12:00"),
        ("fr", "Votre rendez-vous du 17/11 entre 08:00 et 10:00 est confirmé", "17 08:00-10:00"),
        ("it", "Il tecnico passerà martedì 17 novembre dalle 14 alle 16.", "17 14:00-16:00"),
        ("it", "Appuntamento: 17/11/2026, ore 9:00-11:00", "17 09:00-11:00"),
        ("it", "La consegna è prevista domani tra le 10 e le 12.", "14 10:00-12:00"),
        ("it",
         "L'intervento è fissato per il 17 novembre 2026 dalle ore 8.30 alle ore 12.30",
         "17 08:30-12:30"),
        ("it", "Il corriere consegnerà il pacco oggi fra le 15:00 e le 17:00", "13 15:00-17:00"),
        ("es", "El técnico irá el martes 17 de noviembre de 9:00 a 11:00.", "17 09:00-11:00"),
        ("es", "Su cita es el 17/11/2026 entre las 9:00 y las 11:00 h", "17 09:00-11:00"),
        ("es", "Entregaremos su paquete mañana entre las 16 y las 18 h.", "14 16:00-18:00"),
        ("es",
         "La visita será el martes, 17 de noviembre de 2026, de 8:30 a 10:30 horas",
         "17 08:30-10:30"),
        ("es", "Su cita: hoy de 12 a 14 h", "13 12:00-14:00"),
        ("es", "El instalador llegará pasado mañana de 10.00 a 12.00 h.", "15 10:00-12:00"),
        ("en",
         "Our engineer will visit on Tuesday 17th November between 8am and 1pm.",
         "17 08:00-13:00"),
        ("en", "Your appointment: Tue 17/11/2026, 14:00 to 16:00", "17 14:00-16:00"),
        ("en", "Your parcel will be delivered tomorrow between 10:15 and 12:15.", "14 10:15-12:15"),
        ("us",
         "Your technician will arrive Tuesday, Nov 17 between 1:00 PM and 3:00 PM EST.",
         "17 13:00-15:00"),
        ("us", "Appointment: 11/17/2026 8AM-12PM", "17 08:00-12:00"),
        ("us", "Delivery is scheduled for Nov. 17 from 9 to 11 a.m.", "17 09:00-11:00"),
        ("en", "Your visit is on 17/11 from 9am until noon", "17 09:00-12:00"),
        ("en", "We will visit next Tuesday between 9am and 11am", "17 09:00-11:00"),
        ("ch", "Der Servicetechniker kommt am Di 17.11. 10-12 Uhr", "17 10:00-12:00"),
        ("de",
         ("Ihr Termin wurde verschoben: statt Dienstag, 17.11., 8 bis 12 Uhr kommen wir am "
         "Mittwoch, 18.11., 13 bis 15 Uhr."),
         "18 13:00-15:00"),
        ("fr",
         ("Votre rendez-vous est déplacé du mardi 17 novembre 9h-11h au mercredi 18 "
         "novembre 14h-16h."),
         "18 14:00-16:00"),
        ("it",
         ("L'appuntamento è stato spostato da martedì 17 novembre 9:00-11:00 a mercoledì "
         "18 novembre 14:00-16:00."),
         "18 14:00-16:00"),
        ("es",
         ("Su cita se ha cambiado del martes 17 de noviembre de 9:00 a 11:00 al miércoles "
         "18 de noviembre de 14:00 a 16:00."),
         "18 14:00-16:00"),
        ("en",
         ("Your appointment has moved from Tuesday 17 November 9am-11am to Wednesday 18 "
         "November 2pm-4pm."),
         "18 14:00-16:00"),
        ("it", "Il tecnico passerà martedì prossimo dalle 9 alle 11.", "17 09:00-11:00"),
        ("fr", "Le technicien passera mardi prochain de 9h à 11h.", "17 09:00-11:00"),
        ("es", "El técnico vendrá el próximo martes de 9:00 a 11:00.", "17 09:00-11:00"),
        ("de", "Unser Monteur besucht Sie nächste Woche Dienstag, 8-10 Uhr.", "17 08:00-10:00"),
        ("en", "Our engineer visits next week on Tuesday, 8am-10am.", "17 08:00-10:00"),
        ("de",
         "Wir erinnern Sie an Ihren Termin am Dienstag, 17. November, 8:00 bis 12:00 Uhr.",
         "17 08:00-12:00"),
        ("it",
         "Le ricordiamo l'appuntamento di martedì 17 novembre, dalle 8:00 alle 12:00.",
         "17 08:00-12:00"),
        ("fr",
         "Rappel : votre rendez-vous mardi 17 novembre à partir de 9h jusqu'à 11h",
         "17 09:00-11:00"),
        ("es", "Le recordamos su cita el martes 17 de noviembre a las 9:30 h", "17 09:30-09:30"),
        ("de", "Termin: 17.11.26, 9.30 Uhr", "17 09:30-09:30"),
        ("de", "Termin am 17.11.2026 um 9 Uhr 30", "17 09:30-09:30"),
        ("it", "Appuntamento il 17/11 alle ore 9.30", "17 09:30-09:30"),
        ("fr", "Rendez-vous le 17 novembre à 9 h 30", "17 09:30-09:30"),
        ("de", "Ihr Paket kommt am Samstag, 14.11. zwischen 9 und 12 Uhr.", "14 09:00-12:00"),
    ],
)  # fmt: skip
def test_a_window_is_read_as_it_is_written_there(home: str, said: str, expected: str) -> None:
    assert shown(home, read(home, said)) == expected


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("de", "Ihr Termin am 17.11. vormittags"),
        ("de", "Unsere Hotline ist Mo-Fr von 8 bis 18 Uhr erreichbar. Ihr Techniker meldet sich."),
        ("fr",
         ("Notre service client est joignable du lundi au vendredi de 9h à 18h. Votre "
         "technicien vous appellera.")),
        ("it",
         ("Il servizio clienti è attivo dal lunedì al venerdì dalle 9 alle 18. Il tecnico "
         "la chiamerà.")),
        ("es", "Atención al cliente de lunes a viernes de 9:00 a 18:00. El técnico le llamará."),
        ("de", "Der Techniker kommt Dienstag in einer Woche zwischen 8 und 12 Uhr."),
        ("en", "Our engineer visits Tuesday week between 8am and 12pm."),
        ("fr", "Le technicien passera mardi en huit entre 9h et 11h."),
        ("en", "Our engineer visits in two weeks on Tuesday between 8am and 12pm."),
        ("en", "Appointment on 17 November at half past nine"),
    ],
)  # fmt: skip
def test_what_has_two_readings_or_none_is_no_window(home: str, said: str) -> None:
    assert shown(home, read(home, said)) == ""


@pytest.mark.parametrize(
    ("home", "said", "expected"),
    [
        ("en", "Our engineer visits next Friday between 8am and 12pm.", ""),
        ("de", "Der Techniker kommt nächsten Freitag zwischen 8 und 12 Uhr.", ""),
        ("de", "Der Techniker kommt kommenden Freitag zwischen 8 und 12 Uhr.", "13 08:00-12:00"),
        ("en", "Our engineer visits this Friday between 8am and 12pm.", "13 08:00-12:00"),
        ("en", "Our engineer visits on Friday next week, 8am-12pm.", "20 08:00-12:00"),
        ("it", "Il tecnico passerà venerdì della settimana prossima dalle 8 alle 12.",
         "20 08:00-12:00"),
    ],
)  # fmt: skip
def test_next_friday_said_on_a_monday_is_one_of_two(home: str, said: str, expected: str) -> None:
    assert shown(home, read(home, said, day=9)) == expected


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("de", "Ihr Termin am 17.11. von 8 bis 10 Uhr entfällt leider."),
        ("de", "Ihr Termin am 17.11. von 8 bis 10 Uhr muss leider ausfallen."),
        ("de", "wir müssen Ihren Termin am 17.11. um 8:00 Uhr leider absagen."),
        ("fr", "Votre rendez-vous du 17 novembre entre 9h et 11h a été annulé."),
        ("fr", "Nous devons annuler votre rendez-vous du 17 novembre entre 9h et 11h."),
        ("it", "Il suo appuntamento del 17 novembre dalle 9 alle 11 è stato annullato."),
        ("it", "Siamo costretti ad annullare l'appuntamento del 17 novembre dalle 9 alle 11."),
        ("es", "Su cita del 17 de noviembre de 9:00 a 11:00 ha sido cancelada."),
        ("es", "Hemos cancelado su cita del 17 de noviembre de 9:00 a 11:00."),
        ("es", "Lamentamos tener que cancelar su visita del 17 de noviembre de 9:00 a 11:00."),
        ("en", "Unfortunately we have to cancel your appointment on 17 November 9am-11am."),
    ],
)  # fmt: skip
def test_a_cancelled_visit_is_never_read_as_booked(home: str, said: str) -> None:
    visit = read(home, said).visit
    assert visit is not None
    assert visit.stage == Stage.CANCELLED


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("en", "To cancel your appointment on 17 November 9am-11am, call us."),
        ("en", "If you have to cancel the visit on 17 November 9am-11am, call us."),
        ("de", "Um Ihren Termin am 17.11. von 9 bis 11 Uhr abzusagen, rufen Sie uns an."),
        ("de", "Falls Sie den Termin am 17.11. von 9 bis 11 Uhr absagen müssen: bitte anrufen."),
        ("fr", "Pour annuler votre rendez-vous du 17 novembre entre 9h et 11h, appelez-nous."),
        ("it", "Per annullare l'appuntamento del 17 novembre dalle 9 alle 11 ci chiami."),
        ("es", "Para cancelar su cita del 17 de noviembre de 9:00 a 11:00 llámenos."),
    ],
)
def test_how_to_cancel_cancels_nothing(home: str, said: str) -> None:
    reading = read(home, said)
    assert shown(home, reading) == "17 09:00-11:00"
    assert reading.visit is not None
    assert reading.visit.stage == Stage.BOOKED


@pytest.mark.parametrize(
    ("home", "said", "name", "amount", "due"),
    [
        ("de", "Die Rechnung beträgt 1.234,56 €.", "fee", "1234.56 EUR", ""),
        ("de", "Rechnungsbetrag: EUR 89,90, fällig am 30.11.2026", "amount_due", "89.90 EUR",
         "2026-11-30"),
        ("de", "Bitte überweisen Sie 49,00 € bis zum 30.11.2026.", "amount_due", "49.00 EUR",
         "2026-11-30"),
        ("de", "Zahlbar bis 30.11.2026: 49 Euro", "fee", "49.00 EUR", "2026-11-30"),
        ("de", "Rückerstattung: 20,00 €", "refund", "20.00 EUR", ""),
        ("ch", "Kosten: CHF 120.-", "fee", "120.00 CHF", ""),
        ("ch", "Kosten: Fr. 1'250.50", "fee", "1250.50 CHF", ""),
        ("fr", "Montant total : 1 234,56 €", "fee", "1234.56 EUR", ""),
        ("fr", "Montant à payer : 89,90 EUR avant le 30/11/2026", "amount_due", "89.90 EUR",
         "2026-11-30"),
        ("fr", "À régler au plus tard le 30 novembre 2026 : 49,00 €", "amount_due", "49.00 EUR",
         "2026-11-30"),
        ("it", "Importo da pagare: € 45,50 entro il 30/11/2026", "amount_due", "45.50 EUR",
         "2026-11-30"),
        ("it", "Totale fattura: 1.234,56 euro", "fee", "1234.56 EUR", ""),
        ("it", "Il costo dell'intervento è di 49,00 €", "fee", "49.00 EUR", ""),
        ("es", "Importe total: 1.234,56 €", "fee", "1234.56 EUR", ""),
        ("es", "Total a pagar: 45,50 € antes del 30 de noviembre de 2026", "amount_due",
         "45.50 EUR", "2026-11-30"),
        ("en", "Total due: £1,234.56", "amount_due", "1234.56 GBP", ""),
        ("us", "Amount due: $89.90. Payment due by 11/30/2026", "amount_due", "89.90 USD",
         "2026-11-30"),
    ],
)  # fmt: skip
def test_money_and_the_day_to_pay_by_are_read(
    home: str, said: str, name: str, amount: str, due: str
) -> None:
    number, currency = amount.split()
    facts = read(home, said).facts
    assert {fact.name: fact.money or fact.value for fact in facts} == {
        name: Money(amount=number, currency=currency), **({"due_on": due} if due else {}),
    }  # fmt: skip
    assert all(fact.source == "text" for fact in facts)


@pytest.mark.parametrize(
    ("home", "said", "reference", "phone"),
    [
        ("de", "Auftrag 4471-88213, Tel. 030 901820", "4471-88213", "+4930901820"),
        ("fr", "Dossier AB-88213, tél. 01 42 68 53 00", "AB-88213", "+33142685300"),
        ("it", "Pratica 2026/88213, tel. 06 69 82", "2026/88213", None),
        ("es", "Expediente ES88213, tel. 912 34 56 78", "ES88213", "+34912345678"),
        ("en", "Job SK-88213, call 020 7946 0018", "SK-88213", "+442079460018"),
    ],
)
def test_references_and_numbers_are_read(
    home: str, said: str, reference: str, phone: str | None
) -> None:
    reading = read(home, said)
    assert reference in reading.quoted
    assert phone is None or phone in reading.phones
