"""Steward as an app on the device: its manifest, its service worker, its page without a net."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

# What every page needs; kept on the device as one version.
SHELL = (
    "css/steward.css",
    "js/app.js",
    "js/queue.js",
    "js/pwa.js",
    "icons/lucide.svg",
    "icons/steward.svg",
    "fonts/figtree-latin-wght-normal.woff2",
    "fonts/bricolage-grotesque-latin-wght-normal.woff2",
    "fonts/atkinson-hyperlegible-mono-latin-wght-normal.woff2",
)
SHARED = ["image/jpeg", "image/png", "image/webp", "image/gif", "application/pdf", "text/plain"]
HTMX = "django_htmx/htmx-2.min.js"
ICONS = (
    ("icons/app-192.png", "192x192", "any"),
    ("icons/app-512.png", "512x512", "any"),
    ("icons/app-maskable-512.png", "512x512", "maskable"),
)


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """Say how the installed app is called and looks."""
    shortcuts = (
        ("/share/", _("Add what a supplier said")),
        ("/log/", _("Log a call or a note")),
        ("/calendar/", _("Calendar")),
    )
    body: dict[str, Any] = {
        "id": "/",
        "name": "Steward",
        "short_name": "Steward",
        "description": _("Looks after what you own, and speaks to you once."),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f4ef",
        "theme_color": "#f5f4ef",
        "icons": [
            {"src": static(path), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for path, sizes, purpose in ICONS
        ],
        # A text, a chat or a letter's photo, from whatever app it came to.
        "share_target": {
            "action": "/share/in/",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "url": "url",
                "files": [{"name": "files", "accept": SHARED}],
            },
        },
        "shortcuts": [{"name": name, "url": url} for url, name in shortcuts],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
@never_cache
def service_worker(request: HttpRequest) -> HttpResponse:
    """Send the service worker with the names of the shell it keeps; for the whole site."""
    shell = [static(path) for path in (*SHELL, HTMX)]
    wakes = {"ready": _("This device is woken from now on."), "done": _("Done.")}
    context = {
        "shell": shell,
        "version": shell_version(),
        "queue": static("js/queue.js"),
        "icon": static(ICONS[0][0]),
        "wakes": json.dumps(wakes),
    }
    answer = render(request, "sw.js", context, content_type="text/javascript; charset=utf-8")
    answer["Service-Worker-Allowed"] = "/"
    return answer


@lru_cache(maxsize=1)
def shell_version() -> str:
    """Return a digest of what the shell is made of: with it the kept copy is made anew."""
    digest = hashlib.blake2b(digest_size=8)
    for path in (*SHELL, HTMX):
        found = finders.find(path)
        digest.update(path.encode() + (Path(found).read_bytes() if found else b""))
    return digest.hexdigest()


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Say that a page is not kept on this device; it names nobody."""
    return render(request, "offline.html")
