"""Providers whose events anymail reads only with a package of theirs: read here without.

Heavy, as anymail is: only `mail_tracking` opens it, when such a provider posts.
"""

from typing import Any

from anymail.signals import RejectReason
from anymail.webhooks import amazon_ses, resend
from django.conf import settings

from suppliers.mail_posts import ResendSigned, WithoutAmazon


class Resend(ResendSigned, resend.ResendTrackingWebhookView):  # type: ignore[misc]  # untyped
    """What became of mails that went out through Resend."""

    signed_by = "RESEND_SIGNING_SECRET"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(signing_secret=None, **kwargs)


class AmazonSES(WithoutAmazon, amazon_ses.AmazonSESTrackingWebhookView):  # type: ignore[misc]  # untyped
    """What became of mails that went out through Amazon's mail server.

    SMTP does not hand over Amazon's name of a mail; its notices repeat ours among the
    headers. A bounce counts against the address only when Amazon calls it permanent.
    """

    def esp_to_anymail_events(self, ses_event: Any, sns_message: Any) -> list[Any]:
        """Return the events of one notice, each with the name that we know the mail by."""
        events: list[Any] = super().esp_to_anymail_events(ses_event, sns_message)
        named = [
            str(header.get("value", ""))
            for header in ses_event.get("mail", {}).get("headers", ())
            if str(header.get("name", "")).lower() == "message-id"
        ]
        ours = [name for name in named if name.endswith(f"@{settings.MAIL_DOMAIN}>")]
        is_passing = ses_event.get("bounce", {}).get("bounceType", "Permanent") != "Permanent"
        for event in events:
            event.message_id = ours[0][:120] if ours else event.message_id
            if is_passing:
                event.reject_reason = RejectReason.OTHER
        return events
