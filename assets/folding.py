"""Words as they are compared: without case, accents and umlauts, in every spelling.

The database's own dictionaries follow its locale; this does not. What is stored and what
is asked for go through the same fold, so they meet whatever the server was started with.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

LONGEST = 40  # letters of one word that are compared
MOST = 250  # different words of one text that are found again
MOST_ASKED = 8  # words of one question
PHONE = 7  # digits from which a number is found by its end, as people say it
_WORD = re.compile(r"[^\W_]+")
# Whatever is written in one piece with dashes or dots: serials, order numbers, domains.
_PIECE = re.compile(r"[^\W_]++(?:[-./_][^\W_]++)++")
_NUMBER = re.compile(r"\d{10,15}")
_MARKS = dict.fromkeys(c for c in range(0x300, 0x370))
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "þ": "th"}
)
# Spellings that stand for each other: Müller, Mueller and Muller are one name.
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def _plain(text: str) -> str:
    lower = unicodedata.normalize("NFKD", text.casefold()).translate(_MARKS)
    return lower.translate(_LETTERS).replace("æ", "ae").replace("œ", "oe")


def fold(text: str) -> str:
    """Return `text` as it is compared: ``Größe`` and ``GROSSE`` are both ``grosse``."""
    return _plain(text)


@lru_cache(maxsize=4096)
def spellings(word: str) -> tuple[str, ...]:
    """Return one word in every spelling that counts as the same."""
    composed = unicodedata.normalize("NFC", word.casefold())
    return tuple(
        dict.fromkeys(
            found[:LONGEST] for found in (_plain(word), _plain(composed.translate(_DIGRAPHS)))
        )
    )


def words(text: str) -> list[str]:
    """Return the folded words of `text` in order, each once."""
    return list(dict.fromkeys(spellings(word)[0] for word in _WORD.findall(text)))


def terms(*texts: str, most: int = MOST) -> list[str]:
    """Return everything by which these texts are found, at most `most` of it.

    Besides the words: other spellings, what is joined by dashes in one piece, and the
    ends of long numbers, because nobody asks for a phone number with its country.
    """
    found: dict[str, None] = {}
    for text in texts:
        if text.isascii():  # most of what arrives, and several times as quick
            text = text.lower()  # noqa: PLW2901 - the same text, folded
            found.update(dict.fromkeys(word[:LONGEST] for word in _WORD.findall(text)))
        else:
            for word in _WORD.findall(text):
                found.update(dict.fromkeys(spellings(word)))
        for number in _NUMBER.findall(text):
            found.update(dict.fromkeys(number[-size:] for size in range(PHONE, len(number))))
        for piece in _PIECE.findall(text):
            found.update(dict.fromkeys(spellings("".join(_WORD.findall(piece)))))
        if len(found) >= most:
            break
    return list(found)[:most]


def asked(text: str) -> list[tuple[str, ...]]:
    """Return a question's words, each in its spellings; all of them must be found.

    A number said in groups ("800 555 0199", "R15 204477") is one word when it has
    nothing but digits and the signs between them.
    """
    digits = re.sub(r"[\s()+./-]", "", text)
    if digits.isdecimal() and len(digits) >= PHONE:
        return [(digits[:LONGEST],)]
    return [spellings(word) for word in _WORD.findall(text)][:MOST_ASKED]


def is_near(wanted: str, word: str) -> bool:
    """Whether `word`, or its beginning, is `wanted` with a slip of the finger or two.

    One slip (a letter too many, too few, another, or two swapped) in words of four to
    seven letters, two in longer ones; short words must be right.
    """
    allowed = 0 if len(wanted) < 4 else 1 if len(wanted) < 8 else 2
    if not allowed or (wanted[0] != word[:1] and wanted[1] != word[1:2]):
        return False
    ends = range(max(1, len(wanted) - allowed), min(len(word), len(wanted) + allowed) + 1)
    return any(_distance(wanted, word[:end], allowed) <= allowed for end in ends)


def _distance(left: str, right: str, most: int) -> int:
    """Count the slips between two words (Damerau and Levenshtein), up to `most` + 1."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, start=1):
        older, before, row = before, row, [i]
        for j, other in enumerate(right, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def lexemes(household_id: int, *, title: str, texts: Iterable[str] = (), most: int = MOST) -> str:
    """Return the text form of a row's `tsvector`.

    Every word carries its household, so a word that a million households use costs each
    of them only its own rows. What the title says weighs A, the rest D.
    """
    strong = dict.fromkeys(terms(title))
    weak = [term for term in terms(*texts, most=most) if term not in strong]
    parts = [f"'{household_id}.{term}':1A" for term in strong]
    parts += [f"'{household_id}.{term}':2" for term in weak[: most - len(parts)]]
    return " ".join(parts)


def tsquery(households: Iterable[int], groups: list[tuple[str, ...]], *, weight: str = "") -> str:
    """Return the text form of the `tsquery` for a question in these households.

    The last word may be unfinished; `weight` "A" asks the titles only.
    """
    sides = []
    for household in households:
        words_here = []
        for number, group in enumerate(groups, start=1):
            sign = ":" + ("*" if number == len(groups) else "") + weight
            each = [f"'{household}.{word}'{sign if sign != ':' else ''}" for word in group]
            words_here.append(f"({' | '.join(each)})")
        sides.append(f"({' & '.join(words_here)})")
    return " | ".join(sides)
