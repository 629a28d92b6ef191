"""The words of sharing an asset and of passing it on."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SharePart(TextChoices):
    """What a share shows beside what the thing is and what care is due."""

    HISTORY = "history", _("What was done, without costs")
    PAPERS = "papers", _("Manuals")
    PHOTO = "photo", _("Its photo")
    NUMBERS = "numbers", _("Serial and other numbers")


class TransferState(TextChoices):
    """Where a transfer is."""

    DRAFT = "draft", _("Being prepared")
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    COMPLETED = "completed", _("Handed over")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Taken back")
    EXPIRED = "expired", _("Expired")
    UNDONE = "undone", _("Undone by both")


class TakenTo(TextChoices):
    """Where the next owner keeps it."""

    HERE = "here", _("A household here")
    ELSEWHERE = "elsewhere", _("Another server")
    PAPER = "paper", _("On paper")


class PackageClass(TextChoices):
    """Why a record passes: what it is to whoever has the thing next."""

    FACT = "asset_fact", _("What the thing is")
    CARE = "care_history", _("What was done with it")
    RIGHT = "transferable_right", _("Rights and things that go along")


class RecordSource(TextChoices):
    """Who stated a record of a package."""

    SELF = "self", _("The owner who handed it over")
    SUPPLIER = "supplier", _("A supplier")
    IMPORTED = "imported", _("Brought along from before")


class CheckPoint(TextChoices):
    """What is easily forgotten before a thing goes."""

    SIGN_OUT = "sign_out", _("Sign out of its accounts and apps")
    UNPAIR = "unpair", _("Unpair it from phones, assistants and the house")
    WIPE = "wipe", _("Copy what you want to keep, and wipe the rest")
    RESET = "reset", _("Set it back to how it left the factory")
    KEYS = "keys", _("Give every key, remote and code along")
    CODES = "codes", _("Change the codes that stay yours")
    CARDS = "cards", _("Take out cards, tolls and permits")
    SIGN_OFF = "sign_off", _("Sign it off with the authority")
    INSURANCE = "insurance", _("End its insurance, or pass it on")
    CONTRACTS = "contracts", _("End its contracts, or pass them on")


CHECKLISTS: dict[str, tuple[CheckPoint, ...]] = {
    "vehicle": (
        CheckPoint.SIGN_OFF,
        CheckPoint.INSURANCE,
        CheckPoint.SIGN_OUT,
        CheckPoint.UNPAIR,
        CheckPoint.WIPE,
        CheckPoint.CARDS,
        CheckPoint.KEYS,
    ),
    "home": (
        CheckPoint.CONTRACTS,
        CheckPoint.INSURANCE,
        CheckPoint.UNPAIR,
        CheckPoint.KEYS,
        CheckPoint.CODES,
    ),
    "electronics": (
        CheckPoint.SIGN_OUT,
        CheckPoint.UNPAIR,
        CheckPoint.WIPE,
        CheckPoint.RESET,
    ),
    "subscription": (CheckPoint.CONTRACTS, CheckPoint.SIGN_OUT),
    "boat": (CheckPoint.SIGN_OFF, CheckPoint.INSURANCE, CheckPoint.WIPE, CheckPoint.KEYS),
}
USUAL_CHECKLIST = (
    CheckPoint.SIGN_OUT,
    CheckPoint.UNPAIR,
    CheckPoint.RESET,
    CheckPoint.KEYS,
)
