"""The words an owner's side is described with."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Rank(TextChoices):
    """What a member may do in a household, from least to most."""

    VIEWER = "viewer", _("Viewer")
    HELPER = "helper", _("Helper")
    MEMBER = "member", _("Member")
    ADMIN = "admin", _("Admin")


class ChannelKind(TextChoices):
    """Where an owner can be reached. The feed needs no address."""

    FEED = "feed", _("Feed")
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    PUSH = "push", _("Push")
    VOICE = "voice", _("Call")
    CHAT = "chat", _("Chat")


class Topic(TextChoices):
    """What a notification is about: the rows of the reach matrix."""

    ARRIVING = "arriving", _("Someone is arriving")
    CHANGED = "changed", _("A time, place or price changed")
    FAILED = "failed", _("Something failed")
    MONEY = "money", _("Money is due")
    QUESTION = "question", _("A question to me")
    PROGRESS = "progress", _("Progress")
    CARE = "care", _("Care is due")
    OFFER = "offer", _("An offer")
    FEEDBACK = "feedback", _("A request for feedback")
    LEGAL = "legal", _("A legal letter")


class Moment(TextChoices):
    """When the owner wants to hear of a topic: the columns of the reach matrix."""

    NOW = "now", _("Now")
    TODAY = "today", _("Today")
    WEEK = "week", _("This week")
    NEVER = "never", _("Never")


class Scope(TextChoices):
    """What a wish of its own may be about; the later, the more specific."""

    SUPPLIER = "supplier", _("Supplier")
    ASSET = "asset", _("Asset")
    JOURNEY = "journey", _("Journey")


class TokenScope(TextChoices):
    """What the holder of a token may do."""

    READ = "read", _("Read")
    ACT = "act", _("Read and act")


class ExportState(TextChoices):
    """How far an export is."""

    WAITING = "waiting", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class RestoreState(TextChoices):
    """How far an export that is brought in is."""

    LOOKED_AT = "looked_at", _("Looked at")
    WAITING = "waiting", _("Being brought in")
    DONE = "done", _("Brought in")
    FAILED = "failed", _("Failed")


class Level(TextChoices):
    """How loudly a notification speaks."""

    INTERRUPT = "interrupt", _("Interrupts")
    FEED = "feed", _("Changes the card, silently")


class Trust(IntegerChoices):
    """How far a statement is believed; a lower one never overrides a higher one silently."""

    UNKNOWN = 0, _("Unknown sender")
    UNAUTHENTICATED = 1, _("Mail that proves nothing")
    KNOWN_NUMBER = 2, _("Known number")
    AUTHENTICATED = 3, _("Authenticated mail")
    SIGNED = 4, _("Signed webhook")
    OWNER = 5, _("The owner")
