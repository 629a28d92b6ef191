"""The words the feed and deliveries are described with."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JourneyState(TextChoices):
    """Whether the matter is finished; only the owner closes."""

    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class Turn(TextChoices):
    """Who has to move next."""

    OWNER = "owner", _("Yours")
    SUPPLIER = "supplier", _("Theirs")
    THIRD = "third", _("A third party's")


class AppointmentState(TextChoices):
    """The life of a visit, delivery or call."""

    OFFERED = "offered", _("Offered")
    REQUESTED = "requested", _("Requested")
    BOOKED = "booked", _("Booked")
    CONFIRMED = "confirmed", _("Confirmed")
    ON_THE_WAY = "on_the_way", _("On the way")
    STARTED = "started", _("Started")
    DONE = "done", _("Done")
    MISSED = "missed", _("Missed")
    CANCELLED = "cancelled", _("Cancelled")
    DECLINED = "declined", _("Declined")


class SurveyState(TextChoices):
    """The life of a request for feedback."""

    HELD = "held", _("Held")
    OFFERED = "offered", _("Offered")
    ANSWERED = "answered", _("Answered")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")


class PromiseState(TextChoices):
    """The life of a promise."""

    OPEN = "open", _("Open")
    KEPT = "kept", _("Kept")
    MISSED = "missed", _("Missed")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class FactState(TextChoices):
    """Whether a fact still holds."""

    CURRENT = "current", _("Current")
    REPLACED = "replaced", _("Replaced")
    CONFLICT = "conflict", _("In conflict")


class Section(TextChoices):
    """Where a card stands in the feed."""

    NEEDS_YOU = "needs_you", _("Needs you")
    ON_ITS_WAY = "on_its_way", _("On its way")
    QUIET = "quiet", _("Quiet")
    DONE = "done", _("Done")


class NotificationState(TextChoices):
    """A notification is planned, told once, or overtaken before it was told."""

    PLANNED = "planned", _("Planned")
    TOLD = "told", _("Told")
    SUPERSEDED = "superseded", _("Superseded")


class DeliveryState(TextChoices):
    """One message on one channel."""

    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")  # the provider may have taken it
    EXPIRED = "expired", _("Expired")
    SUPERSEDED = "superseded", _("Superseded")
    PARKED = "parked", _("Parked")


class DeliveryPurpose(TextChoices):
    """What a delivery carries."""

    NOTIFICATION = "notification", _("Notification")
    DIGEST = "digest", _("Digest")
    REPORT = "report", _("Monthly report")
    CODE = "code", _("Code")
    INVITATION = "invitation", _("Invitation")
    CHECK = "check", _("Test")


class PassWay(TextChoices):
    """How somebody came to read a pass."""

    CODE = "code", _("Spoken code")
    LINK = "link", _("Link")
    MACHINE = "machine", _("Program")


class PushService(TextChoices):
    """Who wakes a device."""

    WEB = "web", _("Browser")
    FCM = "fcm", _("Android app")
    APNS = "apns", _("iPhone app")
