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
    HULL = "hull", _("Hull number")
    MPN = "mpn", _("Maker's part number")
    LOT = "lot", _("Lot or batch")
    EPREL = "eprel", _("EPREL number")
    PASSPORT = "passport", _("Product passport")
    MAC = "mac", _("MAC address")
    PARCEL = "parcel", _("Land register")
    ASSET_TAG = "assetTag", _("Own number")
    OTHER = "other", _("Other number")


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
    CERTIFICATE = "certificate", _("Certificate")
    OTHER = "other", _("Other")


class Source(TextChoices):
    """Who stated what is written down: what a supplier states weighs more to a buyer."""

    SELF = "self", _("You")
    SUPPLIER = "supplier", _("A supplier")
    IMPORTED = "imported", _("An import")


class EndReason(TextChoices):
    """Why an asset's life here ended."""

    SOLD = "sold", _("Sold")
    TRADED_IN = "traded_in", _("Traded in")
    GIFTED = "gifted", _("Given to somebody")
    DONATED = "donated", _("Donated")
    INHERITED = "inherited", _("Inherited by somebody")
    RETURNED = "returned", _("Returned to the seller")
    LEASE_END = "lease_end", _("Lease ended")
    RECYCLED = "recycled", _("Recycled")
    SCRAPPED = "scrapped", _("Scrapped")
    TOTAL_LOSS = "total_loss", _("Total loss")
    LOST = "lost", _("Lost")
    STOLEN = "stolen", _("Stolen")
    CONSUMED = "consumed", _("Used up")
    CANCELLED = "cancelled", _("Order cancelled")


class LeavingAs(TextChoices):
    """How an asset that is leaving is to leave."""

    FOR_SALE = "for_sale", _("For sale")
    TRADE_IN = "trade_in", _("To be traded in")
    GIVE_AWAY = "give_away", _("To be given away")
    SCRAP = "scrap", _("To be scrapped")


class Condition(TextChoices):
    """What state it was in when it was bought; the law asks for it."""

    NEW = "new", _("New")
    USED = "used", _("Used")
    REFURBISHED = "refurbished", _("Refurbished")


class BoughtAs(TextChoices):
    """As whom it was bought; consumers have more rights."""

    CONSUMER = "consumer", _("As a consumer")
    BUSINESS = "business", _("For a business")


class PriceKind(TextChoices):
    """What one line of a price is."""

    GROSS = "gross", _("Price with tax")
    NET = "net", _("Price without tax")
    TAX = "tax", _("Tax")
    DELIVERY = "delivery", _("Delivery")
    INSTALLATION = "installation", _("Installation")
    DISCOUNT = "discount", _("Discount")


class CoverageKind(TextChoices):
    """What stands behind a promise to pay or repair."""

    LEGAL_GUARANTEE = "legal_guarantee", _("Legal guarantee")
    COMMERCIAL_GUARANTEE = "commercial_guarantee", _("Maker's guarantee")
    EXTENDED_WARRANTY = "extended_warranty", _("Extended warranty")
    INSURANCE = "insurance", _("Insurance")
    SERVICE_CONTRACT = "service_contract", _("Service contract")
    PAYMENT_CARD = "payment_card", _("Card cover")
    RECALL_REMEDY = "recall_remedy", _("Recall remedy")
    REPAIR_WARRANTY = "repair_warranty", _("Guarantee on a repair")


class CoverageState(TextChoices):
    """What the owner or the obligor said of a cover; its dates say the rest."""

    ACTIVE = "active", _("In force")
    PENDING = "pending", _("Not yet in force")
    SUSPENDED = "suspended", _("Suspended")
    EXPIRED = "expired", _("Over")
    VOIDED = "voided", _("Void")


class CostCategory(TextChoices):
    """What money was spent on, or came back for."""

    PURCHASE = "purchase", _("Purchase")
    SERVICE = "service", _("Service")
    REPAIR = "repair", _("Repair")
    PARTS = "parts", _("Parts and supplies")
    ENERGY = "energy", _("Fuel and energy")
    INSURANCE = "insurance", _("Insurance")
    TAX = "tax", _("Tax")
    FEE = "fee", _("Fee")
    UPGRADE = "upgrade", _("Upgrade")
    SUBSCRIPTION = "subscription", _("Subscription")
    INTEREST = "interest", _("Interest or lease")
    REFUND = "refund", _("Refund")
    SALE = "sale", _("Sale")
    OTHER = "other", _("Other")


class FieldType(TextChoices):
    """What a field of the household's own may hold."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    BOOLEAN = "boolean", _("Yes or no")
    CHOICE = "choice", _("One of a list")
    LINK = "link", _("Link")
    MONEY = "money", _("Amount of money")


class NoticeKind(TextChoices):
    """What a thing has to say beside its care."""

    STOCK = "stock", _("Running low")
    LOAN = "loan", _("Due back")
    DELIVERY = "delivery", _("To arrive")
    REGISTER = "register", _("To be registered")
    HAND_OVER = "hand_over", _("To be handed over")
    PARTING = "parting", _("Who still knows of it")
    SCHEDULE = "schedule", _("A date proposed by a supplier")
    RETURN = "return", _("To be sent back by")
    GUARANTEE = "guarantee", _("Guarantee ending")
    COVER = "cover", _("Cover ending")
    CANCEL = "cancel", _("Notice to be given")
    ANSWER = "answer", _("Answer expected")
    OFFERED = "offered", _("Offered to you")
    ACCEPTED = "accepted", _("Accepted by its next owner")
    DECLINED = "declined", _("Nobody took it over")
    RECEIVED = "received", _("Taken over")
    ASK_BACK = "ask_back", _("A hand-over to be undone")
    RECALL = "recall", _("Recall")
    DEFECT = "defect", _("Fault to be told")
    TOLD = "told", _("Not answered yet")
