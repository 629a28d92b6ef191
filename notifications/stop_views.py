"""Ends mails of one topic for whoever holds such a mail: one click, no sign-in (RFC 8058).

Only POST ends anything: what scans mails follows every link in them.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import messages, month_mail
from owners import clock, households
from owners.choices import Topic
from owners.models import Membership

KNOWN = (*Topic.values, messages.DIGEST, messages.REPORT)


@csrf_exempt  # a mail program posts it; the token allows this one thing and nothing else
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, end the mails on POST; a token that is none is 404."""
    meant = messages.stop_meant(token)
    membership = None
    if meant is not None:
        owner, household, topic = meant
        membership = (
            Membership.objects.filter(owner__uuid=owner, household__uuid=household)
            .select_related("owner", "household")
            .first()
        )
    if meant is None or membership is None or topic not in KNOWN:
        return render(request, "notifications/stop.html", status=404)
    if request.method == "POST":
        end(membership, topic=topic)
    is_summary = topic in (messages.DIGEST, messages.REPORT)
    with override(membership.owner.language):
        context = {
            "household": membership.household,
            "topic": "" if is_summary else Topic(topic).label,
            "is_report": topic == messages.REPORT,
            "is_known": True,
            "is_done": request.method == "POST",
        }
        return render(request, "notifications/stop.html", context)


def end(membership: Membership, *, topic: str) -> None:
    """Mail no more about a topic, or let the summary stay on its page; it can be undone.

    Only mails end: who is told of the topic by another channel still is.
    """
    now = clock.now()
    if topic == messages.REPORT:
        month_mail.wish(
            owner=membership.owner, household=membership.household, is_on=False, now=now
        )
        return
    if topic == messages.DIGEST:
        values = {"has_digest_mail": False}
        households.set_wishes(membership=membership, values=values, topics=[], now=now)
        return
    unmailed = list(dict.fromkeys([*membership.unmailed, topic]))
    households.set_wishes(membership=membership, values={"unmailed": unmailed}, topics=[], now=now)
