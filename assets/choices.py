"""The words an asset is described with (ISO 55000, EN 13306)."""

from django.db.models import TextChoices


class AssetKind(TextChoices):
    """What sort of thing it is; templates and icons follow it."""

    HOME = "home", "Home"
    VEHICLE = "vehicle", "Vehicle"
    APPLIANCE = "appliance", "Appliance"
    HEATING = "heating", "Heating"
    ELECTRONICS = "electronics", "Electronics"
    BOAT = "boat", "Boat"
    TOOL = "tool", "Tool"
    INSTRUMENT = "instrument", "Instrument"
    SUBSCRIPTION = "subscription", "Subscription"
    OTHER = "other", "Other"


class Lifecycle(TextChoices):
    """Where the asset is in its life with this household."""

    PLANNED = "planned", "Planned"
    ORDERED = "ordered", "Ordered"
    RECEIVED = "received", "Received"
    ACTIVE = "active", "In use"
    LEAVING = "leaving", "Leaving"
    ENDED = "ended", "Ended"


class OperationalStatus(TextChoices):
    """Whether the asset can do its work."""

    IN_SERVICE = "in_service", "In service"
    STORED = "stored", "Stored"
    OUT_OF_ORDER = "out_of_order", "Out of order"
    UNDER_REPAIR = "under_repair", "Under repair"


class Custody(TextChoices):
    """Who has the asset in hand."""

    WITH_OWNER = "with_owner", "With us"
    LENT = "lent", "Lent"
    WITH_PROVIDER = "with_provider", "With a supplier"
    IN_TRANSIT = "in_transit", "On its way"
    LOST = "lost", "Lost"
    STOLEN = "stolen", "Stolen"


class IdentifierScheme(TextChoices):
    """Kinds of identifiers that name one asset or its product."""

    SERIAL = "serial", "Serial number"
    VIN = "vin", "VIN"
    IMEI = "imei", "IMEI"
    GTIN = "gtin", "GTIN"
    POLICY_NUMBER = "policyNumber", "Policy number"
    METER_POINT = "meterPoint", "Meter point"
    PLATE = "plate", "Number plate"
    DIGITAL_LINK = "digitalLink", "GS1 Digital Link"


class FindableKind(TextChoices):
    """What can be found by words."""

    ASSET = "asset", "Assets"
    JOURNEY = "journey", "Journeys"
    SUPPLIER = "supplier", "Suppliers"
    DOCUMENT = "document", "Documents"
    CONTACT = "contact", "What was said"


class DocumentKind(TextChoices):
    """What a paper is for."""

    PHOTO = "photo", "Photo"
    RECEIPT = "receipt", "Receipt"
    MANUAL = "manual", "Manual"
    WARRANTY = "warranty", "Warranty"
    CONTRACT = "contract", "Contract"
    OTHER = "other", "Other"
