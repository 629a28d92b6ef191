"""Help beside every page: short, the keys, and how to reach a person."""

# ruff: noqa: E501 - a sentence that is translated stays in one piece

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from config.templatetags import shell

# Each page's text: what it is for, in two or three sentences.
TEXTS = {
    "today": _("Today shows what needs you first, then what is on its way. Answer on the card. What is quiet stays folded."),
    "assets": _("Everything you look after. Add a thing by a photo or a line of text; filter by kind, place and state."),
    "asset": _("One thing: how it is, what happened, who serves it, its papers and its numbers. Copy a number with one tap."),
    "journeys": _("A matter gathers everything said about one thing: calls, mails, visits, the bill and the survey."),
    "journey": _("The thread shows every contact: filled dots were shown to you, hollow ones said nothing new. Each says why, and can be undone."),
    "suppliers": _("Who serves you. Each writes only about what you allow, under an address of its own."),
    "supplier": _("What they know, how they may reach you and what is agreed. Take any of it back, or end it; it can be undone for 30 days."),
    "door": _("Unknown senders wait here. Let one in, or not now; nobody is told."),
    "passes": _("A pass lets whoever helps you read what you tick, without an account. Read its six letters and digits aloud, or let them scan it; see who reads it, and end it in a second."),
    "ways": _("Your addresses and your number here. Have your mail and missed calls sent on, and check that they arrive."),
    "documents": _("Receipts, manuals and warranties. Drop a file; its words can be searched at once."),
    "calendar": _("Visits and what is due. Subscribe to it from your phone's calendar."),
    "search": _("Write a name, part of a number or a word from a message. Any spelling will do."),
}  # fmt: skip
TITLES = {place.url: place.label for place in shell.MAIN} | {
    "asset": _("One thing"),
    "ways": _("Ways in"),
    "passes": _("Passes"),
    "journey": _("One matter"),
    "supplier": _("One supplier"),
    "search": _("Search"),
}
GENERAL = _(
    "Steward looks after what you own, with everyone who serves it, and speaks to you once."
)


@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the help for one page, or all of it."""
    about = request.GET.get("about", "")
    texts = {about: TEXTS[about]} if about in TEXTS else TEXTS
    context = {
        "texts": [{"title": TITLES[name], "text": text} for name, text in texts.items()],
        "is_one": about in TEXTS,
        "general": GENERAL,
        "contact": settings.OPERATOR_CONTACT,
        "contact_is_mail": "@" in settings.OPERATOR_CONTACT,
    }
    htmx = getattr(request, "htmx", None)
    return render(request, "_help.html" if htmx else "help.html", context)
