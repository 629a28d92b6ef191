"""The words an asset is described with (ISO 55000, EN 13306)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AssetKind(TextChoices):
    """What sort of thing it is; templates and icons follow it."""

    HOME = "home", _("Home")
    VEHICLE = "vehicle", _("Vehicle")
    APPLIANCE = "appliance", _("Appliance")
    HEATING = "heating", _("Heating")
    ELECTRONICS = "electronics", _("Electronics")
    BOAT = "boat", _("Boat")
    TOOL = "tool", _("Tool")
    INSTRUMENT = "instrument", _("Instrument")
    SUBSCRIPTION = "subscription", _("Subscription")
    OTHER = "other", _("Other")


class Lifecycle(TextChoices):
    """Where the asset is in its life with this household."""

    PLANNED = "planned", _("Planned")
    ORDERED = "ordered", _("Ordered")
    RECEIVED = "received", _("Received")
    ACTIVE = "active", _("In use")
    LEAVING = "leaving", _("Leaving")
    ENDED = "ended", _("Ended")


class OperationalStatus(TextChoices):
    """Whether the asset can do its work."""

    IN_SERVICE = "in_service", _("In service")
    STORED = "stored", _("Stored")
    OUT_OF_ORDER = "out_of_order", _("Out of order")
    UNDER_REPAIR = "under_repair", _("Under repair")


class Custody(TextChoices):
    """Who has the asset in hand."""

    WITH_OWNER = "with_owner", _("With us")
    LENT = "lent", _("Lent")
    WITH_PROVIDER = "with_provider", _("With a supplier")
    IN_TRANSIT = "in_transit", _("On its way")
    LOST = "lost", _("Lost")
    STOLEN = "stolen", _("Stolen")


class IdentifierScheme(TextChoices):
    """Kinds of identifiers that name one asset or its product."""

    SERIAL = "serial", _("Serial number")
    VIN = "vin", _("VIN")
    IMEI = "imei", _("IMEI")
    GTIN = "gtin", _("GTIN")
    POLICY_NUMBER = "policyNumber", _("Policy number")
    METER_POINT = "meterPoint", _("Meter point")
    PLATE = "plate", _("Number plate")
    DIGITAL_LINK = "digitalLink", _("GS1 Digital Link")


class FindableKind(TextChoices):
    """What can be found by words."""

    ASSET = "asset", _("Assets")
    JOURNEY = "journey", _("Journeys")
    SUPPLIER = "supplier", _("Suppliers")
    DOCUMENT = "document", _("Documents")
    CONTACT = "contact", _("What was said")


class DocumentKind(TextChoices):
    """What a paper is for."""

    PHOTO = "photo", _("Photo")
    RECEIPT = "receipt", _("Receipt")
    MANUAL = "manual", _("Manual")
    WARRANTY = "warranty", _("Warranty")
    CONTRACT = "contract", _("Contract")
    OTHER = "other", _("Other")
