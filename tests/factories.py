"""The one cast of every test: Ana owns, Skyline supplies, Mallory owns nothing here.

`cast()` makes all of them as in the base story. The factories make one more of each,
with the same defaults; every one of them can be overridden by name.
"""

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from assets.choices import AssetKind, IdentifierScheme
from assets.models import Asset, AssetIdentifier
from notifications.choices import (
    AppointmentState,
    DeliveryState,
    NotificationState,
    Section,
)
from notifications.models import (
    Appointment,
    Card,
    Delivery,
    Journey,
    Notification,
    Survey,
)
from owners import sealing
from owners.choices import ChannelKind, Level, Rank, Topic
from owners.models import Channel, Household, Membership, Owner
from suppliers.choices import ContactKind, Medium, Outcome, Purpose, RoleKind, Way
from suppliers.models import (
    Contact,
    InboundEvent,
    Mandate,
    Proposal,
    Role,
    SigningSecret,
    Supplier,
    SupplierDomain,
    SupplierNumber,
)

# Monday 9 November 2026, 08:00 in New York: where the base story starts.
START = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
PASSWORD = "one lamp in a quiet house"
SECRET = "whsec_" + base64.b64encode(b"skyline signs with this secret!!").decode()


def mail_of(household: Household, raw: bytes) -> InboundEvent:
    """Return a stored mail of the household's."""
    key = uuid.uuid4()
    return InboundEvent.objects.create(
        uuid=key,
        household=household,
        way=Way.MAIL,
        source=f"/mail/{household.intake_alias}@mail.localhost",
        event_id=str(key),
        type="mail",
        body_hash=hashlib.sha256(raw).digest(),
        payload=sealing.seal(raw, table="suppliers_inboundevent", key=str(key), field="payload"),
        state="processed",
        received_at=START,
    )


def proposal_of(contact: Contact, *, name: str) -> Proposal:
    """Return what a contact proposes to the household's things."""
    goods = {"name": name, "numbers": [{"scheme": "serial", "value": f"S-{contact.pk}"}]}
    return Proposal.objects.create(
        household=contact.household,
        contact=contact,
        said_in=[contact.uuid],
        supplier=contact.supplier,
        group=f"order|{contact.pk}",
        identity=name,
        bought={"goods": goods, "lines": []},
        order_no=f"O-{contact.pk}",
    )


class OwnerFactory(DjangoModelFactory[Owner]):
    class Meta:
        model = Owner
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Owner {n}")
    email = factory.Sequence(lambda n: f"owner{n}@hart.example")
    zone = "America/New_York"
    language = "en"
    joined_at = START

    @factory.post_generation
    def password(self: Owner, create: bool, given: str | None, **kwargs: Any) -> None:  # noqa: FBT001
        """Hash a password only when one is given: hashing is slow on purpose."""
        if given is None:
            self.set_unusable_password()
        else:
            self.set_password(given)
        if create:
            self.save()


class HouseholdFactory(DjangoModelFactory[Household]):
    class Meta:
        model = Household

    name = factory.Sequence(lambda n: f"Household {n}")
    zone = "America/New_York"
    country = "US"
    currency = "USD"
    intake_alias = factory.LazyFunction(lambda: f"in{uuid.uuid4().hex[:16]}")
    created_at = START


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    household = factory.SubFactory(HouseholdFactory)
    owner = factory.SubFactory(OwnerFactory)
    rank = Rank.ADMIN
    prefers = ChannelKind.SMS
    quiet_from = time(22, 0)
    quiet_until = time(8, 0)
    digest_at = time(18, 0)


class ChannelFactory(DjangoModelFactory[Channel]):
    """A verified channel; `address` is sealed."""

    class Meta:
        model = Channel

    owner = factory.SubFactory(OwnerFactory)
    kind = ChannelKind.SMS
    verified_at = START
    created_at = START

    @classmethod
    def _create(cls, model_class: type[Channel], *args: Any, **kwargs: Any) -> Channel:
        address = kwargs.pop("address", "+12125550100")
        channel = model_class(**kwargs)
        channel.set_address(address)
        channel.save()
        return channel


class AssetFactory(DjangoModelFactory[Asset]):
    class Meta:
        model = Asset

    household = factory.SubFactory(HouseholdFactory)
    name = factory.Sequence(lambda n: f"Asset {n}")
    kind = AssetKind.ELECTRONICS
    created_at = START


class AssetIdentifierFactory(DjangoModelFactory[AssetIdentifier]):
    class Meta:
        model = AssetIdentifier

    asset = factory.SubFactory(AssetFactory)
    household = factory.SelfAttribute("asset.household")
    scheme = IdentifierScheme.SERIAL
    value = factory.Sequence(lambda n: f"R15-{n:06}")


class SupplierFactory(DjangoModelFactory[Supplier]):
    class Meta:
        model = Supplier

    code = factory.Sequence(lambda n: f"supplier-{n}")
    name = factory.Sequence(lambda n: f"Supplier {n}")
    created_at = START


class SupplierDomainFactory(DjangoModelFactory[SupplierDomain]):
    """A proved domain, unless a household is given."""

    class Meta:
        model = SupplierDomain

    supplier = factory.SubFactory(SupplierFactory)
    domain = factory.Sequence(lambda n: f"supplier-{n}.example")


class SupplierNumberFactory(DjangoModelFactory[SupplierNumber]):
    """A proved number, unless a household is given."""

    class Meta:
        model = SupplierNumber

    supplier = factory.SubFactory(SupplierFactory)
    number = factory.Sequence(lambda n: f"+1800555{n % 10000:04}")


class SigningSecretFactory(DjangoModelFactory[SigningSecret]):
    """A live `v1` secret; `value` is sealed."""

    class Meta:
        model = SigningSecret

    supplier = factory.SubFactory(SupplierFactory)
    version = "v1"
    created_at = START

    @classmethod
    def _create(cls, model_class: type[SigningSecret], *args: Any, **kwargs: Any) -> SigningSecret:
        value = kwargs.pop("value", SECRET)
        secret = model_class(**kwargs)
        secret.set_value(value)
        secret.save()
        return secret


class RoleFactory(DjangoModelFactory[Role]):
    class Meta:
        model = Role

    asset = factory.SubFactory(AssetFactory)
    household = factory.SelfAttribute("asset.household")
    supplier = factory.SubFactory(SupplierFactory)
    kind = RoleKind.UTILITY


class MandateFactory(DjangoModelFactory[Mandate]):
    """A live mandate for service, billing and feedback; `assets` are those it covers."""

    class Meta:
        model = Mandate
        skip_postgeneration_save = True

    household = factory.SubFactory(HouseholdFactory)
    supplier = factory.SubFactory(SupplierFactory)
    purposes = factory.LazyFunction(
        lambda: [Purpose.SERVICE.value, Purpose.BILLING.value, Purpose.FEEDBACK.value]
    )
    granted_at = START

    @factory.post_generation
    def assets(self: Mandate, create: bool, given: list[Asset] | None, **kwargs: Any) -> None:  # noqa: FBT001
        """Cover the given assets."""
        if create and given:
            self.assets.set(given)


class ContactFactory(DjangoModelFactory[Contact]):
    """A message of a supplier, decided and shown unless told otherwise."""

    class Meta:
        model = Contact

    uuid = factory.LazyFunction(uuid.uuid4)
    household = factory.SubFactory(HouseholdFactory)
    kind = ContactKind.MESSAGE
    medium = Medium.EMAIL
    said_at = START
    received_at = START
    said = factory.LazyAttribute(
        lambda row: {
            "kind": row.kind.value,
            "medium": row.medium.value,
            "said_at": row.said_at.isoformat(),
            "sender": "visits@skyline.example",
            "body": "We come on Friday.",
        }
    )
    outcome = Outcome.SHOWN
    decided_at = START


class JourneyFactory(DjangoModelFactory[Journey]):
    class Meta:
        model = Journey

    household = factory.SubFactory(HouseholdFactory)
    title = factory.Sequence(lambda n: f"Matter {n}")
    opened_at = START
    last_said_at = START


class CardFactory(DjangoModelFactory[Card]):
    """A card whose body has what the feed needs."""

    class Meta:
        model = Card

    journey = factory.SubFactory(JourneyFactory)
    household = factory.SelfAttribute("journey.household")
    section = Section.QUIET
    title = factory.SelfAttribute("journey.title")
    changed_at = START
    body = factory.LazyAttribute(
        lambda row: {
            "journey": str(row.journey.uuid),
            "section": row.section.value,
            "title": row.title,
            "actions": [],
            "thread": [],
        }
    )


class NotificationFactory(DjangoModelFactory[Notification]):
    """A notification that was told."""

    class Meta:
        model = Notification

    journey = factory.SubFactory(JourneyFactory)
    household = factory.SelfAttribute("journey.household")
    owner = factory.SubFactory(OwnerFactory)
    level = Level.INTERRUPT
    topic = Topic.ARRIVING
    reason = "reaching_out"
    text = "They are nearly there."
    state = NotificationState.TOLD
    held_since = START
    not_before = START
    told_at = START


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """One SMS of a notification, sent."""

    class Meta:
        model = Delivery

    notification = factory.SubFactory(NotificationFactory)
    household = factory.SelfAttribute("notification.household")
    owner = factory.SelfAttribute("notification.owner")
    key = factory.LazyFunction(lambda: uuid.uuid4().hex)
    kind = ChannelKind.SMS
    text = factory.SelfAttribute("notification.text")
    state = DeliveryState.SENT
    next_at = START
    created_at = START
    sent_at = START


class AppointmentFactory(DjangoModelFactory[Appointment]):
    class Meta:
        model = Appointment

    journey = factory.SubFactory(JourneyFactory)
    household = factory.SelfAttribute("journey.household")
    slot = factory.Sequence(lambda n: f"job-{n}@skyline.example")
    state = AppointmentState.BOOKED
    start = START
    end = factory.LazyAttribute(lambda row: row.start + timedelta(hours=4))


class SurveyFactory(DjangoModelFactory[Survey]):
    class Meta:
        model = Survey

    journey = factory.SubFactory(JourneyFactory)
    household = factory.SelfAttribute("journey.household")
    contact = factory.SubFactory(
        ContactFactory, household=factory.SelfAttribute("..household"), outcome=Outcome.HELD
    )
    survey_id = factory.Sequence(lambda n: f"survey-{n}")
    requested_at = START


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody of the base story, stored. `secret` is what Skyline signs with."""

    ana: Owner
    household: Household
    membership: Membership
    sms: Channel
    email: Channel
    dvr: Asset
    skyline: Supplier
    mandate: Mandate
    secret: str
    mallory: Owner
    mallory_household: Household
    mallory_membership: Membership

    @property
    def alias(self) -> str:
        """The mail address at which Skyline writes to Ana."""
        from django.conf import settings  # noqa: PLC0415 - settings may be overridden by a test

        return f"{self.mandate.alias}@{settings.MAIL_DOMAIN}"


def cast(*, with_passwords: bool = False) -> Cast:
    """Store the cast of the base story and return it.

    `with_passwords` lets Ana and Mallory sign in with PASSWORD.
    """
    password = PASSWORD if with_passwords else None
    ana = OwnerFactory.create(name="Ana Hart", email="ana@hart.example", password=password)
    household = HouseholdFactory.create(name="Hart household")
    membership = MembershipFactory.create(household=household, owner=ana)
    dvr = AssetFactory.create(
        household=household,
        name="Living-room DVR",
        kind=AssetKind.ELECTRONICS,
        maker="Skyline",
        model="HR44",
        keeper=ana,
    )
    AssetIdentifierFactory.create(asset=dvr, value="R15-204477")
    skyline = SupplierFactory.create(code="skyline", name="Skyline TV", verified_at=START)
    SupplierDomainFactory.create(supplier=skyline, domain="skyline.example")
    SupplierNumberFactory.create(supplier=skyline, number="+18005550199")
    SigningSecretFactory.create(supplier=skyline, value=SECRET)
    RoleFactory.create(asset=dvr, supplier=skyline)
    mandate = MandateFactory.create(household=household, supplier=skyline, assets=[dvr])
    mallory = OwnerFactory.create(
        name="Mallory Grey", email="mallory@grey.example", password=password
    )
    elsewhere = HouseholdFactory.create(name="Grey household")
    return Cast(
        ana=ana,
        household=household,
        membership=membership,
        sms=ChannelFactory.create(owner=ana, kind=ChannelKind.SMS, address="+12125550100"),
        email=ChannelFactory.create(owner=ana, kind=ChannelKind.EMAIL, address=ana.email),
        dvr=dvr,
        skyline=skyline,
        mandate=mandate,
        secret=SECRET,
        mallory=mallory,
        mallory_household=elsewhere,
        mallory_membership=MembershipFactory.create(household=elsewhere, owner=mallory),
    )


def signed_headers(
    body: bytes,
    *,
    at: datetime,
    secret: str = SECRET,
    webhook_id: str = "",
    content_type: str = "application/cloudevents+json",
) -> dict[str, str]:
    """Return the headers a supplier sends with `body`, signed at `at` (Standard Webhooks)."""
    message_id = webhook_id or f"msg_{uuid.uuid4().hex}"
    stamp = str(int(at.timestamp()))
    signed = f"{message_id}.{stamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "content-type": content_type,
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }
