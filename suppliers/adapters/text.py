"""Reads plain text and transcripts: only what a deterministic extractor finds.

Dates and spans (`when`), money (`amounts`), phone numbers, references, questions to the
owner, and what kind of message it is (`words`). What comes from here is marked
`is_from_text` and never overrides what was said in a structured form.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

import phonenumbers

from suppliers.adapters import adverts, amounts, when, words
from suppliers.adapters.context import Context
from suppliers.adapters.fields import hosts
from suppliers.choices import ContactKind, Purpose, Stage
from suppliers.contacts import (
    AskClaim,
    Contact,
    FactClaim,
    Key,
    SurveyClaim,
    Visit,
    Window,
)

# Time and place of something that is advertised are no facts of a matter.
ANNOUNCED = frozenset({"what", "starts", "ends", "place"})
# Keys that name a message, not what it is about.
MERE_SCHEMES = frozenset({"message", "thread", "entity"})
MAX_READ = 20_000  # characters; what is beyond is shown but not read for facts
MAX_BODY = 20_000
MAX_QUOTE = 140
MAX_LINE = 2_000

URL = re.compile(r"https?://[^\s<>\"'\])}]{1,500}", re.IGNORECASE)
REFERENCE = re.compile(
    r"(?<![\w@.:/-])(?=[\w-]{0,39}\d)[A-Za-z0-9][\w/#-]{3,38}[A-Za-z0-9](?![\w@-])"
)
PHONE = re.compile(r"(?<![\w./-])\+?\(?\d[\d ()./-]{6,17}\d(?![\w-])")
SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")
GREETING = re.compile(
    r"(?:hello|hi|dear|good (?:morning|day|afternoon)|guten|hallo|bonjour|buongiorno|hola)\b",
    re.IGNORECASE,
)
DUE = re.compile(
    r"(?<!\w)(?:due (?:on|by|date:?)|pay(?:able)? by|payment by|no later than|fällig am|"
    r"zahlbar bis|bis zum|"
    r"fällig bis(?: zum)?|spätestens (?:am|bis zum)|fälligkeit(?:sdatum)?:?|"
    r"échéance(?: le)?[ ]?:?|avant le|au plus tard le|scadenza:?|entro il|"
    r"entro e non oltre il|vencimiento:?|antes del|a más tardar el)[ ]{1,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says."""

    language: str = ""
    visit: Visit | None = None
    eta: Window | None = None
    facts: tuple[FactClaim, ...] = ()
    asks: tuple[AskClaim, ...] = ()
    quoted: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    link_domains: tuple[str, ...] = ()
    payment_domains: tuple[str, ...] = ()
    survey_url: str = ""
    quote: str = ""
    is_survey: bool = False
    advert_signs: tuple[str, ...] = ()  # not empty when it sells something
    is_arriving: bool = False
    is_resolution: bool = False


def read(
    text: str,
    *,
    said_at: datetime,
    context: Context,
    subject: str = "",
    links: tuple[tuple[str, str], ...] = (),
    is_spoken: bool = False,
    is_voicemail: bool = False,
    bulk_signs: tuple[str, ...] = (),
) -> Reading:
    """Return what `text` says; it never raises and takes linear time.

    `links` are the addresses behind the words of an HTML page; `is_spoken` marks a
    transcript or a text message, in which somebody speaks about right now; `is_voicemail`
    one who wanted to reach the owner in person; `bulk_signs` say that it went to many.
    """
    whole = f"{subject}\n{text}"[:MAX_READ] if subject else text[:MAX_READ]
    language = words.language_of(whole, context.language)
    urls = tuple(URL.finditer(whole))
    plain = URL.sub(lambda match: " " * len(match[0]), whole)
    calendar = when.Calendar(
        said_at=said_at, zone=context.tzinfo, language=language, day_first=context.day_first
    )
    is_arriving = bool((words.ARRIVING if is_spoken else words.EN_ROUTE).search(plain))
    speaks_of_visit = words.VISIT.search(plain) is not None
    visit, eta = _visit(plain, calendar, speaks_of_visit=speaks_of_visit, is_arriving=is_arriving)
    if is_voicemail:
        is_arriving = is_arriving or speaks_of_visit
    if visit is not None and not words.EN_ROUTE.search(plain):
        # A dated visit is a statement about it; somebody on the way speaks of now.
        is_arriving = is_arriving and is_voicemail and visit.stage != Stage.CANCELLED
    facts = tuple(
        replace(fact, source="text")
        for fact in (*amounts.claims(plain, currency=context.currency), *_due(plain, calendar))
    )
    asks = _asks(plain)
    addresses = (*((match[0], _around(whole, match)) for match in urls), *links)
    survey_url = _survey_url(subject, plain, addresses)
    is_survey = bool(
        (visit is None and not facts)
        and (
            words.SURVEY_SUBJECT.search(subject) or (survey_url and words.SURVEY_BODY.search(plain))
        )
    )
    return Reading(
        language=language,
        visit=visit,
        eta=eta,
        facts=facts,
        asks=() if is_survey else asks,
        quoted=references(plain),
        phones=_phones(plain, context.country),
        link_domains=hosts([url for url, _ in addresses]),
        payment_domains=hosts([url for url, near in addresses if words.PAYING.search(near)]),
        survey_url=survey_url if is_survey else "",
        quote=_quote(text, is_spoken=is_spoken),
        is_survey=is_survey,
        advert_signs=()
        if visit is not None or eta is not None or asks or is_survey or _is_bill(facts)
        else adverts.signs(subject, plain, bulk_signs),
        is_arriving=is_arriving,
        is_resolution=words.RESOLVED.search(plain) is not None,
    )


def _is_bill(facts: tuple[FactClaim, ...]) -> bool:
    return any(fact.name in ("due_on", "refund") for fact in facts)


def _visit(
    text: str, calendar: when.Calendar, *, speaks_of_visit: bool, is_arriving: bool
) -> tuple[Visit | None, Window | None]:
    """Return the visit the text tells of, and the time of arrival it gives."""
    is_delivery = not speaks_of_visit and words.DELIVERY.search(text) is not None
    soon = when.soon(text, said_at=calendar.said_at) if is_arriving else None
    if not (speaks_of_visit or is_delivery or is_arriving):
        return None, when.arrival(text, calendar)
    is_cancelled = words.CANCELLED.search(text) is not None
    spans = {item.window for item in when.windows(text, calendar)}
    moments = {item.window for item in when.points(text, calendar)} if not spans else set()
    window = next(iter(spans or moments)) if len(spans or moments) == 1 else None
    if is_arriving and not spans and window is not None:
        return None, window
    if window is None and not is_cancelled:
        return None, soon or when.arrival(text, calendar)
    return Visit(
        window=window,
        stage=Stage.CANCELLED if is_cancelled else Stage.BOOKED,
        zone=calendar.zone.key,
        kind="delivery" if is_delivery else "visit",
        is_reminder=not is_cancelled and words.REMINDER.search(text) is not None,
    ), soon


def _due(text: str, calendar: when.Calendar) -> tuple[FactClaim, ...]:
    found = set()
    for index, match in enumerate(DUE.finditer(text)):
        near = text[match.end() : match.end() + 40]
        days = calendar.days(near, [])
        if days and days[0].span[0] <= 2 and days[0].day is not None:
            found.add(days[0].day)
        if index > 10:
            break
    return (FactClaim(name="due_on", value=found.pop().isoformat()),) if len(found) == 1 else ()


def _asks(text: str) -> tuple[AskClaim, ...]:
    """Return the questions put to the owner: a request beside a thing one can be asked for."""
    asks: dict[str, AskClaim] = {}
    for index, match in enumerate(words.REQUEST.finditer(text)):
        stretch = SENTENCE_END.split(text[match.end() : match.end() + 90], maxsplit=1)[0]
        for fact, pattern in words.ASKED:
            if pattern.search(stretch):
                prompt = _sentence(text, match.start())
                asks.setdefault(fact, AskClaim(fact=fact, prompt=prompt))
                break
        if index > 30:
            break
    return tuple(asks.values())


def references(text: str) -> tuple[str, ...]:
    """Return what looks like a reference number; only known ones will count."""
    found: dict[str, None] = {}
    for match in REFERENCE.finditer(text):
        token = match[0]
        if sum(char.isdigit() for char in token) >= 3:
            found[token] = None
        if len(found) >= 50:
            break
    return tuple(found)


def _phones(text: str, country: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for index, match in enumerate(PHONE.finditer(text)):
        if index >= 20:
            break
        number = e164(match[0], country)
        if number:
            found[number] = None
    return tuple(found)[:5]


def e164(written: str, country: str) -> str:
    """Return a phone number as E.164, or nothing when it is none."""
    try:
        number = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _around(text: str, match: re.Match[str]) -> str:
    start = max(text.rfind("\n\n", 0, match.start()), match.start() - 120, 0)
    return text[start : match.end()] + " " + re.sub(r"[/._?=&-]", " ", match[0])


def _survey_url(subject: str, text: str, addresses: tuple[tuple[str, str], ...]) -> str:
    if not (words.SURVEY_SUBJECT.search(subject) or words.SURVEY_BODY.search(text)):
        return ""
    for url, near in addresses:
        says_so = words.SURVEY_SUBJECT.search(near) or words.SURVEY_BODY.search(near)
        if says_so and not words.UNSUBSCRIBE.search(near):
            return url
    for url, near in addresses:
        if not words.UNSUBSCRIBE.search(near):
            return url
    return ""


def _quote(text: str, *, is_spoken: bool) -> str:
    """Return the clause worth repeating: the one that says when somebody comes."""
    if not is_spoken:
        return ""
    sentences = [part.strip() for part in SENTENCE_END.split(text[:4000]) if part.strip()][:40]
    for pattern in (words.ARRIVING, words.VISIT):
        for sentence in sentences:
            if pattern.search(sentence):
                return _clause(sentence, pattern)
    rest = [sentence for sentence in sentences if not GREETING.match(sentence)]
    return _cut((rest or sentences or [""])[0])


def _clause(sentence: str, pattern: re.Pattern[str]) -> str:
    if len(sentence) > 60:
        for clause in sentence.split(","):
            if pattern.search(clause) and len(clause.split()) >= 3:
                return _cut(clause.strip(" .!?"))
    return _cut(sentence.strip(" .!?"))


def _cut(text: str, size: int = MAX_QUOTE) -> str:
    text = " ".join(text.split())
    return text if len(text) <= size else text[: size - 1].rsplit(" ", 1)[0] + "…"


def _sentence(text: str, position: int) -> str:
    start = max(
        text.rfind("\n", 0, position) + 1,
        text.rfind(". ", 0, position) + 1,
        text.rfind("? ", 0, position) + 1,
    )
    match = SENTENCE_END.search(text, position)
    return _cut(text[max(start, position - 200) : match.end() if match else position + 200], 200)


def first_line(text: str) -> str:
    """Return the first sentence of a text, short enough for a title."""
    return _cut(SENTENCE_END.split(text.strip()[:1000], maxsplit=1)[0], 120)


def understood(
    contact: Contact, said: Reading, *, message_id: str = "", is_own: bool = False
) -> Contact:
    """Return `contact` with what its text says beside what it said in a better form.

    What is already there stays; `is_own` marks the owner's own words, which are never
    an advert, a survey or somebody arriving.
    """
    has_visit = contact.visit is not None
    known_names = {fact.name for fact in contact.facts}
    known_money = {fact.money for fact in contact.facts if fact.money is not None}
    facts = tuple(
        fact
        for fact in said.facts
        if fact.name not in known_names and (fact.money is None or fact.money not in known_money)
    )
    visit = contact.visit or said.visit
    changes: dict[str, object] = {
        "language": contact.language or said.language,
        "visit": visit,
        "eta": contact.eta or said.eta,
        "facts": (*contact.facts, *facts),
        "quoted": tuple(dict.fromkeys((*contact.quoted, *said.quoted))),
        "phones": tuple(dict.fromkeys((*contact.phones, *said.phones))),
        "link_domains": tuple(dict.fromkeys((*contact.link_domains, *said.link_domains))),
        "payment_domains": tuple(dict.fromkeys((*contact.payment_domains, *said.payment_domains))),
        "is_from_text": bool(
            contact.is_from_text or facts or (said.visit and not has_visit) or said.eta
        ),
    }
    if not is_own:
        changes |= {
            "quote": contact.quote or said.quote,
            "asks": contact.asks or said.asks,
            "is_arriving": contact.is_arriving or said.is_arriving,
            "is_resolution": contact.is_resolution or said.is_resolution,
        }
        if contact.kind == ContactKind.MESSAGE:
            changes |= _kind(contact, said, visit, message_id)
    return contact.with_(**changes)


def _kind(
    contact: Contact, said: Reading, visit: Visit | None, message_id: str
) -> dict[str, object]:
    """Return what kind of message it is, when its form did not say."""
    if visit is not None:
        return {"kind": ContactKind.VISIT_CHANGE}
    if said.is_survey and not contact.facts:
        survey = SurveyClaim(survey_id=said.survey_url or message_id, url=said.survey_url)
        return {
            "kind": ContactKind.SURVEY_REQUEST,
            "survey": contact.survey or survey,
            "purpose": Purpose.FEEDBACK,
        }
    names_a_matter = any(key.scheme not in MERE_SCHEMES for key in contact.keys) or any(
        fact.name not in ANNOUNCED for fact in contact.facts
    )
    if said.advert_signs and not names_a_matter:
        # What it costs is an offer, not a fact of any matter.
        return {
            "kind": ContactKind.ADVERT,
            "purpose": Purpose.MARKETING,
            "facts": (),
            "advert_signs": said.advert_signs,
        }
    return {}


def keys_of(pairs: list[tuple[str, str]]) -> tuple[Key, ...]:
    """Return keys of (scheme, value), each once, without empty ones."""
    return tuple(
        dict.fromkeys(Key(scheme=scheme, value=value[:255]) for scheme, value in pairs if value)
    )


# --- replies -----------------------------------------------------------------------------

WROTE = re.compile(
    r"(?:wrote|writes|schrieb(?: [^:]{0,80})?|a écrit|ha scritto|escribió|skrev|"
    r"schreef)[ \u00a0]?:[ ]*\Z",
    re.IGNORECASE,
)
ORIGINAL = re.compile(
    r"[ >]{0,4}-{2,12} ?(?:original (?:message|appointment)|ursprüngliche nachricht|"
    r"message d'origine|"
    r"messaggio originale|mensaje original|forwarded message|weitergeleitete nachricht)\b",
    re.IGNORECASE,
)
HEADER = re.compile(r"\*?(?:from|von|de|da)(?:\*?:|:\*) .{1,200}\Z", re.IGNORECASE)
SENT = re.compile(
    r"\*?(?:sent|date|gesendet|datum|envoyé|inviato|enviado|fecha|data)(?:\*?:|:\*) ",
    re.IGNORECASE,
)
# What a phone adds by itself; "sent from my desk, because..." is somebody's words.
DEVICE = re.compile(
    r"(?:sent from my [\w ]{2,40}|sent from [\w ]{2,20} for (?:ios|android)|"
    r"von meinem [\w ]{2,30} gesendet|gesendet von [\w ]{2,30}|envoyé d(?:e|epuis) mon [\w ]{2,30}|"
    r"inviato da(?:l mio)? [\w ]{2,30}|enviado desde mi [\w ]{2,30})\Z",
    re.IGNORECASE,
)
STARTS = re.compile(r"(?:on|am|le|il|el|op)\b.{5,}", re.IGNORECASE)
ATTRIBUTION_LINES = 3


def visible_reply(text: str) -> str:
    """Return what the writer wrote, without the quoted mail below and between.

    One pass over the lines; answers between quoted lines are kept. When nothing is left
    (a forwarded mail), the whole text.
    """
    kept: list[str] = []
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        short = lines[index][:MAX_LINE].strip()
        if short == "--" or ORIGINAL.match(short) or re.fullmatch(r"_{20,}", short):
            break
        if HEADER.match(short) and any(
            SENT.match(later[:MAX_LINE].strip()) for later in lines[index + 1 : index + 4]
        ):
            break
        opening = _attribution(lines, index)
        if opening:
            index += opening
            if not _is_quoted_next(lines, index):
                break  # what follows is the other mail, without any mark
            continue
        if not short.startswith(">"):
            kept.append(lines[index])
        index += 1
    visible = _without_device("\n".join(kept).strip())
    return visible or "\n".join(line.lstrip("> ") for line in lines).strip()


def _attribution(lines: list[str], index: int) -> int:
    """Return how many lines say that somebody wrote what follows; 0 where none does."""
    first = lines[index][:MAX_LINE].strip()
    if WROTE.search(first[-120:]):
        return 1
    if not STARTS.match(first) or not re.search(r"\d", first):
        return 0
    for more in range(1, ATTRIBUTION_LINES):
        line = lines[index + more][:MAX_LINE].strip() if index + more < len(lines) else ""
        if not line:
            return 0
        if WROTE.search(line[-120:]):
            return more + 1
    return 0


def _is_quoted_next(lines: list[str], index: int) -> bool:
    """Whether the next line with words on it, of the next few, is marked as quoted."""
    following = (line.strip() for line in lines[index : index + 6])
    return next((line.startswith(">") for line in following if line), False)


def _without_device(text: str) -> str:
    """Return a reply without what its phone wrote below it, and a line above what was cut."""
    body, _, last = text.rpartition("\n")
    if body.strip() and (DEVICE.match(last.strip()) or re.fullmatch(r"[ -]{8,}", last)):
        return body.rstrip()
    return text
