"""An SMS that costs one message where that can be: pure."""

import re

GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = set("^{}\\[~]|€")  # these take two places
OTHER = re.compile(f"[^{re.escape(''.join(sorted(GSM | TWICE)))}]")
TWO_PLACES = re.compile(f"[{re.escape(''.join(sorted(TWICE)))}]")
PLAIN = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2018\u2019\u201a", "'")
    | dict.fromkeys("\u2010\u2011\u2013\u2014\u2212\u00b7", "-")
    | dict.fromkeys("\u00a0\u202f\u2009", " ")
    | dict.fromkeys("\u200b\ufeff")
    | {"\u2026": "...", "\u2192": "->", "\u00d7": "x"}
)
ONE_GSM, PART_GSM = 160, 153
ONE_UCS2, PART_UCS2 = 70, 67
SENTENCE = re.compile(r"(?<=[.!?])\s+")


def is_gsm(text: str) -> bool:
    """Say whether a text needs no more than the alphabet of GSM 03.38."""
    return OTHER.search(text) is None


def segments(text: str) -> int:
    """Return as how many messages a text is sent and paid."""
    if is_gsm(text):
        size = len(text) + len(TWO_PLACES.findall(text))
        one, part = ONE_GSM, PART_GSM
    else:
        size = len(text.encode("utf-16-be")) // 2
        one, part = ONE_UCS2, PART_UCS2
    return 1 if size <= one else -(-size // part)


def fitted(text: str, *, link: str) -> str:
    """Return a text with the link to the rest of it, in one message where that can be.

    Signs that only look nicer become plain ones. Where it is too long, its later sentences
    stay on the page behind the link; the first is never cut, even if it takes more.
    """
    if not is_gsm(text):
        plain = text.translate(PLAIN)
        text = plain if is_gsm(plain) else text
    if segments(f"{text}\n{link}") == 1:
        return f"{text}\n{link}"
    sentences = SENTENCE.split(text.strip())
    for kept in range(len(sentences), 0, -1):
        said = " ".join(sentences[:kept])
        said += " ..." if kept < len(sentences) else ""
        whole = f"{said}\n{link}"
        if segments(whole) == 1:
            return whole
    most = segments(f"{text}\n{link}")
    first = f"{sentences[0]} ...\n{link}" if len(sentences) > 1 else f"{text}\n{link}"
    return first if segments(first) < most else f"{text}\n{link}"
