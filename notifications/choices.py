"""The words the feed and deliveries are described with."""

from django.db.models import TextChoices


class JourneyState(TextChoices):
    """Whether the matter is finished; only the owner closes."""

    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class Turn(TextChoices):
    """Who has to move next."""

    OWNER = "owner", "Yours"
    SUPPLIER = "supplier", "Theirs"
    THIRD = "third", "A third party's"


class AppointmentState(TextChoices):
    """The life of a visit, delivery or call."""

    OFFERED = "offered", "Offered"
    REQUESTED = "requested", "Requested"
    BOOKED = "booked", "Booked"
    CONFIRMED = "confirmed", "Confirmed"
    ON_THE_WAY = "on_the_way", "On the way"
    STARTED = "started", "Started"
    DONE = "done", "Done"
    MISSED = "missed", "Missed"
    CANCELLED = "cancelled", "Cancelled"
    DECLINED = "declined", "Declined"


class SurveyState(TextChoices):
    """The life of a request for feedback."""

    HELD = "held", "Held"
    OFFERED = "offered", "Offered"
    ANSWERED = "answered", "Answered"
    DECLINED = "declined", "Declined"
    EXPIRED = "expired", "Expired"


class PromiseState(TextChoices):
    """The life of a promise."""

    OPEN = "open", "Open"
    KEPT = "kept", "Kept"
    MISSED = "missed", "Missed"
    WITHDRAWN = "withdrawn", "Withdrawn"


class FactState(TextChoices):
    """Whether a fact still holds."""

    CURRENT = "current", "Current"
    REPLACED = "replaced", "Replaced"
    CONFLICT = "conflict", "In conflict"


class Section(TextChoices):
    """Where a card stands in the feed."""

    NEEDS_YOU = "needs_you", "Needs you"
    ON_ITS_WAY = "on_its_way", "On its way"
    QUIET = "quiet", "Quiet"
    DONE = "done", "Done"


class NotificationState(TextChoices):
    """A notification is planned, told once, or overtaken before it was told."""

    PLANNED = "planned", "Planned"
    TOLD = "told", "Told"
    SUPERSEDED = "superseded", "Superseded"


class DeliveryState(TextChoices):
    """One message on one channel."""

    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"  # the provider may have taken it
    EXPIRED = "expired", "Expired"
    SUPERSEDED = "superseded", "Superseded"
    PARKED = "parked", "Parked"


class DeliveryPurpose(TextChoices):
    """What a delivery carries."""

    NOTIFICATION = "notification", "Notification"
    DIGEST = "digest", "Digest"
    CODE = "code", "Code"
