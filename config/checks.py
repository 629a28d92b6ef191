"""What must not go into production: each fault with the way out."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from suppliers import mail_providers
from suppliers.recall_sources import SOURCES

NEW_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(64))"'
NEW_FIELD_KEY = (
    'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
)
LEAST_SECRET = 50  # characters, as Django's own check has it


def faults() -> Iterator[tuple[str, str, str]]:
    """Yield (id, fault, hint) for every unsafe setting of a production instance."""
    if not settings.IS_PRODUCTION:
        return
    if settings.DEBUG:
        yield "E001", "STEWARD_DEBUG is on: errors would show data.", "Unset STEWARD_DEBUG."
    if settings.SECRET_KEY == settings.DEV_KEY or len(settings.SECRET_KEY) < LEAST_SECRET:
        yield "E002", "SECRET_KEY is missing or short.", f"Set it to the output of: {NEW_KEY}"
    if settings.DEV_FIELD_KEY in settings.FIELD_KEYS:
        yield "E003", "FIELD_KEYS holds the published development key.", f"Use: {NEW_FIELD_KEY}"
    if settings.INDEX_KEY == settings.DEV_FIELD_KEY:
        yield "E004", "INDEX_KEY is the published development key.", f"Use: {NEW_FIELD_KEY}"
    if not settings.SITE_URL.startswith("https://"):
        yield "E005", "SITE_URL is not https.", "Set it to the public address, https://…"
    if "*" in settings.ALLOWED_HOSTS or set(settings.ALLOWED_HOSTS) <= settings.DEV_HOSTS:
        yield "E006", "ALLOWED_HOSTS names no public host.", "Set it to the host in SITE_URL."
    if not settings.DATABASE_URL:
        yield "E007", "DATABASE_URL is unset.", "Name a PostgreSQL server that is backed up."
    if not settings.REDIS_URL:
        yield "E008", "REDIS_URL is unset.", "Name a Redis server: limits must be shared."
    if not settings.ADMIN_ASKS_SECOND_FACTOR:
        yield "E010", "The admin opens without a second factor.", "Unset ADMIN_ASKS_SECOND_FACTOR."
    if settings.STEWARD_OUTBOX == "local":
        yield "E009", "STEWARD_OUTBOX=local would tell nobody anything.", "Unset STEWARD_OUTBOX."


def messages() -> list[CheckMessage]:
    """Return the faults as messages of Django's check framework."""
    return [Error(fault, hint=hint, id=f"steward.{name}") for name, fault, hint in faults()]


def refuse_unsafe() -> None:
    """Raise ImproperlyConfigured when production settings are unsafe: for processes that serve."""
    found = [f"{fault} {hint}" for _, fault, hint in faults()]
    if found:
        raise ImproperlyConfigured("Unsafe production settings:\n" + "\n".join(found))


@register(Tags.security)
def check_production(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Run with every command, so that an unsafe instance does not even migrate."""
    return messages()


@register()
def check_mail_providers(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A provider that is half set up is closed; say what it still needs."""
    return [
        Error(
            f"MAIL_PROVIDERS names {name!r}, whose entrance is closed.",
            hint=f"It needs {', '.join(wanted)} (docs/mail.md).",
            id="steward.E020",
        )
        for name in settings.MAIL_PROVIDERS
        if (wanted := mail_providers.missing(name))
    ]


@register()
def check_recall_sources(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A list that is not ours to ask is a slip of the pen; say which there are."""
    named = {*settings.RECALL_SOURCES, *settings.RECALL_BASES}
    return [
        Error(
            f"RECALL_SOURCES or RECALL_BASES names {name!r}, which is no list of recalls.",
            hint=f"There are {', '.join(SOURCES)}.",
            id="steward.E013",
        )
        for name in sorted(named - SOURCES.keys())
    ]
