"""Every word of the screens is in a catalogue, and every catalogue is complete.

What is seen is proved with a language made here: each string of the catalogue stands in
brackets, and it is written from right to left. Letters outside of brackets are either
somebody's data or a string that no translator will ever see.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import available_timezones

import pytest
import time_machine
from babel.messages.catalog import Catalog
from django.test import Client, override_settings
from django.utils import translation

from assets import starters
from assets.models import Asset
from config import translations
from notifications.models import Card, Delivery, Journey, Notification
from owners.models import Household, Owner
from suppliers.models import Contact, Mandate, Supplier
from tests.web.conftest import DOOR, STORIES, played

PSEUDO = "ar"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>|\n\n")
SEEN_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title")
UNREAD = ("script", "style", "code", "pre", "kbd", "svg", "textarea")
VOID = ("br", "hr", "img", "input", "link", "meta", "use", "path", "source", "wbr")


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_catalogue_says_every_string(language: str) -> None:
    assert translations.missing(language) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_what_is_compiled_is_what_is_kept(language: str) -> None:
    path = translations.path_of(language)
    kept = translations.compiled(translations.catalogue(language))
    assert path.with_suffix(".mo").read_bytes() == kept


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_what_did_not_change_is_written_alike_on_any_day(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = translations.path_of(language).read_bytes()
    kept = translations.catalogue(language)
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    with time_machine.travel("2031-02-03"):
        kept.update(translations.gathered(), no_fuzzy_matching=True)
        translations.write(language, kept)
    assert translations.path_of(language).read_bytes() == before


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_a_translation_keeps_every_placeholder(language: str) -> None:
    catalog = translations.catalogue(language)
    faults = []
    for message in catalog:
        if not message.id:
            continue
        faults += [(message.id, str(error)) for error in message.check(catalog)]
        # "every day" and "every 3 days": what is one may be said without its number.
        originals = (message.id,) if isinstance(message.id, str) else message.id
        forms = (message.string,) if isinstance(message.string, str) else message.string or ()
        kept = [set(PLACEHOLDER.findall(original)) for original in originals]
        for number, form in enumerate(forms):
            if set(PLACEHOLDER.findall(form)) not in (kept if number == 0 else kept[-1:]):
                faults.append((originals[-1], form))
    assert faults == []


@pytest.fixture
def story(db: None) -> Owner:
    """Ana at the end of the story, and a letter at the Door."""
    return played()


def test_german_says_dates_amounts_and_plurals_its_own_way(story: Owner, client: Client) -> None:
    page = _page(client, story, f"/journeys/{_journey(story).uuid}/", language="de")
    assert '<html lang="de" dir="ltr">' in page
    assert "Fr., 13. Nov." in page
    assert "weitere Kontakte sagten nichts Neues" in page
    assert "08:00 bis 12:00" in page


@pytest.fixture
def pseudo(tmp_path: Path) -> Iterator[None]:
    """A language in which each string of ours stands in brackets."""
    catalog = Catalog(locale=PSEUDO, project="Steward", charset="utf-8", fuzzy=False)
    catalog.update(translations.gathered())
    for message in catalog:
        if not message.id:
            continue
        if isinstance(message.id, str):
            message.string = _bracketed(message.id)
        else:
            message.string = (_bracketed(message.id[-1]),) * catalog.num_plurals
    folder = tmp_path / PSEUDO / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(translations.compiled(catalog))
    languages = [("en", "English"), (PSEUDO, "Pseudo")]
    with override_settings(LOCALE_PATHS=[tmp_path], LANGUAGES=languages):
        yield
    translation.activate("en")


def test_no_word_of_a_page_is_left_untranslated(pseudo: None, story: Owner, client: Client) -> None:
    left = {}
    for address in _addresses(story):
        page = _page(client, story, address, language=PSEUDO)
        assert f'<html lang="{PSEUDO}" dir="rtl">' in page, address
        if found := _plain_words(page) - _data(story):
            left[address] = sorted(found)
    assert not left, "\n".join(f"{address}: {' '.join(words)}" for address, words in left.items())


def _addresses(owner: Owner) -> list[str]:
    """The screens that an owner sees."""
    asset = Asset.objects.for_owner(owner).first()
    mandate = Mandate.objects.for_owner(owner).first()
    supplier = Supplier.objects.for_owner(owner).first()
    assert asset is not None
    assert mandate is not None
    assert supplier is not None
    return [
        "/",
        "/journeys/",
        "/journeys/?show=closed",
        f"/journeys/{_journey(owner).uuid}/",
        "/door/",
        "/held/",
        "/log/",
        "/share/",
        "/calendar/",
        "/calendar/?view=month",
        "/outbox/",
        "/search/",
        "/assets/",
        "/assets/add/",
        f"/assets/{asset.uuid}/",
        f"/assets/{asset.uuid}/edit/",
        "/documents/",
        "/suppliers/",
        "/suppliers/add/",
        f"/suppliers/{supplier.uuid}/",
        f"/mandates/{mandate.uuid}/end/",
        "/preferences/",
        "/household/",
        "/ways/",
        "/access/",
        "/data/",
        "/help/",
        "/nothing-is-here/",
    ]


def _journey(owner: Owner) -> Journey:
    found = Journey.objects.for_owner(owner).first()
    assert found is not None
    return found


def _page(client: Client, owner: Owner, address: str, *, language: str) -> str:
    Owner.objects.filter(pk=owner.pk).update(language=language)
    owner.refresh_from_db()
    client.force_login(owner)
    return client.get(address, headers={"accept-language": language}).content.decode()


def _bracketed(text: str) -> str:
    return f"⟦{text}⟧"


class _Seen(HTMLParser):
    """Gathers what a page shows outside of brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[str] = []
        self.depth = 0
        self.unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNREAD:
            self.unread.append(tag)
        for name, value in attrs:
            if name in SEEN_ATTRIBUTES and value:
                self.left.append(_outside(value)[0])

    def handle_endtag(self, tag: str) -> None:
        if self.unread and self.unread[-1] == tag:
            self.unread.pop()

    def handle_data(self, data: str) -> None:
        if not self.unread:
            text, self.depth = _outside(data, self.depth)
            self.left.append(text)


def _outside(text: str, depth: int = 0) -> tuple[str, int]:
    """Return what stands outside of brackets, and how deep the text ends in them."""
    kept = []
    for letter in text:
        depth += (letter == "⟦") - (letter == "⟧")
        kept.append(letter if depth == 0 and letter != "⟧" else " ")
    return "".join(kept), depth


def _plain_words(page: str) -> set[str]:
    seen = _Seen()
    seen.feed(page)
    return set(re.findall(r"[A-Za-z]{2,}", " ".join(seen.left)))


def _data(owner: Owner) -> set[str]:
    """The words that are somebody's own: names, addresses and what was said."""
    said = [
        *Owner.objects.values_list("name", "email", "zone"),
        *Supplier.objects.values_list("name"),
        *Asset.objects.values_list("name", "maker", "model"),
        # What was told was worded when it happened, in the languages of that hour.
        *Card.objects.values_list("title", "body__meta"),
        *Notification.objects.values_list("text"),
        *Delivery.objects.values_list("text"),
        *Contact.objects.values_list("said__title", "said__sender"),
        [(STORIES / "dvr.jsonl").read_text(encoding="utf-8")],
        *Mandate.objects.values_list("owner_ref", "alias"),
        *Household.objects.values_list("intake_alias", "name"),
        DOOR.values(),
        available_timezones(),
        # The templates of things bring their labels along, in the languages they have.
        [str(starter.label) for starter in starters.STARTERS.values()],
    ]
    words = " ".join(str(value) for row in said for value in row)
    return set(re.findall(r"[A-Za-z]{2,}", words)) | ALLOWED


# What no language changes: our name, initials, names of languages and of firms, parts of addresses.
ALLOWED = frozenset(
    {
        *("AH", "ST", "Deutsch", "English", "Italiano", "Pseudo", "Steward"),
        *("Gmail", "Outlook", "Microsoft", "iCloud", "Yahoo", "GMX", "WEB", "DE"),
        *("Fastmail", "Proton", "Mail"),
        *("http", "localhost", "mail", "com"),
    }
)
