"""The words of every screen in every language: one catalogue each, kept complete.

Strings are gathered by Django's own reading of templates and Babel's of Python, so no
gettext tools need to be installed. `manage.py translations` renews the catalogues.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "config" / "locale"
APPS = ("config", "owners", "assets", "suppliers", "notifications")
LANGUAGES = ("de", "it")
# What Django calls gettext by; plural forms and contexts as GNU gettext numbers them.
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def sources() -> Iterator[Path]:
    """Yield every file that may hold words for an owner, in a fixed order."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and "migrations" not in path.parts:
                yield path


def gathered() -> Catalog:
    """Return every string of the project with the files that use it."""
    catalog = Catalog(project="Steward", charset="utf-8")
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # What is left of a template is one call a line; its indentation means nothing.
            text = "\n".join(line.strip() for line in templatize(text).splitlines())
        for _line, message, comments, context in extract(
            "python", io.BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=("Translators:",)
        ):
            name = str(path.relative_to(ROOT))
            catalog.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalog


def path_of(language: str) -> Path:
    """Return where a language's catalogue is kept."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def catalogue(language: str) -> Catalog:
    """Return a language's catalogue as kept; an empty one for a new language."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Steward", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def renew(language: str) -> Catalog:
    """Bring a catalogue up to the project's strings, and write it with its compiled twin.

    Strings that are gone are dropped; new ones are left empty, never guessed.
    """
    kept = catalogue(language)
    kept.update(gathered(), no_fuzzy_matching=True)
    kept.obsolete.clear()
    write(language, kept)
    return kept


class Plain(Catalog):
    """A catalogue whose head names no day and nobody: the same words are the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What a reader of the file must know, and no more."""
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def plain(kept: Catalog) -> Plain:
    """Return a catalogue with such a head."""
    made = Plain(
        locale=kept.locale,
        charset="utf-8",
        header_comment="# Renewed by `manage.py translations`; fill in what it leaves empty.",
        fuzzy=False,
    )
    for message in kept:
        if message.id:
            made[message.id] = message
    return made


def write(language: str, kept: Catalog) -> None:
    """Write a catalogue and its compiled twin; what did not change stays byte for byte."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, plain(kept), width=100, sort_output=True, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compiled(kept))


def compiled(kept: Catalog) -> bytes:
    """Return a catalogue as Django reads it."""
    made = io.BytesIO()
    write_mo(made, plain(kept))
    return made.getvalue()


def key_of(message: Message) -> tuple[str | None, str]:
    """Return what tells one string from another: its context and its (singular) words."""
    words = message.id
    return message.context, words if isinstance(words, str) else words[0]


def missing(language: str) -> list[str]:
    """Return the strings that a language does not say yet."""
    kept = {key_of(message): message for message in catalogue(language) if message.id}
    left = []
    for message in gathered():
        if not message.id:
            continue
        found = kept.get(key_of(message))
        said = found.string if found is not None and not found.fuzzy else ""
        forms = (said,) if isinstance(said, str) else tuple(said or ())
        if not forms or not all(forms):
            left.append(key_of(message)[1])
    return left
