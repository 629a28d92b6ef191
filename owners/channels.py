"""Channels: an address counts only after its owner has proved it."""

import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from owners import access
from owners.choices import ChannelKind
from owners.models import AccessEntry, Channel, ChannelCode, Household, Owner

# The chats that are spoken to, by the scheme of their address as Apprise writes it.
CHATS = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "matrix": "Matrix",
    "matrixs": "Matrix",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "pover": "Pushover",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "signal": "Signal",
    "signals": "Signal",
    "slack": "Slack",
    "tgram": "Telegram",
    "zulip": "Zulip",
}
NOT_IN_CHATS = ("template", "verify", "attach", "config", "include")  # files, and no check of TLS
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
CODES_A_DAY = 5  # every code may cost a message
WAKES_A_DAY = 60  # a device proves itself, and that costs nothing
CHANNELS_MOST = 10
SENT = "code_sent"


class ChannelError(Exception):
    """The channel cannot be added or proved; `code` says why."""

    def __init__(self, code: str, detail: str, **values: object) -> None:
        """Note the machine's and the reader's words; `values` are put into the latter."""
        super().__init__(detail % values)
        self.code = code
        self.detail = str(self)
        self._said = detail, values

    @property
    def words(self) -> str:
        """What the reader is told, in the language of the moment."""
        sentence, values = self._said
        return gettext(sentence) % values


def add(*, owner: Owner, kind: ChannelKind, address: str, now: datetime) -> Channel:
    """Add an unproved channel and have a code sent to it.

    An address the owner already has is returned as it is, with a new code when it is
    still unproved. Raises ChannelError for an address that cannot be one.
    """
    address = canonical(owner=owner, kind=kind, address=address)
    with transaction.atomic():
        Owner.objects.select_for_update().get(pk=owner.pk)
        channel = Channel.objects.for_owner(owner).at(kind, address).first()
        if channel is None:
            addressed = Channel.objects.for_owner(owner).exclude(kind=ChannelKind.PUSH)
            if addressed.count() >= CHANNELS_MOST:
                raise ChannelError(
                    "too_many", _("At most %(most)s channels are kept."), most=CHANNELS_MOST
                )
            channel = Channel(owner=owner, kind=kind, created_at=now)
            hint = CHATS[urlsplit(address).scheme] if kind == ChannelKind.CHAT else ""
            channel.set_address(address, hint=hint)
            channel.save()
            _note("channel_added", channel, now=now)
        if channel.verified_at is None:
            send_code(channel=channel, now=now)
    return channel


def canonical(*, owner: Owner, kind: ChannelKind, address: str) -> str:
    """Return the address in its one form: a lower-case mail address or an E.164 number."""
    if kind == ChannelKind.EMAIL:
        try:
            validate_email(address.strip())
        except ValidationError as error:
            raise ChannelError("address", _("This is not an e-mail address.")) from error
        return address.strip().lower()
    if kind == ChannelKind.CHAT:
        return _canonical_chat(address.strip())
    if kind not in (ChannelKind.SMS, ChannelKind.VOICE):
        raise ChannelError("kind", _("The feed needs no address."))
    home = Household.objects.for_owner(owner).exclude(country="").order_by("pk").first()
    try:
        number = phonenumbers.parse(address, home.country if home else None)
    except phonenumbers.NumberParseException as error:
        raise ChannelError("address", _("Write the number with its country: +1 212 …")) from error
    if not phonenumbers.is_possible_number(number):
        raise ChannelError("address", _("This is not a phone number."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _canonical_chat(address: str) -> str:
    """Return the address of a chat; only that it is one of those is known before the code."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in CHATS or not parts.netloc:
        known = ", ".join(dict.fromkeys(CHATS.values()))
        said = _("This is not the address of a chat known here: %(known)s.")
        raise ChannelError("address", said, known=known)
    if any(name.lower() in NOT_IN_CHATS for name, _ in parse_qsl(parts.query)):
        raise ChannelError("address", _("This address asks for more than a message."))
    return address


def send_code(*, channel: Channel, now: datetime) -> ChannelCode:
    """Write a new code for the channel; earlier ones stop working.

    Raises ChannelError once too many were sent in a day.
    """
    with transaction.atomic():
        # The limit is over all of the owner's channels, also those that are gone with their
        # codes by now: the log keeps what was sent.
        Owner.objects.select_for_update(no_key=True).get(pk=channel.owner_id)
        sent = AccessEntry.objects.filter(
            subject_id=channel.owner_id, kind=SENT, at__gt=now - timedelta(days=1)
        )
        is_push = channel.kind == ChannelKind.PUSH
        sent = (
            sent.filter(what__channel=channel.kind)
            if is_push
            else sent.exclude(what__channel=ChannelKind.PUSH)
        )
        if sent.count() >= (WAKES_A_DAY if is_push else CODES_A_DAY):
            raise ChannelError("too_many_codes", _("No more codes today; try again tomorrow."))
        channel.codes.filter(expires_at__gt=now).update(expires_at=now)
        code = ChannelCode(channel=channel, created_at=now, expires_at=now + CODE_LIFE)
        code.set_code(f"{secrets.randbelow(10**6):06}")
        code.save()
        _note(SENT, channel, now=now)
    return code


def verify(*, channel: Channel, code: str, now: datetime) -> bool:
    """Prove a channel with the code it got; return whether that was the code.

    A wrong try is counted and committed, so it is an answer and not an exception that
    would roll it back.
    """
    with transaction.atomic():
        live = (
            channel.codes.select_for_update()
            .filter(used_at=None, expires_at__gt=now, tries__lt=CODE_TRIES)
            .order_by("-pk")
            .first()
        )
        if live is None:
            return False
        if not hmac.compare_digest(live.code.encode(), code.strip().encode()):
            live.tries += 1
            live.save(update_fields=["tries"])
            return False
        live.used_at = now
        live.save(update_fields=["used_at"])
        channel.verified_at = now
        channel.failed_at = None
        channel.failure = ""
        channel.save(update_fields=["verified_at", "failed_at", "failure"])
        _note("channel_verified", channel, now=now)
    return True


def trust_email(*, owner: Owner, address: str, now: datetime) -> Channel:
    """Let an e-mail address count that sign-in has verified."""
    address = address.strip().lower()
    with transaction.atomic():
        Owner.objects.select_for_update().get(pk=owner.pk)
        channel = Channel.objects.for_owner(owner).at(ChannelKind.EMAIL, address).first()
        if channel is None:
            channel = Channel(owner=owner, kind=ChannelKind.EMAIL, created_at=now)
            channel.set_address(address)
        channel.verified_at = channel.verified_at or now
        channel.save()
    return channel


def set_bare(*, channel: Channel, is_bare: bool, now: datetime) -> None:
    """Say whether words go to a channel, or only that there is news."""
    if channel.is_bare == is_bare:
        return
    with transaction.atomic():
        channel.is_bare = is_bare
        channel.save(update_fields=["is_bare"])
        _note("channel_changed", channel, now=now)


def choose(*, channel: Channel, now: datetime) -> None:
    """Use this channel first of those of its kind."""
    with transaction.atomic():
        channel.chosen_at = now
        channel.save(update_fields=["chosen_at"])
        _note("channel_changed", channel, now=now)


def remove(*, channel: Channel, now: datetime) -> None:
    """Forget a channel."""
    with transaction.atomic():
        _note("channel_removed", channel, now=now)
        channel.delete()


def _note(kind: str, channel: Channel, *, now: datetime) -> None:
    what = {"channel": channel.kind, "address": channel.hint}
    access.note(kind=kind, actor=channel.owner, what=what, now=now)
