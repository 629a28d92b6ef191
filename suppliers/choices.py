"""The words suppliers, and what they send, are described with."""

from django.db.models import IntegerChoices, TextChoices


class RoleKind(TextChoices):
    """What a supplier is for one asset."""

    MAKER = "maker", "Maker"
    SELLER = "seller", "Seller"
    INSTALLER = "installer", "Installer"
    INSURER = "insurer", "Insurer"
    REPAIRER = "repairer", "Repairer"
    UTILITY = "utility", "Utility"
    SUBSCRIPTION = "subscription", "Subscription"
    AUTHORITY = "authority", "Authority"


class Purpose(TextChoices):
    """What a mandate may allow a supplier to write about; safety needs none."""

    SERVICE = "service", "Service"
    BILLING = "billing", "Billing"
    FEEDBACK = "feedback", "Feedback"
    MARKETING = "marketing", "Marketing"


class MandateState(TextChoices):
    """The life of a mandate."""

    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"


class Way(TextChoices):
    """The entrance through which something arrived."""

    WEBHOOK = "webhook", "Signed webhook"
    MAIL = "mail", "E-mail"
    TELEPHONY = "telephony", "Telephony"
    OWNER = "owner", "The owner's log"


class EventState(TextChoices):
    """Where an inbound event is on its way to becoming a contact."""

    STORED = "stored", "Stored"
    PROCESSED = "processed", "Processed"
    REJECTED = "rejected", "Rejected"
    PARKED = "parked", "Parked"


class Medium(TextChoices):
    """How a contact reached the owner."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    CALL = "call", "Call"
    VOICEMAIL = "voicemail", "Voicemail"
    LETTER = "letter", "Letter"
    CHAT = "chat", "Chat"
    APP = "app", "App"
    IN_PERSON = "in_person", "In person"
    NONE = "none", "Data only"


class Direction(TextChoices):
    """Seen from the owner."""

    IN = "in", "To the owner"
    OUT = "out", "From the owner"


class CallStatus(TextChoices):
    """How a call went."""

    ANSWERED = "answered", "Answered"
    MISSED = "missed", "Missed"
    DROPPED = "dropped", "Cut off"
    VOICEMAIL = "voicemail", "Voicemail"


class ContactKind(TextChoices):
    """What kind of thing was said."""

    MESSAGE = "message", "Message"
    CALL = "call", "Call"
    VOICEMAIL = "voicemail", "Voicemail"
    VISIT_CHANGE = "visit_change", "Visit"
    VISIT_PROGRESS = "visit_progress", "Visit progress"
    PROGRESS = "progress", "Progress"
    SURVEY_REQUEST = "survey_request", "Survey request"
    SURVEY_CLOSED = "survey_closed", "Survey closed"
    ADVERT = "advert", "Advert"
    RECALL = "recall", "Recall"
    NOTE = "note", "Note"


class Outcome(TextChoices):
    """What became of a contact; empty until the rules have decided."""

    OWN = "own", "Yours"
    SHOWN = "shown", "Shown"
    ABSORBED = "absorbed", "Said nothing new"
    HELD = "held", "Held back"
    DOOR = "door", "At the door"
    REFUSED = "refused", "Refused"
    DUPLICATE = "duplicate", "The same message again"


class Stage(IntegerChoices):
    """How far the work is. Stages only move forward; the last two end it."""

    ASKED = 1, "Asked"
    QUOTED = 2, "Quoted"
    BOOKED = 3, "Booked"
    CONFIRMED = 4, "Confirmed"
    ON_THE_WAY = 5, "On the way"
    STARTED = 6, "Started"
    DONE = 7, "Done"
    MISSED = 8, "Missed"
    CANCELLED = 9, "Cancelled"


class Authentication(TextChoices):
    """What the sender's proof came to."""

    PASS = "pass", "Passed"
    FAIL = "fail", "Failed"
    NONE = "none", "None"
