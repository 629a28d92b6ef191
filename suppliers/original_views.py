"""A mail as it was sent, for the owner: its page, its bytes, its attachments."""

from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from assets import documents
from assets.serving import as_download
from owners import clock
from owners.pages import OwnerRequest, page
from suppliers import originals
from suppliers.models import Contact

# Whatever was missed: nothing in it runs, loads, or knows whose page it is in. A link opens
# a window of its own.
FRAME = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src {origin}; font-src {origin}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


def find(request: OwnerRequest, key: UUID) -> Contact:
    """Return the owner's contact that came as a mail; any other does not exist."""
    found: Contact = get_object_or_404(originals.mails(request.user), uuid=key)
    return found


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know no parameters
@page
@require_GET
def original(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Show a mail as it was sent, its text in full, and what came with it."""
    found = originals.of(find(request, key))
    return render(request, "suppliers/original.html", {"mail": found})


@xframe_options_sameorigin
@page
@require_GET
def original_body(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Return the mail's page alone, for the frame that it is shown in."""
    found = originals.of(find(request, key))
    if not found.html:
        raise Http404
    answer = render(request, "suppliers/original_body.html", {"mail": found})
    answer["Content-Security-Policy"] = FRAME.format(origin=_origin(request))
    return answer


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


@page
@require_GET
def original_raw(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give the mail out byte for byte."""
    contact = find(request, key)
    try:
        content = originals.raw(contact)
    except originals.GoneError as error:
        raise Http404 from error
    return as_download(content, name=f"mail-{contact.said_at:%Y-%m-%d}.eml", kind="message/rfc822")


@page
@require_GET
def original_file(request: OwnerRequest, key: UUID, number: int) -> HttpResponse:
    """Give an attachment out, so that no browser opens it."""
    try:
        name, content = originals.attachment(find(request, key), number=number)
    except originals.GoneError as error:
        raise Http404 from error
    return as_download(content, name=name)


@page
@require_POST
def original_keep(request: OwnerRequest, key: UUID, number: int) -> HttpResponse:
    """Keep an attachment among the household's documents."""
    contact = find(request, key)
    try:
        kept = originals.keep(contact=contact, number=number, owner=request.user, now=clock.now())
    except originals.GoneError as error:
        raise Http404 from error
    except documents.DocumentError as error:
        messages.error(request, _(error.detail))
        return redirect("contact-original", key)
    messages.success(request, _("Kept: %(name)s") % {"name": kept.name})
    return redirect("document", kept.uuid)
