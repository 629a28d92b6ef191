"""The suppliers' manual: public pages, made of the same data as the schemas.

They speak English in every language, as the names on the wire do.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from suppliers import catalogue
from suppliers.catalogue import manual


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how to send and to ask, and every type by what it is about."""
    return _page(
        request,
        "suppliers/manual/overview.html",
        {
            "forms": manual.FORMS,
            "answers": manual.ANSWERS,
            "rules": manual.RULES,
            "calls": manual.CALLS,
            "snippets": manual.snippets(),
            "common": manual.common_fields(),
            "families": [
                {"name": name, "title": catalogue.FAMILIES[name], "types": types}
                for name, types in catalogue.families().items()
            ],
            "sent": [
                {"type": sent, "example": manual.example_of(sent.name)}
                for sent in catalogue.OUTBOUND.values()
            ],
        },
    )


@require_safe
def family(request: HttpRequest, family: str) -> HttpResponse:
    """Show the types of one family, each with its fields and an example."""
    types = catalogue.families().get(family)
    if types is None:
        raise Http404
    return _page(
        request,
        "suppliers/manual/family.html",
        {
            "title": catalogue.FAMILIES[family],
            "types": [
                {
                    "type": found,
                    "fields": manual.fields_of(found),
                    "example": manual.example_of(found.name),
                    "schema": catalogue.schema_path(found.name),
                }
                for found in types
            ],
        },
    )


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    with translation.override("en"):
        return render(request, template, {"site": settings.SITE_URL, **context})
