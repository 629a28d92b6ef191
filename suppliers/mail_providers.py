"""Which providers may post mail to us: those the operator named and gave a secret for.

Nothing of anymail is imported here: it is heavy, and most instances need none of it.
"""

from dataclasses import dataclass

from django.conf import settings

MAX_BYTES = 40 * 2**20  # a message of 25 MiB in base64, and its envelope
BASIC = "WEBHOOK_SECRET"  # user:password in the address that the provider posts to


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What a provider proves itself with, and what else it needs: names in ANYMAIL."""

    view: str
    secret: str = BASIC
    needs: tuple[str, ...] = ()


PROVIDERS: dict[str, Provider] = {
    "amazon_ses": Provider(view="suppliers.mail_posts:AmazonSES"),
    "brevo": Provider(
        view="anymail.webhooks.brevo:BrevoInboundWebhookView", needs=("BREVO_API_KEY",)
    ),
    "mailersend": Provider(
        view="anymail.webhooks.mailersend:MailerSendInboundWebhookView",
        secret="MAILERSEND_INBOUND_SECRET",  # noqa: S106 - a name
    ),
    "mailgun": Provider(
        view="anymail.webhooks.mailgun:MailgunInboundWebhookView",
        secret="MAILGUN_WEBHOOK_SIGNING_KEY",  # noqa: S106 - a name
    ),
    "mailjet": Provider(view="anymail.webhooks.mailjet:MailjetInboundWebhookView"),
    "mailtrap": Provider(
        view="anymail.webhooks.mailtrap:MailtrapInboundWebhookView",
        secret="MAILTRAP_INBOUND_SECRET",  # noqa: S106 - a name
        needs=("MAILTRAP_API_TOKEN",),
    ),
    "mandrill": Provider(
        view="anymail.webhooks.mandrill:MandrillCombinedWebhookView",
        secret="MANDRILL_WEBHOOK_KEY",  # noqa: S106 - a name
    ),
    "postal": Provider(
        view="anymail.webhooks.postal:PostalInboundWebhookView",
        secret="POSTAL_WEBHOOK_KEY",  # noqa: S106 - a name
    ),
    "postmark": Provider(view="anymail.webhooks.postmark:PostmarkInboundWebhookView"),
    "resend": Provider(
        view="suppliers.mail_posts:Resend",
        secret="RESEND_INBOUND_SECRET",  # noqa: S106 - a name
        needs=("RESEND_API_KEY",),
    ),
    "sendgrid": Provider(view="anymail.webhooks.sendgrid:SendGridInboundWebhookView"),
    "sparkpost": Provider(view="anymail.webhooks.sparkpost:SparkPostInboundWebhookView"),
}
ONLY_NAMED = frozenset({"mailtrap", "resend"})  # these say nothing of the envelope


def missing(name: str) -> list[str]:
    """Return what a provider's entrance still needs; a name nobody knows needs to be one."""
    provider = PROVIDERS.get(name)
    if provider is None:
        return [f"a provider of that name: {', '.join(PROVIDERS)}"]
    return [key for key in (provider.secret, *provider.needs) if not settings.ANYMAIL.get(key)]


def is_open(name: str) -> bool:
    """Say whether mail may come in by this provider."""
    return name in settings.MAIL_PROVIDERS and not missing(name)
