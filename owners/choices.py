"""The words an owner's side is described with."""

from django.db.models import IntegerChoices, TextChoices


class Rank(TextChoices):
    """What a member may do in a household, from least to most."""

    VIEWER = "viewer", "Viewer"
    HELPER = "helper", "Helper"
    MEMBER = "member", "Member"
    ADMIN = "admin", "Admin"


class ChannelKind(TextChoices):
    """Where an owner can be reached. The feed needs no address."""

    FEED = "feed", "Feed"
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"


class Topic(TextChoices):
    """What a notification is about: the rows of the reach matrix."""

    ARRIVING = "arriving", "Someone is arriving"
    CHANGED = "changed", "A time, place or price changed"
    FAILED = "failed", "Something failed"
    MONEY = "money", "Money is due"
    QUESTION = "question", "A question to me"
    PROGRESS = "progress", "Progress"
    CARE = "care", "Care is due"
    OFFER = "offer", "An offer"
    FEEDBACK = "feedback", "A request for feedback"
    LEGAL = "legal", "A legal letter"


class Moment(TextChoices):
    """When the owner wants to hear of a topic: the columns of the reach matrix."""

    NOW = "now", "Now"
    TODAY = "today", "Today"
    WEEK = "week", "This week"
    NEVER = "never", "Never"


class Scope(TextChoices):
    """What a wish of its own may be about; the later, the more specific."""

    SUPPLIER = "supplier", "Supplier"
    ASSET = "asset", "Asset"
    JOURNEY = "journey", "Journey"


class TokenScope(TextChoices):
    """What the holder of a token may do."""

    READ = "read", "Read"
    ACT = "act", "Read and act"


class ExportState(TextChoices):
    """How far an export is."""

    WAITING = "waiting", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class Level(TextChoices):
    """How loudly a notification speaks."""

    INTERRUPT = "interrupt", "Interrupts"
    FEED = "feed", "Changes the card, silently"


class Trust(IntegerChoices):
    """How far a statement is believed; a lower one never overrides a higher one silently."""

    UNKNOWN = 0, "Unknown sender"
    UNAUTHENTICATED = 1, "Mail that proves nothing"
    KNOWN_NUMBER = 2, "Known number"
    AUTHENTICATED = 3, "Authenticated mail"
    SIGNED = 4, "Signed webhook"
    OWNER = 5, "The owner"
