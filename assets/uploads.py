"""No request is larger than one upload may be; said before a byte of it is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

MOST = 26 * 1024 * 1024  # one file of 25 MiB with its form
# Where a whole export may be brought in, for who is signed in: a household with its papers.
WHOLE = ("/data/restore/", "/api/v1/restores/")


def limited(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 413 to a body that says it is larger; a server reads no more than that."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.RESTORE_MOST if request.path in WHOLE else MOST
        if length.isdecimal() and int(length) > most:
            size = filesizeformat(most) if most != MOST else "25 MB"
            text = _("The file is larger than %(size)s.") % {"size": size}
            return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")
        return get_response(request)

    return middleware
