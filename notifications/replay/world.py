"""Stores a story's first line: people, what they own, who serves it.

Storing twice gives the same rows: people are known by their address, suppliers by their
code, a household by its first member and name, assets by their name in it.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from assets.models import Asset, AssetIdentifier
from notifications.replay.story import Member, World, WorldAsset, WorldSupplier
from owners.choices import ChannelKind, Rank
from owners.models import Channel, Household, Membership, Owner
from suppliers.models import (
    Contact,
    InboundEvent,
    Mandate,
    Role,
    SigningSecret,
    Supplier,
    SupplierDomain,
    SupplierNumber,
    new_alias,
)

RESERVED_CODES = {"mail", "telephony"}


class WorldError(Exception):
    """The world cannot be stored beside what is in the database already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The rows of a stored world, by their keys in the story."""

    world: World
    household: Household
    members: Mapping[str, Owner]
    memberships: Mapping[str, Membership]
    assets: Mapping[str, Asset]
    suppliers: Mapping[str, Supplier]
    mandates: Mapping[str, Mandate]
    secrets: Mapping[str, str]  # supplier key -> whsec_…

    def alias(self, supplier: str) -> str:
        """Return the mail address at which a supplier writes to the household."""
        return f"{self.mandates[supplier].alias}@{settings.MAIL_DOMAIN}"

    @property
    def intake_address(self) -> str:
        """The mail address for what members forward themselves."""
        return f"{self.household.intake_alias}@{settings.MAIL_DOMAIN}"


@transaction.atomic
def store(
    world: World, *, now: datetime, is_demo: bool = False, has_endpoints: bool = False
) -> Cast:
    """Store `world`, or find it stored; everything new is dated `now`.

    `has_endpoints` gives suppliers with `webhook: true` a made-up address to answer to,
    for replays that send nothing. Raises WorldError where a domain already belongs to
    another supplier.
    """
    members = {member.key: _owner(member, world, now=now) for member in world.members}
    household = _household(world, now=now, is_demo=is_demo)
    memberships = {
        member.key: _membership(
            member, household, members[member.key], is_first=member is world.members[0]
        )
        for member in world.members
    }
    assets: dict[str, Asset] = {}
    for asset in world.assets:
        taken = [stored.pk for stored in assets.values()]
        assets[asset.key] = _asset(asset, household, members, taken=taken, now=now)
    suppliers, mandates, signing = {}, {}, {}
    for given in world.suppliers:
        supplier = _supplier(given, now=now, has_endpoints=has_endpoints)
        suppliers[given.key] = supplier
        signing[given.key] = _secret(supplier, now=now)
        for key, kind in given.roles:
            Role.objects.get_or_create(
                household=household, asset=assets[key], supplier=supplier, kind=kind
            )
        if given.mandate is not None:
            mandates[given.key] = _mandate(given, household, supplier, assets, now=now)
    return Cast(
        world=world,
        household=household,
        members=members,
        memberships=memberships,
        assets=assets,
        suppliers=suppliers,
        mandates=mandates,
        secrets=signing,
    )


@transaction.atomic
def forget(world: World) -> None:
    """Delete the world's household with its whole past; the people keep their accounts."""
    household = _stored_household(world)
    if household is None:
        return
    # Contacts hold on to what arrived, so they go first.
    Contact.objects.filter(household=household).delete()
    InboundEvent.objects.filter(household=household).delete()
    household.delete()


def _stored_household(world: World) -> Household | None:
    first = Owner.objects.filter(email=world.members[0].email.lower()).first()
    if first is None:
        return None
    return Household.objects.for_owner(first).filter(name=world.name).order_by("pk").first()


@transaction.atomic
def sign_in(owner: Owner, *, password: str, now: datetime) -> str:
    """Give `owner` this password and a confirmed address; return an API session token."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 - seeding alone needs it

    owner.set_password(password)
    owner.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=owner, email=owner.email, defaults={"verified": True, "primary": True}
    )
    session = SessionStore()
    session[SESSION_KEY] = str(owner.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = owner.get_session_auth_hash()
    # allauth asks when one last proved who one is before sensitive steps.
    session["account_authentication_methods"] = [
        {"method": "password", "at": now.timestamp(), "email": owner.email}
    ]
    session.create()
    return str(session.session_key)


def _owner(member: Member, world: World, *, now: datetime) -> Owner:
    owner, is_new = Owner.objects.get_or_create(
        email=member.email.lower(),
        defaults={
            "name": member.name,
            "zone": member.zone or world.zone.key,
            "language": member.language,
            "joined_at": now,
        },
    )
    if is_new:
        owner.set_unusable_password()
        owner.save(update_fields=["password"])
    channels = member.channels or ((ChannelKind.EMAIL, member.email),)
    for kind, address in channels:
        if not Channel.objects.filter(owner=owner).at(kind, address).exists():
            channel = Channel(owner=owner, kind=kind, verified_at=now, created_at=now)
            channel.set_address(address)
            channel.save()
    return owner


def _household(world: World, *, now: datetime, is_demo: bool) -> Household:
    stored = _stored_household(world)
    caps = [member.survey_cap for member in world.members if member.survey_cap is not None]
    household = stored or Household(name=world.name, intake_alias=new_alias(), created_at=now)
    household.zone = world.zone.key
    household.country = world.country
    household.currency = world.currency
    household.is_demo = is_demo
    household.survey_cap = min(caps, default=household.survey_cap)
    household.save()
    return household


def _membership(
    member: Member, household: Household, owner: Owner, *, is_first: bool
) -> Membership:
    quiet_from, quiet_until = member.quiet or (None, None)
    stored = Membership.objects.filter(household=household, owner=owner).first()
    membership = stored or Membership(household=household, owner=owner)
    membership.rank = member.rank or (Rank.ADMIN if is_first else Rank.MEMBER)
    membership.prefers = member.prefers
    membership.quiet_from, membership.quiet_until = quiet_from, quiet_until
    membership.has_quiet_exceptions = member.has_quiet_exceptions
    membership.digest_at = member.digest_at
    membership.digest_weekday = member.digest_weekday
    membership.next_digest_at = None  # worked out anew from these wishes
    membership.intake_number = (
        member.intake_number or membership.intake_number or _new_intake_number()
    )
    membership.save()
    return membership


def _new_intake_number() -> str:
    """Return a number nobody can have: 555 is no area code."""
    return f"+1555{secrets.randbelow(10**7):07}"


def _asset(
    given: WorldAsset,
    household: Household,
    members: Mapping[str, Owner],
    *,
    taken: list[int],
    now: datetime,
) -> Asset:
    # Two things of one name are two things.
    mine = Asset.objects.filter(household=household, name=given.name).exclude(pk__in=taken)
    asset = mine.order_by("pk").first() or Asset.objects.create(
        household=household,
        name=given.name,
        kind=given.kind,
        maker=given.maker,
        model=given.model,
        keeper=members[given.keeper] if given.keeper else None,
        created_at=now,
    )
    for scheme, value in given.identifiers:
        AssetIdentifier.objects.get_or_create(
            household=household,
            asset=asset,
            scheme=scheme,
            folded=AssetIdentifier.fold(value),
            defaults={"value": value},
        )
    return asset


def _supplier(given: WorldSupplier, *, now: datetime, has_endpoints: bool) -> Supplier:
    url = given.webhook_url
    if not url and given.webhook and has_endpoints:
        url = f"https://hooks.{next(iter(given.domains), 'supplier.example')}/steward"
    code = f"{given.key}-supplier" if given.key in RESERVED_CODES else given.key
    supplier, _ = Supplier.objects.get_or_create(
        code=code,
        defaults={
            "name": given.name,
            "webhook_url": url,
            "verified_at": now,
            "created_at": now,
        },
    )
    for domain in given.domains:
        proved, _ = SupplierDomain.objects.get_or_create(
            household=None, domain=domain.lower(), defaults={"supplier": supplier}
        )
        if proved.supplier_id != supplier.pk:
            raise WorldError(f"{domain} is proved to be another supplier's")
    for number in given.numbers:
        SupplierNumber.objects.get_or_create(supplier=supplier, household=None, number=number)
    return supplier


def _secret(supplier: Supplier, *, now: datetime) -> str:
    stored = SigningSecret.objects.filter(supplier=supplier, version="v1").live(now).first()
    if stored is not None:
        return stored.value
    value = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    secret = SigningSecret(supplier=supplier, created_at=now)
    secret.set_value(value)
    secret.save()
    return value


def _mandate(
    given: WorldSupplier,
    household: Household,
    supplier: Supplier,
    assets: Mapping[str, Asset],
    *,
    now: datetime,
) -> Mandate:
    wanted = given.mandate
    if wanted is None:
        raise ValueError(f"{given.key} has no mandate")
    stored = Mandate.objects.live().filter(household=household, supplier=supplier).first()
    mandate = stored or Mandate(household=household, supplier=supplier, granted_at=now)
    mandate.purposes = [purpose.value for purpose in wanted.purposes]
    mandate.save()
    mandate.assets.set([assets[key] for key in wanted.assets])
    return mandate
