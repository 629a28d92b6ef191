"""What a delivery says on its channel: the words, why they came, and how to change that.

Words are in the reader's language. Where a frame cannot be made, the words go out plain:
an ugly message arrives, a missing one does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.utils.http import int_to_base36
from django.utils.translation import gettext as _
from prometheus_client import Counter

from notifications import reasons, sms_text
from notifications.choices import DeliveryPurpose
from notifications.claims import Claimed, Row
from notifications.models import Delivery
from notifications.tongue import speaking
from notifications.transports.values import Message, Wake
from owners.choices import ChannelKind, Level, Topic

log = structlog.get_logger(__name__)

FRAMES_FAILED = Counter(
    "steward_message_frames_failed_total", "Messages that went out plain, as their frame failed"
)
SHOWN_SALT = "push.shown"
STOP_SALT = "mail.stop"
DIGEST = "digest"
REPORT = "report"
WAKES_FOR = 4 * 3600  # seconds a push service keeps trying
WAKES_LEAST = 60
URGENT = (Topic.ARRIVING, Topic.FAILED)
BUTTONS = 2  # as many as every system shows


def compose(claimed: Sequence[Claimed], *, start_by: float, now: datetime) -> list[Message]:
    """Return what to send of each delivery in hand, in their order."""
    framed = [one.delivery.pk for one in claimed if one.delivery.kind != ChannelKind.SMS]
    known = {}
    if framed:
        known = {
            row.pk: row
            for row in Delivery.objects.filter(pk__in=framed).select_related(
                "owner", "household", "notification", "notification__journey__card"
            )
        }
    return [
        _composed(one, known.get(one.delivery.pk), start_by=start_by, now=now) for one in claimed
    ]


def _composed(one: Claimed, about: Delivery | None, *, start_by: float, now: datetime) -> Message:
    row = one.delivery
    language = row.language or settings.LANGUAGE_CODE
    common: dict[str, Any] = {
        "key": row.key,
        "ref": str(row.uuid),
        "to": row.address,
        "subject": row.subject,
        "language": language,
        "start_by": start_by,
    }
    with speaking(language):
        text = one.text
        if row.is_bare and row.notification_id is not None:
            text = _("There is news for you.")
            common["subject"] = text if row.subject else ""
        try:
            return Message(**common | _framed(row, text, about, now=now))
        except Exception:  # whatever it is, the words themselves are there
            FRAMES_FAILED.inc()
            log.exception("message_frame_failed", delivery=str(row.uuid), kind=row.kind)
            wake = _plain_wake(row, text) if row.kind == ChannelKind.PUSH else None
            return Message(**common, text=text, wake=wake)


def _framed(row: Row, text: str, about: Delivery | None, *, now: datetime) -> dict[str, Any]:
    if row.kind == ChannelKind.SMS:
        return {"text": _sms(row, text)}
    if row.kind == ChannelKind.PUSH:
        return {"text": text, "wake": _wake(row, text, about, now=now)}
    if row.kind == ChannelKind.EMAIL:
        return _mail(row, text, about)
    if row.kind == ChannelKind.VOICE and row.purpose == DeliveryPurpose.CODE:
        return {"text": spoken_code(text)}
    if row.kind == ChannelKind.CHAT and row.notification_id is not None:
        return {"text": _chat(row, text, about)}
    return {"text": text}


# Chats


def _chat(row: Row, text: str, about: Delivery | None) -> str:
    told = about.notification if about is not None else None
    link = f"{settings.SITE_URL}/journeys/{row.journey_uuid}/" if row.journey_uuid else ""
    change = _("Change it: %(url)s") % {"url": f"{settings.SITE_URL}/preferences/"}
    why = f"{why_of(row, told.topic, told.why)} {change}" if told is not None else change
    return "\n\n".join(part for part in (text, link, why) if part)


# Calls


def spoken_code(text: str) -> str:
    """Return the words that carry a code with its digits one by one."""
    code = text_code(text)
    return text.replace(code, ". ".join(code) + ".") if code else text


# SMS


def _sms(row: Row, text: str) -> str:
    if row.notification_id is None:
        return text
    # A telephone makes a link of it without the scheme too, and the places are few.
    site = settings.SITE_URL.removeprefix("https://")
    return sms_text.fitted(text, link=f"{site}/w/{int_to_base36(row.pk)}")


# Push


def _plain_wake(row: Row, text: str) -> Wake:
    group = (row.journey_uuid or row.uuid).hex
    return Wake(title="Steward", body=text, group=group, url="/", ttl=WAKES_FOR)


def _wake(row: Row, text: str, about: Delivery | None, *, now: datetime) -> Wake:
    data: dict[str, Any] = {"ref": shown_token(row.uuid)}
    told = about.notification if about is not None else None
    if row.purpose == DeliveryPurpose.CODE:
        data["code"] = text_code(text)
    deadline = told.deadline if told is not None else None
    ends = [end for end in (row.expires_at, deadline) if end is not None]
    left = int((min(ends) - now).total_seconds()) if ends else WAKES_FOR
    title, url = "Steward", "/"
    if told is not None:
        url = f"/journeys/{told.journey.uuid}/"
        card = getattr(told.journey, "card", None)
        item = card.in_language(row.language) if card is not None else {}
        if row.is_bare:
            data["is_bare"] = True
        else:
            title = str(item.get("title") or (about and about.household) or title)
            data["actions"] = [
                {"action": action["name"], "title": action["label"]}
                for action in item.get("actions", ())
                if not action["fields"]
            ][:BUTTONS]
    return Wake(
        title=title,
        body=text,
        group=(row.journey_uuid or row.uuid).hex,
        url=url,
        ttl=max(WAKES_LEAST, min(left, WAKES_FOR)),
        is_urgent=row.purpose == DeliveryPurpose.CODE
        or (told is not None and told.level == Level.INTERRUPT and told.topic in URGENT),
        data=data,
    )


def text_code(text: str) -> str:
    """Return the code in the words that carry one."""
    return next((word for word in text.replace(".", " ").split() if word.isdigit()), "")


def shown_token(delivery: UUID) -> str:
    """Return what proves that somebody holds this message."""
    return signing.Signer(salt=SHOWN_SALT).sign(delivery.hex)


def shown_delivery(token: str) -> UUID | None:
    """Return which delivery a token of `shown_token` names, or None."""
    try:
        return UUID(signing.Signer(salt=SHOWN_SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None


# E-mail


def stop_token(*, owner: UUID, household: UUID, topic: str) -> str:
    """Return what lets whoever holds a mail end mails of its topic, and nothing else."""
    return signing.dumps([owner.hex, household.hex, topic], salt=STOP_SALT)


def stop_meant(token: str) -> tuple[UUID, UUID, str] | None:
    """Return owner, household and topic of a token of `stop_token`, or None."""
    try:
        owner, household, topic = signing.loads(token, salt=STOP_SALT)
        return UUID(owner), UUID(household), str(topic)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _mail(row: Row, text: str, about: Delivery | None) -> dict[str, Any]:
    headers = {"Auto-Submitted": "auto-generated"}
    told = about.notification if about is not None else None
    link = f"{settings.SITE_URL}/journeys/{row.journey_uuid}/" if row.journey_uuid else ""
    stop = topic = ""
    if about is not None and about.household is not None and told is not None:
        topic = told.topic
    elif row.purpose == DeliveryPurpose.DIGEST:
        topic = DIGEST
    elif row.purpose == DeliveryPurpose.REPORT:
        topic = REPORT
    if topic and about is not None and about.household is not None:
        token = stop_token(owner=about.owner.uuid, household=about.household.uuid, topic=topic)
        stop = f"{settings.SITE_URL}/stop/{token}/"
        headers |= {
            "List-Id": f"<{topic}.{settings.MAIL_DOMAIN}>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    if row.journey_uuid:
        # Never sent itself: what all mails of one matter hang under.
        root = f"<journey.{row.journey_uuid}@{settings.MAIL_DOMAIN}>"
        headers |= {"References": root, "In-Reply-To": root}
    why = why_of(row, topic, told.why if told is not None else {})
    # The report is wished for on its own page.
    place = "report" if topic == REPORT else "preferences"
    change = f"{settings.SITE_URL}/{place}/"
    foot = [why, _("Change it: %(url)s") % {"url": change}] if why and topic else [why]
    if stop:
        foot.append(_("No more mails of this kind: %(url)s") % {"url": stop})
    plain = "\n\n".join(part for part in (text, link) if part)
    plain += "\n\n-- \n" + "\n".join(part for part in foot if part) if any(foot) else ""
    html = render_to_string(
        "messages/mail.html",
        {
            "language": row.language,
            "subject": row.subject,
            "paragraphs": [part for part in text.split("\n\n") if part.strip()],
            "link": link,
            "site": settings.SITE_URL,
            "why": why,
            "change": change if topic else "",
            "stop": stop,
        },
    )
    return {"text": plain, "html": html, "headers": headers}


def why_of(row: Row, topic: str, why: Mapping[str, Any]) -> str:
    """Return why a message came, and which wish decided."""
    if row.purpose == DeliveryPurpose.DIGEST:
        return _("You get this because you asked for a summary by e-mail.")
    if row.purpose == DeliveryPurpose.REPORT:
        return _("You get this because you asked for the report of each month by e-mail.")
    if row.purpose == DeliveryPurpose.CODE:
        return _("You get this because somebody, probably you, gave this address to Steward.")
    if row.purpose == DeliveryPurpose.CHECK:
        return _("You get this because you asked for a test.")
    if row.notification_id is None:
        return ""
    values = {"topic": Topic(topic).label, "kind": ChannelKind(row.kind).label}
    if row.step:
        said = _("You get this by %(kind)s because nobody had seen it yet. It is about: %(topic)s.")
    else:
        said = _("You get this by %(kind)s, as you wish for: %(topic)s.")
    decided = reasons.of_told(why) if why.get("by") not in (None, "default", "household") else ""
    return f"{said % values} {decided}".strip()
