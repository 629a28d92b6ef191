"""The words that text is read by, in five languages, each list as one linear pattern.

Names of months and weekdays come from CLDR (Babel). No pattern here has a repetition
inside a repetition: what a stranger sends is read in linear time.
"""

import re
from functools import cache

from babel import Locale

LANGUAGES = ("en", "de", "fr", "it", "es")

STOPWORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        [
            "the",
            "and",
            "your",
            "is",
            "you",
            "for",
            "we",
            "will",
            "be",
            "on",
            "to",
            "of",
            "our",
            "this",
            "with",
            "are",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "und",
            "ihr",
            "ihre",
            "ist",
            "sie",
            "für",
            "wir",
            "am",
            "zu",
            "von",
            "mit",
            "den",
            "uhr",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "et",
            "votre",
            "vous",
            "est",
            "pour",
            "nous",
            "sera",
            "du",
            "des",
            "avec",
            "une",
            "sur",
        ]
    ),
    "it": frozenset(
        [
            "il",
            "la",
            "e",
            "di",
            "per",
            "vostro",
            "suo",
            "è",
            "con",
            "una",
            "alle",
            "dalle",
            "sarà",
            "nostro",
            "gentile",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "los",
            "y",
            "su",
            "usted",
            "es",
            "para",
            "con",
            "una",
            "las",
            "será",
            "del",
            "nuestro",
            "estimado",
            "por",
        ]
    ),
}
WORD = re.compile(r"[^\W\d_]{1,20}")


def language_of(text: str, default: str) -> str:
    """Return the language a text is most likely in, of those that can be read here."""
    found = [word.lower() for word in WORD.findall(text[:3000])]
    scores = {code: sum(word in STOPWORDS[code] for word in found) for code in LANGUAGES}
    best = max(scores, key=lambda code: (scores[code], code == default[:2]))
    if scores[best] >= 2:
        return best
    return default[:2] if default[:2] in LANGUAGES else "en"


@cache
def months(language: str) -> dict[str, int]:
    """Return the names of the months in `language` and English, in lower case."""
    return _names("months", ("en", language), first=0)


@cache
def weekdays(language: str) -> dict[str, int]:
    """Return the names of the weekdays (Monday 0) in `language` and English."""
    return _names("days", ("en", language), first=0)


def _names(what: str, languages: tuple[str, ...], *, first: int) -> dict[str, int]:
    names: dict[str, int] = {}
    for code in languages:
        data = getattr(Locale.parse(code), what)
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in data[form][width].items():
                    index = number - 1 if what == "months" else number
                    names[name.lower().strip(".")] = index + first
    extra = (
        {"sept": 8, "jan": 0, "feb": 1, "mär": 2, "mrz": 2, "dic": 11}
        if what == "months"
        else {"tues": 1, "thur": 3, "thurs": 3, "weds": 2}
    )
    return {**extra, **names}


def _pattern(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


VISIT = _pattern(
    "visits?", "appointments?", "technicians?", "engineers?", "arriv(?:e|es|al|ing)", "booking",
    "coming", "comes?", "be there", "installation", "installer", "service call", "repair", "slot",
    "plumber", "electrician", "inspection", "maintenance", "rescheduled", "scheduled",
    "termin(?:e|s)?", "techniker(?:in)?", "besuch", "monteur", "kommt", "kommen", "reparatur",
    "wartung", "rendez-vous", "visite", "technicien(?:ne)?", "intervention", "passage", "passera",
    "appuntamento", "visita", "tecnico", "intervento", "arriverà", "riparazione",
    "cita", "técnico", "instalación", "reparación", "llegará",
)  # fmt: skip
DELIVERY = _pattern(
    "deliver(?:y|ed|ies)?", "parcel", "package", "shipment", "courier", "lieferung", "paket",
    "zustellung", "geliefert", "livraison", "colis", "livré", "consegna", "pacco", "entrega",
    "paquete", "envío",
)  # fmt: skip
ARRIVING = _pattern(
    "on (?:our|my|his|her|the|their) way", "en route", "be there",
    "arriving (?:in|shortly|soon|at)",
    "we(?:'re| are) outside", "at your door", "(?:in|within) (?:a few|an?|half an|\\d{1,3}) "
    "(?:hours?|minutes?|mins?)", "be with you", "unterwegs", "auf dem weg", "gleich da",
    "bin in", "sind in", "en chemin", "en route", "in arrivo", "per strada", "arriviamo",
    "en camino", "de camino", "llegamos", "(?:da lei|da voi) tra", "siamo (?:lì )?tra",
    "arriv(?:ons|e) dans", "(?:serons|serai) (?:là|chez vous) dans",
)  # fmt: skip
EN_ROUTE = _pattern(
    "on (?:our|my|his|her|the|their) way", "en route",
    "arriving (?:shortly|soon|in \\d{1,3} min\\w*)",
    "we(?:'re| are) outside", "at your door", "be there in \\d{1,3} (?:min\\w*|hours?)",
    "unterwegs zu ihnen", "auf dem weg zu ihnen", "en chemin", "in arrivo", "en camino",
    "(?:bin|sind) in \\d{1,3} min\\w*", "arriv(?:ons|e) dans \\d{1,3} min\\w*",
    "(?:siamo|sono|arriviamo|arrivo) (?:da (?:lei|voi) )?tra \\d{1,3} min\\w*",
    "(?:llegamos|llego) en \\d{1,3} min\\w*",
)  # fmt: skip
# Somebody comes, and the clock time that follows in the same sentence is when.
COMES = _pattern(
    "be (?:there|here|with you|at your (?:place|home|door))", "arriv(?:e|es|ing)", "comes?",
    "coming", "get (?:there|to you)", "make it", "reach you",
    "kommen", "komme", "kommt", "(?:treffen|trifft|treffe)",
    "arriviamo", "arrivo", "arriveremo", "arriverò", "arriverà", "arriva", "verremo", "veniamo",
    "arrivons", "arriverons", "arriverai", "arrivera", "viendrons", "passerons", "passera",
    "llegamos", "llego", "llegaremos", "llegaré", "llegará", "llega", "iremos",
)  # fmt: skip
# To be somewhere is to come only where a place says so: opening hours "are" from eight, too.
IS_THERE = _pattern(
    "sind", "bin", "ist", "saremo", "siamo", "sarò", "serons", "serai", "sera", "estaremos",
    "estaré", "estará",
)  # fmt: skip
THERE = _pattern(
    "da", "dort", "bei (?:ihnen|dir|euch)", "vor ort", "lì", "da (?:lei|voi|te)", "là",
    "chez (?:vous|toi)", "sur place", "allí", "ahí", "en su casa", "con usted(?:es)?",
)  # fmt: skip
REMINDER = _pattern(
    "reminder", "remind(?:ing)? you", "erinnerung", "erinnern", "rappel", "rappelons",
    "promemoria", "ricordiamo", "recordatorio", "recordamos",
)  # fmt: skip
CANCELLED = _pattern(
    "(?:has|have) been cancell?ed", "(?:is|was|are) (?:now )?cancell?ed", "we (?:have )?cancell?ed",
    "had to cancel", "appointment cancell?ed", "visit cancell?ed",
    "we (?:have|had|need|are forced|are obliged|will have) to cancel", "we must cancel",
    "wurde (?:leider )?(?:abgesagt|storniert)", "ist (?:abgesagt|storniert)",
    "fällt (?:leider )?aus", "entfällt", "muss (?:leider )?(?:ausfallen|entfallen)",
    # "If you have to cancel" is the owner's: here it is always us.
    "wir (?:müssen|mussten)[^!?\n]{0,80} absagen", "(?:müssen|mussten) wir[^!?\n]{0,80} absagen",
    "wir haben[^!?\n]{0,80} (?:abgesagt|storniert)",
    "(?:a été|est) annulée?", "nous (?:devons|avons dû)(?: malheureusement)? annuler",
    "(?:contraints|obligés) d['\u2019]annuler", "nous avons(?: dû)? annulé",
    "(?:è stat[ao]|è) (?:annullat[ao]|cancellat[ao])", "(?:dobbiamo|abbiamo dovuto) annullare",
    "costretti ad annullare", "abbiamo annullato",
    "ha sido (?:cancelad|anulad)[ao]", "(?:fue|está|queda) (?:cancelad|anulad)[ao]",
    "hemos (?:cancelado|anulado)", "(?:hemos tenido|tenemos) que (?:cancelar|anular)",
    "(?:lamentamos|sentimos) tener que (?:cancelar|anular)",
)  # fmt: skip
OPENING = _pattern(
    "open", "opening", "hours", "hotline", "call us", "reach us", "phone lines?", "office",
    "support", "customer service", "erreichbar", "öffnungszeiten", "servicezeiten", "geöffnet",
    "horaires", "ouvert", "joignable", "orari", "orario", "aperto", "aperti", "horario",
    "abierto", "available (?:from|mon)",
)  # fmt: skip
FORMER = re.compile(
    r"(?:instead of|rather than|no longer|not|originally|previously|formerly|was|moved from|"
    r"rescheduled from|changed from|statt|anstatt|anstelle|nicht|ursprünglich|bisher|"
    r"verschoben von|(?:déplacée?|reportée?|décalée?|changée?) d[ue]|"
    r"(?:spostat[ao]|rinviat[ao]|rimandat[ao]) da|"
    r"(?:cambiad[ao]|trasladad[ao]|aplazad[ao]|movid[ao]) del?|"
    r"au lieu de|et non|invece di|invece che|non|en lugar de|en vez de)"
    r"[ ,:]{1,3}(?:on|at|am|the|le|il|el|scheduled for|planned for|vom|von|du|del|"
    r"del día)?[ ]{0,2}\Z",
    re.IGNORECASE,
)
SURVEY_SUBJECT = _pattern(
    "surveys?", "feedback", "rate (?:your|us|our)", "how did we do", "how was your",
    "tell us how", "your opinion", "review (?:your|us)", "your experience",
    "umfrage", "bewert(?:ung|en)", "ihre meinung", "zufriedenheit\\w*", "wie zufrieden",
    "sondage", "enquête", "votre avis", "évalue[rz]", "sondaggio", "questionario",
    "(?:tua|sua|vostra) opinione", "recensione", "valut[ai]", "encuesta", "su opinión",
    "tu opinión", "valor[ea]",
)  # fmt: skip
SURVEY_BODY = _pattern(
    "surveys?", "how did we do", "how we did", "rate (?:your|us|our)", "share your feedback",
    "umfrage", "bewerten sie", "ihre meinung", "sondage", "enquête de satisfaction", "votre avis",
    "sondaggio", "questionario", "encuesta", "su opinión",
)  # fmt: skip
MARKETING = _pattern(
    "\\d{1,2} ?% (?:off|de (?:réduction|remise|descuento)|di sconto|rabatt)", "sales?",
    "(?:special|exclusive|limited|black friday|cyber monday) (?:offers?|deals?)", "offers?",
    "deals?", "discounts?", "save up to", "limited time", "newsletter", "promo(?:tion|code)?s?",
    "black friday", "cyber monday", "don't miss", "shop now", "buy now", "order now",
    "try .{1,20} free", "upgrade today", "free shipping", "new arrivals", "best ?sellers?",
    "(?:sonder|winter|sommer|herbst|top-?)?angebote?", "rabatte?", "rabattaktion", "sparen sie",
    "jetzt sparen", "gutschein(?:code)?", "jetzt (?:kaufen|bestellen|sichern|zugreifen|shoppen)",
    "nur (?:heute|noch heute|für kurze zeit|solange der vorrat reicht)", "gratis versand",
    "versandkostenfrei", "neuheiten", "entdecken sie",
    "soldes", "offres?", "remises?", "réductions?", "promotions?", "code promo", "bons plans",
    "profitez", "j'en profite", "achetez", "commandez vite", "livraison (?:gratuite|offerte)",
    "nouveautés", "découvrez",
    "offert[ae]", "scont[io]", "saldi", "promozion[ei]", "codice sconto", "approfitta(?:ne)?",
    "acquista (?:ora|subito)", "spedizione gratuita", "novità", "scopri",
    "ofertas?", "descuentos?", "rebajas", "promoción", "promociones", "código promocional",
    "aproveche", "aprovecha", "compra (?:ya|ahora)", "compre (?:ya|ahora)", "envío gratis",
    "novedades", "descubr[ae]",
)  # fmt: skip
UNSUBSCRIBE = _pattern(
    "unsubscribe", "opt[- ]out", "email preferences", "abmelden", "abbestellen", "austragen",
    "se désinscrire", "désinscription", "désabonner", "désabonnement", "disiscriv\\w{1,8}",
    "cancellarsi", "cancella l['\u2019]iscrizione", "annulla l['\u2019]iscrizione",
    "darse de baja", "dar(?:te)? de baja", "cancelar (?:la|su|tu) suscripción",
)  # fmt: skip
# A visit, a parcel, a bill, a payment, a recall or a code: never an advert, whoever else
# got the same mail. What only invites to one ("order now") is not among these.
MATTERS = _pattern(
    "your (?:order|parcel|package|delivery|appointment|visit|booking|reservation|claim|repair|"
    "refund|return|meter|contract|policy|warranty|account)(?: (?:number|no\\.?))? "
    "(?:has|have|is|was|will|with|on|for|of|from|ends?|expires?|renews?|#|nr|[A-Z-]{0,5}\\d[\\w-]{0,30})",
    "your (?:invoice|bill|statement|receipt|payment|ticket|password)", "out for delivery",
    "(?:has|have) (?:been )?(?:shipped|dispatched|delivered|sent|received|processed|cancell?ed)",
    "tracking (?:number|code|id)", "order (?:number|no\\.|confirmation|#)", "invoice (?:no|number)",
    "payment (?:received|due|failed|declined|reminder|confirmation|method)", "amount due",
    "(?:security|verification|one-time|login|sign-in|access|confirmation|pickup) (?:code|pin)",
    "(?:code|pin)(?: is|:)? ?\\d{4,8}", "recall(?:s|ed)?", "safety (?:notice|warning|alert)",
    "stop using", "power (?:cut|outage)", "planned (?:outage|maintenance)", "technician",
    "price (?:change|increase)", "terms (?:are changing|will change|of service)",
    "(?:ihre?|ihrer|ihrem) (?:bestellung|sendung|paket|lieferung|termin|rechnung|zahlung|"
    "buchung|reservierung|vertrag|abschlag|zählerstand|rücksendung|reparatur|ticket|passwort|"
    "rückerstattung|kundenkonto)s?", "bestellnummer", "auftragsnummer", "sendungsnummer",
    "rechnungsnummer", "rechnungsbetrag", "mahnung", "zahlungserinnerung", "abbuchung",
    "(?:sicherheits|bestätigungs|anmelde|verifizierungs|abhol)code", "rückruf(?:aktion)?",
    "produktrückruf", "sicherheitshinweis", "techniker", "preisanpassung", "preiserhöhung",
    "wurde (?:versandt|verschickt|zugestellt|geliefert)", "stromausfall", "wartungsarbeiten",
    "votre (?:commande|colis|livraison|rendez-vous|facture|paiement|réservation|contrat|relevé|"
    "échéance|remboursement|sinistre|réparation|mot de passe|code(?! (?:promo|avantage|de réd)))",
    "numéro de (?:suivi|commande)",
    "(?:a été|est) (?:expédiée?|livrée?)", "code de (?:vérification|sécurité|confirmation)",
    "rappel (?:de produit|de sécurité|produit)", "prélèvement", "coupure de courant", "technicien",
    "(?:il )?(?:suo|tuo|vostro) (?:ordine|pacco|appuntamento|pagamento|contratto|rimborso|"
    "abbonamento|sinistro)", "(?:la )?(?:sua|tua|vostra) (?:bolletta|fattura|spedizione|consegna|"
    "prenotazione|riparazione|polizza)", "numero (?:d['\u2019]ordine|di tracking|di spedizione)",
    "(?:è stat[ao]) (?:spedit[ao]|consegnat[ao])", "codice di (?:verifica|sicurezza|conferma)",
    "richiamo (?:di|del|prodotto)", "avviso di sicurezza", "importo (?:dovuto|da pagare)",
    "tecnico", "addebito", "interruzione (?:di corrente|del servizio)", "scadenza",
    "(?:su|tu) (?:pedido|paquete|envío|cita|factura|recibo|pago|reserva|contrato|póliza|"
    "reembolso|reparación|contraseña)", "número de (?:pedido|seguimiento|factura)",
    "ha sido (?:enviado|entregado)", "código de (?:verificación|seguridad|confirmación)",
    "retirada (?:de|del) producto", "aviso de seguridad", "importe a pagar", "técnico",
    "domiciliación", "corte de (?:luz|suministro)", "vencimiento",
)  # fmt: skip
PAYING = re.compile(
    r"(?<!\w)(?:pay|payments?|paying|invoice|bill|settle|zahl\w{0,10}|bezahl\w{0,6}|"
    r"überweis\w{0,6}|"
    r"rechnung\w{0,8}|pagare?|paga|pagamento|payer|payez|paiement|règlement|régler|facture|fattura|"
    r"bolletta|pagar|pague|pago|factura|abon[ae]r?)(?!\w)",
    re.IGNORECASE,
)
RESOLVED = _pattern(
    "(?:has|have) been (?:resolved|fixed|solved)", "(?:ticket|case) (?:is )?(?:resolved|closed)",
    "(?:wurde|ist) (?:gelöst|behoben|geschlossen)", "a été résolue?", "è stat[ao] risolt[ao]",
    "ha sido resuelt[ao]",
)  # fmt: skip
NOTHING_TO_DO = _pattern(
    "nothing you need to do", "no action (?:is )?(?:needed|required|necessary)",
    "(?:sie müssen )?nichts (?:weiter )?(?:zu )?(?:tun|unternehmen)", "rien à faire",
    "non deve fare nulla", "no tiene que hacer nada", "no necesita hacer nada",
)  # fmt: skip

# What is asked for, and the fact it is. The request and the thing asked for must meet
# within one short stretch of the same sentence.
REQUEST = re.compile(
    r"(?<!\w)(?:please (?:tell|send|provide|give|confirm|reply with|let us (?:know|have))|"
    r"(?:could|can|would) you (?:please )?(?:tell|send|provide|give|confirm|let us know)|"
    r"we (?:still )?need|what is|what's|bitte (?:teilen|senden|nennen|geben|bestätigen)|"
    r"wir (?:benötigen|brauchen)|können sie uns|veuillez (?:nous )?(?:indiquer|envoyer|communiquer|"
    r"confirmer)|merci de (?:nous )?(?:indiquer|envoyer|communiquer|confirmer)|"
    r"nous avons besoin de|"
    r"(?:ci )?(?:comunichi|indichi|invii|confermi)|abbiamo bisogno d\w{1,4}|"
    r"(?:por favor,? )?(?:indíquenos|envíenos|confírmenos|facilítenos)|necesitamos)(?!\w)",
    re.IGNORECASE,
)
ASKED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("account", _pattern("account(?: number)?", "customer number", "kundennummer", "kontonummer",
                         "numéro (?:de|du) (?:client|compte)", "codice cliente",
                         "número de cliente")),
    ("serial", _pattern("serial(?: number)?", "seriennummer", "numéro de série",
                        "numero di serie", "número de serie")),
    ("address", _pattern("(?:home |postal |street )?address", "adresse", "anschrift", "indirizzo",
                         "dirección")),
    ("phone", _pattern("(?:tele)?phone number", "telefonnummer", "rückrufnummer",
                       "numéro de téléphone", "numero di telefono", "número de teléfono")),
    ("email", _pattern("e-?mail address", "e-?mail-adresse", "adresse e-?mail",
                       "indirizzo e-?mail")),
    ("order", _pattern("order number", "bestellnummer", "numéro de commande", "numero d'ordine",
                       "número de pedido")),
    ("photo", _pattern("photos?", "pictures?", "fotos?", "photographie", "foto(?:grafi[ae])?")),
    ("reading", _pattern("meter reading", "zählerstand", "relevé", "lettura", "lectura")),
    ("availability", _pattern("availability", "when you (?:are|will be) (?:home|available)",
                              "suitable (?:time|date)s?", "wann sie", "disponibilités?",
                              "disponibilità", "disponibilidad")),
    ("confirmation", _pattern("your (?:appointment|visit|attendance)", "ihren termin",
                              "votre rendez-vous", "il suo appuntamento", "su cita")),
)  # fmt: skip
