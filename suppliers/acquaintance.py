"""Who is who, for a whole batch: mandates, households, domains, numbers and assets.

Each read takes all the keys of the batch, so the number of queries does not grow with
the number of events.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assets.models import Asset, AssetIdentifier
from owners import bulk
from suppliers import pairwise
from suppliers.admission import Granted
from suppliers.choices import MandateState
from suppliers.models import Supplier, SupplierNumber

# Countries that write the month first (CLDR "short" date patterns).
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW", "GU", "AS", "MP", "PR", "VI", "UM"})


# Written out, as they run with every lot: making a statement takes longer than running it.
MANDATES = """
    SELECT m.id, m.household_id, m.supplier_id, m.owner_ref, m.alias, m.purposes, m.state,
        ARRAY(SELECT a.asset_id FROM suppliers_mandate_assets a WHERE a.mandate_id = m.id),
        EXISTS(SELECT FROM suppliers_blockedsender b WHERE b.mandate_id = m.id),
        h.zone, h.country, h.currency
    FROM suppliers_mandate m JOIN owners_household h ON h.id = m.household_id
    WHERE {condition} ORDER BY m.id
"""
HOUSEHOLDS = """
    SELECT id, zone, country, currency, intake_alias FROM owners_household
    WHERE id = ANY(%s::bigint[]) OR intake_alias = ANY(%s)
"""
UNWANTED = """
    SELECT household_id, address FROM suppliers_blockedsender
    WHERE household_id = ANY(%s::bigint[]) AND address = ANY(%s) AND mandate_id IS NULL
"""
DOMAINS = """
    SELECT supplier_id, household_id, domain FROM suppliers_supplierdomain
    WHERE supplier_id = ANY(%s::bigint[]) OR domain = ANY(%s) ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Home:
    """What an adapter must know of a household."""

    id: int
    zone: str
    country: str
    currency: str

    @property
    def is_day_first(self) -> bool:
        """Whether 11/12 is the eleventh of December here."""
        return self.country.upper() not in MONTH_FIRST


@dataclass(slots=True)
class Acquaintance:
    """Everything a batch has looked up so far."""

    by_ref: dict[str, Granted] = field(default_factory=dict)
    by_alias: dict[str, Granted] = field(default_factory=dict)
    by_pair: dict[tuple[int, int], Granted] = field(default_factory=dict)
    homes: dict[int, Home] = field(default_factory=dict)
    by_intake: dict[str, int] = field(default_factory=dict)
    supplier_ids: dict[UUID, int] = field(default_factory=dict)
    # (household or None for everybody, supplier) -> domains; the same per number
    domains: dict[int, list[tuple[int | None, str]]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)  # suppliers of whom every domain is known
    numbers: dict[str, list[tuple[int | None, int]]] = field(default_factory=dict)
    assets: dict[int, dict[str, tuple[int, str]]] = field(default_factory=dict)
    unwanted: set[tuple[int, str]] = field(default_factory=set)  # (household, blocked address)
    # (owner_ref, what its supplier calls the asset) -> the asset
    named: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def meet(self, *, refs: Iterable[str], names: Iterable[str]) -> None:
        """Read the mandates with these owner_refs, or with aliases among `names`."""
        # No column holds a NUL, so a name with one is nobody's.
        refs = sorted({ref for ref in refs if "\0" not in ref})
        names = sorted({name for name in names if "\0" not in name})
        if refs or names:
            self._keep("owner_ref = ANY(%s) OR alias = ANY(%s)", [refs, names])

    def visit(self, *, household_ids: Iterable[int], names: Iterable[str]) -> None:
        """Read these households, and those whose intake address is among `names`."""
        wanted = {item.household_id for item in (*self.by_ref.values(), *self.by_alias.values())}
        wanted.update(household_ids)
        wanted -= self.homes.keys()
        names = sorted({name for name in names if "\0" not in name} - self.by_alias.keys())
        if not wanted and not names:
            return
        for pk, zone, country, currency, alias in bulk.read(
            HOUSEHOLDS, [bulk.array(wanted), names]
        ):
            self.homes[pk] = Home(pk, zone, country, currency)
            if alias:
                self.by_intake[alias] = pk

    def note_domains(self, *, supplier_ids: Iterable[int], hosts: Iterable[str] = ()) -> None:
        """Read the domains of these suppliers, and whose domains `hosts` lie in."""
        ids = set(supplier_ids) - self.whole
        parents = {parent for host in hosts for parent in _parents(host)}
        if not ids and not parents:
            return
        for supplier_id, household_id, domain in bulk.read(
            DOMAINS, [bulk.array(ids), sorted(parents)]
        ):
            known = self.domains.setdefault(supplier_id, [])
            if (household_id, domain.lower()) not in known:
                known.append((household_id, domain.lower()))
        self.whole |= ids

    def note_numbers(self, numbers: Iterable[str]) -> None:
        """Read whose numbers these are."""
        numbers = sorted(set(numbers))
        if not numbers:
            return
        found = SupplierNumber.objects.filter(number__in=numbers).order_by("pk")
        for number, household_id, supplier_id in found.values_list(
            "number", "household_id", "supplier_id"
        ):
            self.numbers.setdefault(number, []).append((household_id, supplier_id))

    def note_suppliers(self, uuids: Iterable[UUID]) -> None:
        """Read the suppliers that owners named."""
        uuids = set(uuids)
        if uuids:
            rows = Supplier.objects.filter(uuid__in=uuids).order_by().values_list("uuid", "pk")
            self.supplier_ids.update(rows)

    def note_unwanted(self, senders: Iterable[tuple[int, str]]) -> None:
        """Read which of these (household, address or number) are blocked."""
        wanted = sorted({(home, address) for home, address in senders if address})
        if wanted:
            homes, addresses = zip(*wanted, strict=True)
            rows = bulk.read(UNWANTED, [bulk.array(set(homes)), sorted(set(addresses))])
            self.unwanted.update((home, address) for home, address in rows)

    def pair(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Read the mandates of these (household, supplier) pairs, the live one first."""
        missing = {item for item in pairs if item not in self.by_pair}
        if not missing:
            return
        homes, suppliers = {item[0] for item in missing}, {item[1] for item in missing}
        self._keep(
            "household_id = ANY(%s::bigint[]) AND supplier_id = ANY(%s::bigint[])",
            [bulk.array(homes), bulk.array(suppliers)],
        )

    def note_assets(self, hints: Sequence[tuple[int, str, str]]) -> None:
        """Read which assets these references name: (household, reference, owner_ref)."""
        if not hints:
            return
        homes = {household_id for household_id, _, _ in hints}
        folded = {AssetIdentifier.fold(hint) for _, hint, _ in hints} - {""}
        by_name: dict[tuple[int, str], set[tuple[int, str]]] = defaultdict(set)
        identifiers = AssetIdentifier.objects.filter(household__in=homes, folded__in=folded)
        for household_id, fold, asset_id, uuid in identifiers.order_by().values_list(
            "household_id", "folded", "asset_id", "asset__uuid"
        ):
            by_name[household_id, fold].add((asset_id, str(uuid)))
        self._note_named({hint for hint in hints if hint[1].startswith(pairwise.ASSET)})
        uuids = {found for _, hint, _ in hints if (found := _uuid(hint)) is not None}
        if uuids:
            own = Asset.objects.filter(household__in=homes, uuid__in=uuids).order_by()
            for household_id, asset_id, uuid in own.values_list("household_id", "pk", "uuid"):
                by_name[household_id, AssetIdentifier.fold(str(uuid))].add((asset_id, str(uuid)))
        for (household_id, fold), named in by_name.items():
            if len(named) == 1:  # one number on two assets names neither
                self.assets.setdefault(household_id, {})[fold] = next(iter(named))

    def _note_named(self, hints: set[tuple[int, str, str]]) -> None:
        """Read the assets that suppliers name as they were told to (`pairwise`)."""
        if not hints:
            return
        homes = {household_id for household_id, _, _ in hints}
        own: dict[int, list[tuple[int, str]]] = defaultdict(list)
        rows = Asset.objects.filter(household__in=homes).order_by("pk")
        for household_id, asset_id, uuid in rows.values_list("household_id", "pk", "uuid"):
            own[household_id].append((asset_id, str(uuid)))
        for household_id, _hint, owner_ref in hints:
            for asset_id, key in own[household_id]:
                self.named[owner_ref, pairwise.asset(owner_ref, key)] = (asset_id, key)

    def asset(self, household_id: int, hint: str, *, owner_ref: str = "") -> tuple[int, str] | None:
        """Return (key, public UUID) of the asset that `hint` names, if exactly one."""
        if hint.startswith(pairwise.ASSET):
            return self.named.get((owner_ref, hint))
        return self.assets.get(household_id, {}).get(AssetIdentifier.fold(hint))

    def domains_of(self, supplier_id: int | None, household_id: int) -> tuple[str, ...]:
        """Return the domains of a supplier: proved, or noted by this household."""
        known = self.domains.get(supplier_id, []) if supplier_id is not None else []
        return tuple(domain for owner, domain in known if owner in (None, household_id))

    def callers(self, number: str, household_id: int) -> list[int]:
        """Return the suppliers whose number this is for the household, its own notes first."""
        found = [item for item in self.numbers.get(number, []) if item[0] in (None, household_id)]
        found.sort(key=lambda item: item[0] is None)
        return [supplier_id for _, supplier_id in found]

    def writers(self, host: str, household_id: int) -> list[int]:
        """Return the suppliers in whose domains `host` lies, for the household."""
        parents = _parents(host)
        return [
            supplier_id
            for supplier_id, known in self.domains.items()
            if any(owner in (None, household_id) and name in parents for owner, name in known)
        ]

    def first_mandate(self, household_id: int, supplier_ids: Iterable[int]) -> Granted | None:
        """Return the first supplier's mandate from this household, a live one before others."""
        found = [
            mandate
            for supplier_id in supplier_ids
            if (mandate := self.by_pair.get((household_id, supplier_id))) is not None
        ]
        found.sort(key=lambda mandate: mandate.state == MandateState.ENDED)
        return found[0] if found else None

    def _keep(self, condition: str, parameters: list[Any]) -> None:
        for row in bulk.read(MANDATES.format(condition=condition), parameters):
            pk, household_id, supplier_id, owner_ref, alias, purposes, state, covered, blocked = (
                row[:9]
            )
            self.homes[household_id] = Home(household_id, *row[9:])
            mandate = Granted(
                id=pk,
                household_id=household_id,
                supplier_id=supplier_id,
                owner_ref=owner_ref,
                alias=alias,
                purposes=tuple(purposes),
                state=state,
                asset_ids=frozenset(covered),
                is_blocked=blocked,
            )
            self.by_ref[owner_ref] = self.by_alias[alias] = mandate
            known = self.by_pair.get((household_id, supplier_id))
            if known is None or known.state == MandateState.ENDED:
                self.by_pair[household_id, supplier_id] = mandate


def _parents(host: str) -> set[str]:
    labels = host.lower().rstrip(".").split(".")
    return {".".join(labels[index:]) for index in range(len(labels) - 1)}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
