"""The words suppliers, and what they send, are described with."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class RoleKind(TextChoices):
    """What a supplier is for one asset."""

    MAKER = "maker", _("Maker")
    SELLER = "seller", _("Seller")
    INSTALLER = "installer", _("Installer")
    INSURER = "insurer", _("Insurer")
    REPAIRER = "repairer", _("Repairer")
    UTILITY = "utility", _("Utility")
    SUBSCRIPTION = "subscription", _("Subscription")
    AUTHORITY = "authority", _("Authority")


class Purpose(TextChoices):
    """What a mandate may allow a supplier to write about; safety needs none."""

    SERVICE = "service", _("Service")
    BILLING = "billing", _("Billing")
    FEEDBACK = "feedback", _("Feedback")
    MARKETING = "marketing", _("Marketing")


class FactName(TextChoices):
    """What a mandate may let a supplier know; none of it unless it is granted."""

    NAME = "name", _("Whom to ask for")
    ADDRESS = "address", _("Address")
    PHONE = "phone", _("Phone number for visits")
    ACCESS = "access_notes", _("How to get in")
    MODEL = "model", _("Maker and model")
    SERIAL = "serial", _("Serial number and other numbers")
    PLACE = "place", _("Where it stands")
    BOUGHT = "bought_on", _("When it was bought")


# Of the home, written by the household for this; the others are read from each asset.
HOME_FACTS = (FactName.NAME, FactName.ADDRESS, FactName.PHONE, FactName.ACCESS)


class TermsEvent(TextChoices):
    """What happened to the owner's terms, as both sides keep it."""

    PROFFERED = "proffered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    ALTERNATIVE = "alternative_offered", _("Another offered")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class MandateState(TextChoices):
    """The life of a mandate."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Way(TextChoices):
    """The entrance through which something arrived."""

    WEBHOOK = "webhook", _("Signed webhook")
    MAIL = "mail", _("E-mail")
    TELEPHONY = "telephony", _("Telephony")
    OWNER = "owner", _("The owner's log")
    PASS = "pass", _("A pass")


class CheckKind(TextChoices):
    """What an owner checks: that mail arrives, or that calls and texts do."""

    MAIL = "mail", _("Mail")
    NUMBER = "number", _("Number")


class EventState(TextChoices):
    """Where an inbound event is on its way to becoming a contact."""

    STORED = "stored", _("Stored")
    PROCESSED = "processed", _("Processed")
    REJECTED = "rejected", _("Rejected")
    PARKED = "parked", _("Parked")


class Medium(TextChoices):
    """How a contact reached the owner."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    CALL = "call", _("Call")
    VOICEMAIL = "voicemail", _("Voicemail")
    LETTER = "letter", _("Letter")
    CHAT = "chat", _("Chat")
    APP = "app", _("App")
    IN_PERSON = "in_person", _("In person")
    NONE = "none", _("Data only")


class Direction(TextChoices):
    """Seen from the owner."""

    IN = "in", _("To the owner")
    OUT = "out", _("From the owner")


class CallStatus(TextChoices):
    """How a call went."""

    ANSWERED = "answered", _("Answered")
    MISSED = "missed", _("Missed")
    DROPPED = "dropped", _("Cut off")
    VOICEMAIL = "voicemail", _("Voicemail")


class ContactKind(TextChoices):
    """What kind of thing was said."""

    MESSAGE = "message", _("Message")
    CALL = "call", _("Call")
    VOICEMAIL = "voicemail", _("Voicemail")
    VISIT_CHANGE = "visit_change", _("Visit")
    VISIT_PROGRESS = "visit_progress", _("Visit progress")
    PROGRESS = "progress", _("Progress")
    SURVEY_REQUEST = "survey_request", _("Survey request")
    SURVEY_CLOSED = "survey_closed", _("Survey closed")
    ADVERT = "advert", _("Advert")
    RECALL = "recall", _("Recall")
    NOTE = "note", _("Note")


class Outcome(TextChoices):
    """What became of a contact; empty until the rules have decided."""

    OWN = "own", _("Yours")
    SHOWN = "shown", _("Shown")
    ABSORBED = "absorbed", _("Said nothing new")
    HELD = "held", _("Held back")
    DOOR = "door", _("At the door")
    REFUSED = "refused", _("Refused")
    DUPLICATE = "duplicate", _("The same message again")


class Stage(IntegerChoices):
    """How far the work is. Stages only move forward; the last two end it."""

    ASKED = 1, _("Asked")
    QUOTED = 2, _("Quoted")
    BOOKED = 3, _("Booked")
    CONFIRMED = 4, _("Confirmed")
    ON_THE_WAY = 5, _("On the way")
    STARTED = 6, _("Started")
    DONE = 7, _("Done")
    MISSED = 8, _("Missed")
    CANCELLED = 9, _("Cancelled")


class Authentication(TextChoices):
    """What the sender's proof came to."""

    PASS = "pass", _("Passed")
    FAIL = "fail", _("Failed")
    NONE = "none", _("None")


class StaffRole(TextChoices):
    """What one of a supplier's people may do; each also does what the one before does."""

    AGENT = "agent", _("Agent")
    DEVELOPER = "developer", _("Developer")
    ADMIN = "admin", _("Admin")


STAFF_ORDER = tuple(StaffRole)


class PersonState(TextChoices):
    """Whether one of a supplier's people may enter."""

    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    REVOKED = "revoked", _("Removed")


class LinkKind(TextChoices):
    """What a link into the portal is for."""

    SIGN_UP = "sign_up", _("Sign up")
    SIGN_IN = "sign_in", _("Sign in")
    JOIN = "join", _("Join")


class ProofKind(TextChoices):
    """What a supplier proves to be its own."""

    DOMAIN = "domain", _("Domain")
    NUMBER = "number", _("Phone number")


class ProposalState(TextChoices):
    """What became of a thing that an order proposed."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Added")
    DECLINED = "declined", _("Not yours")
    KNOWN = "known", _("You have it already")
    WITHDRAWN = "withdrawn", _("The order was cancelled")


class NewsKind(TextChoices):
    """What a household tells many suppliers at once."""

    MOVED = "moved", _("A new address")
    NUMBER = "number", _("A new phone number")
    EMAIL = "email", _("A new mail address")
    NAME = "name", _("A new name")
    SOLD = "sold", _("Sold or given away")
    GONE = "gone", _("Scrapped, lost or stolen")


class AnswerState(TextChoices):
    """What a supplier that was told something has answered."""

    WAITING = "waiting", _("No answer yet")
    RECEIVED = "received", _("Received")
    ANSWERED = "answered", _("Answered")
    CONFIRMED = "confirmed", _("Confirmed")
    NEEDS = "needs", _("They need something")
    SETTLED = "settled", _("Settled by you")
