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
