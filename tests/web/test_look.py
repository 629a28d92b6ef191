"""The frame, the theme and the page of components."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import Client, override_settings

from config.templatetags import charts, shell
from owners.models import Owner

pytestmark = pytest.mark.django_db

CSS_MOST, JS_MOST = 15_000, 35_000
STATIC = settings.BASE_DIR / "config" / "static"


def size(*names: str) -> int:
    """The bytes a browser fetches for these files, compressed one by one."""
    found = [finders.find(name) for name in names]
    return sum(len(gzip.compress(Path(str(path)).read_bytes())) for path in found)


def test_styles_and_scripts_stay_small(ana: Client) -> None:
    page = ana.get("/").content.decode()
    styles = re.findall(r'<link rel="stylesheet" href="/static/([^"]+)"', page)
    scripts = re.findall(r'<script[^>]*src="/static/([^"]+)"', page)
    assert styles
    assert scripts
    assert size(*styles) < CSS_MOST
    assert size(*scripts) < JS_MOST


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons" / "lucide.svg").read_text()))
    named: set[str] = set()
    for path in settings.BASE_DIR.glob("*/templates/**/*.html"):
        named |= set(re.findall(r'<c-icon name="([a-z0-9-]+)"', path.read_text()))
        named |= set(re.findall(r'<c-[a-z-]+ [^>]*icon="([a-z0-9-]+)"', path.read_text()))
    for places in shell.GROUPS.values():
        named |= {place.icon for place in places}
    assert named - drawn == set()


def test_the_design_page_is_there_only_for_builders(client: Client) -> None:
    assert client.get("/design/").status_code == 404
    with override_settings(DEBUG=True):
        answer = client.get("/design/")
    assert answer.status_code == 200
    assert "Donaudampfschifffahrts" in answer.content.decode()


def test_a_theme_is_kept_on_the_device_and_drawn_at_first_paint(client: Client) -> None:
    assert 'data-scheme="' not in client.get("/accounts/login/").content.decode()
    answer = client.post("/appearance/", {"scheme": "dark", "next": "/accounts/login/"})
    assert answer["Location"] == "/accounts/login/"
    assert 'data-scheme="dark"' in client.get("/accounts/login/").content.decode()
    client.post("/appearance/", {"scheme": "auto"})
    assert 'data-scheme="' not in client.get("/accounts/login/").content.decode()


def test_a_theme_leads_nowhere_else_and_takes_no_other_word(client: Client) -> None:
    answer = client.post("/appearance/", {"scheme": "dark", "next": "//elsewhere.example/"})
    assert answer["Location"] == "/"
    assert client.post("/appearance/", {"scheme": '"><script>'}).status_code == 400


def test_the_navigation_marks_the_page_and_counts_the_door(ana: Client, story: Owner) -> None:
    page = ana.get("/journeys/").content.decode()
    assert re.search(r'<a href="/journeys/" aria-current="page">', page)
    assert not re.search(r'<a href="/" aria-current="page">', page)
    assert re.search(r'At the door<span class="count">.*? 1</span>', page)


def test_the_navigation_leaves_out_what_is_not_there() -> None:
    assert shell.path_of("no-such-page") == ""
    assert shell.path_of("today") == "/"


def test_numbers_become_lines_and_bars() -> None:
    assert charts.points([1]) == ""
    assert charts.points([0, 10]) == "0.0,22.0 100.0,2.0"
    found = charts.parts([{"label": "a", "value": 3}, {"label": "b", "value": 1}])
    assert [(part.start, part.width, part.tone) for part in found] == [
        (0, 750, "pine"),
        (750, 250, "lake"),
    ]
    assert charts.parts([{"label": "refund", "value": -1}])[0].width == 0


def test_a_code_holds_no_words_of_its_text() -> None:
    drawn = charts.qr('https://x.example/"><script>')
    assert drawn.startswith("<svg")
    assert "script" not in drawn


def test_a_name_is_shortened_to_initials() -> None:
    assert charts.initials("Skyline TV") == "ST"
    assert charts.initials("ana") == "a"
    assert charts.initials("  ") == "?"


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500", "offline"])
def test_an_error_page_says_what_to_do_without_a_request(name: str) -> None:
    page = get_template(f"{name}.html").render({})
    assert page.count("<h1>") == 1
    assert page.count("button--primary") <= 1
    assert 'class="button' in page
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)


def test_a_page_that_is_not_there_answers_in_the_look(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_in_the_look(story: Owner) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(story)
    answer = strict.post("/looked/")
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
