"""Search and commands: one question over everything the owner has, and what can be done.

Whatever is found stands in `assets.Findable`, written with the thing itself. Of messages
it holds the words that contacts keep in clear; the sealed bytes that arrived are not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import folding
from assets.choices import FindableKind
from assets.models import Findable, FindableQuerySet
from notifications.models import Fact, JourneyKey, Link
from owners.models import Household, Owner
from suppliers.choices import Outcome
from suppliers.models import Contact

LONGEST = 200  # letters of a question that are read
THINGS_READ, SAID_READ = 60, 20
EACH = 8  # hits of one kind on the page
FUZZY_READ = 1000  # names compared when nothing is spelt like that
FUZZY_MOST = 8
DETAILS_READ = 1000  # facts, and references, of the journeys that were found
HIDDEN_FACTS = frozenset({"window"})  # a span for programs; the title says it in words
# By these programs know a matter again; nobody reads them.
HIDDEN_KEYS = frozenset({"caller", "entity", "message", "thread", "uid"})

ICONS: dict[str, str] = {
    FindableKind.ASSET: "package",
    FindableKind.JOURNEY: "waypoints",
    FindableKind.SUPPLIER: "handshake",
    FindableKind.DOCUMENT: "file-text",
    FindableKind.CONTACT: "message-square",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found. `page` names where it opens, with `key` where it has one."""

    kind: str
    title: str
    page: str
    key: UUID | None = None
    detail: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The hits of one kind, the best first."""

    kind: str
    label: str
    hits: list[Hit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question found; `is_near` when nothing was spelt like that and this is close."""

    groups: list[Group]
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Something one can do, or a page one can go to, with other words for it."""

    page: str
    label: str | Lazy
    icon: str
    words: str | Lazy = ""


REACH_WORDS = gettext_lazy("notifications quiet hours sms mail settings preferences")
COMMANDS = (
    Command("asset-add", gettext_lazy("Add an asset"), "plus", gettext_lazy("new thing own")),
    Command("log", gettext_lazy("Log a call or a note"), "notebook-pen", gettext_lazy("write")),
    Command(
        "share",
        gettext_lazy("Add what a supplier said"),
        "message-square-plus",
        gettext_lazy("text chat letter photo paste"),
    ),
    Command("supplier-add", gettext_lazy("Add a supplier"), "plus", gettext_lazy("new company")),
    Command(
        "document-add", gettext_lazy("Add a document"), "upload", gettext_lazy("photo receipt")
    ),
    Command(
        "door", gettext_lazy("See who is at the door"), "user-round-check", gettext_lazy("unknown")
    ),
    Command(
        "held",
        gettext_lazy("Not meant for you"),
        "mail-x",
        gettext_lazy("adverts unsubscribe spam offers"),
    ),
    Command("preferences", gettext_lazy("Change how you are reached"), "settings-2", REACH_WORDS),
    Command("today", gettext_lazy("Today"), "house", gettext_lazy("home feed start")),
    Command("assets", gettext_lazy("Assets"), "package", gettext_lazy("things own")),
    Command("journeys", gettext_lazy("Journeys"), "route", gettext_lazy("matters open closed")),
    Command("suppliers", gettext_lazy("Suppliers"), "handshake", gettext_lazy("companies")),
    Command("ways", gettext_lazy("Ways in"), "mailbox", gettext_lazy("address forward number")),
    Command("household", gettext_lazy("Household"), "users", gettext_lazy("people members invite")),
    Command("help", gettext_lazy("Help"), "circle-help", gettext_lazy("keys shortcuts person")),
)
USUAL = COMMANDS[:7]  # what an empty question offers


def commands(text: str = "") -> list[Hit]:
    """Return what can be done, of which every word of `text` begins a word."""
    wanted = folding.words(text)
    if not wanted:
        return [_command(each) for each in USUAL]
    found = []
    for each in COMMANDS:
        known = folding.words(f"{each.label} {each.words}")
        if all(any(word.startswith(part) for word in known) for part in wanted):
            found.append(_command(each))
    return found


def find(*, owner: Owner, text: str) -> Found:
    """Return what the owner's households have on `text`, and the commands it names.

    All words must be there, the last one may be unfinished. Where that finds nothing,
    names that are a slip of the finger away are offered instead.
    """
    text = text.replace("\x00", "")[:LONGEST]
    asked = folding.asked(text)
    doing = commands(text)
    groups: list[Group] = []
    is_near = False
    if asked:
        homes = list(Household.objects.for_owner(owner).order_by("pk").values_list("pk", flat=True))
        things = _things(owner, homes, asked)
        said = _said(owner, homes, asked)
        if not things and not said:
            things = _near(owner, homes, [spelt[0] for spelt in asked])
            is_near = bool(things)
        journeys = [row.object for row in things if row.kind == FindableKind.JOURNEY]
        by_kind = {
            kind: [_hit(row) for row in things if row.kind == kind][:EACH]
            for kind in (
                FindableKind.ASSET,
                FindableKind.JOURNEY,
                FindableKind.SUPPLIER,
                FindableKind.DOCUMENT,
            )
        }
        groups = [
            Group(kind=kind, label=str(kind.label), hits=hits) for kind, hits in by_kind.items()
        ]
        details = [] if is_near else _details(owner, journeys[:EACH], asked)
        groups.append(Group(kind="fact", label=_("Facts and references"), hits=details[:EACH]))
        groups.append(Group(kind="contact", label=_("What was said"), hits=said[:EACH]))
    groups.append(Group(kind="command", label=_("Do"), hits=doing))
    return Found(groups=[group for group in groups if group.hits], is_near=is_near)


def _command(each: Command) -> Hit:
    return Hit(kind="command", title=str(each.label), page=each.page, icon=each.icon)


def _hit(row: Findable) -> Hit:
    return Hit(
        kind=row.kind,
        title=row.title,
        detail=row.detail,
        page=row.kind,
        key=row.object,
        icon=ICONS[row.kind],
    )


def _of(owner: Owner, homes: list[int]) -> FindableQuerySet:
    """Return what can be found in the owner's households, the newest first.

    One household is named by `=`, so that an index that starts with it gives the order.
    """
    one = {"household": homes[0]} if len(homes) == 1 else {"household__in": homes}
    return Findable.objects.for_owner(owner).filter(**one).order_by("-at")


def _things(owner: Owner, homes: list[int], asked: list[tuple[str, ...]]) -> list[Findable]:
    """Return the things, those first whose title says it all, then the newest."""
    things = _of(owner, homes).exclude(kind=FindableKind.CONTACT)
    titled = list(things.said(folding.tsquery(homes, asked, weight="A"))[:THINGS_READ])
    if len(titled) == THINGS_READ:
        return titled
    every = things.said(folding.tsquery(homes, asked))[:THINGS_READ]
    return list({row.pk: row for row in (*titled, *every)}.values())


def _said(owner: Owner, homes: list[int], asked: list[tuple[str, ...]]) -> list[Hit]:
    """Return the contacts that say it, each with the page on which it stands."""
    contacts = _of(owner, homes).filter(kind=FindableKind.CONTACT)
    rows = list(contacts.said(folding.tsquery(homes, asked))[:SAID_READ])
    if not rows:
        return []
    uuids = [row.object for row in rows]
    links = Link.objects.filter(
        contact__uuid__in=uuids, household__in=homes, revoked_at=None
    ).values_list("contact__uuid", "journey__uuid")
    journeys = dict(links)
    waiting = set(
        Contact.objects.for_owner(owner)
        .filter(uuid__in=[uuid for uuid in uuids if uuid not in journeys], outcome=Outcome.DOOR)
        .values_list("uuid", flat=True)
    )
    hits = []
    for row in rows:
        if row.object in journeys:
            page, key = "journey", journeys[row.object]
        elif row.object in waiting:
            page, key = "door", None
        else:
            continue  # held by a rule, an advert perhaps: it has no page
        hits.append(
            Hit(
                kind="contact",
                title=row.title or row.detail,
                detail=row.detail if row.title else "",
                page=page,
                key=key,
                icon=ICONS[FindableKind.CONTACT],
            )
        )
    return hits


def _details(owner: Owner, journeys: list[UUID], asked: list[tuple[str, ...]]) -> list[Hit]:
    """Return the facts and references on these journeys that say it themselves."""
    if not journeys:
        return []
    facts = (
        Fact.objects.for_owner(owner)
        .filter(journey__uuid__in=journeys)
        .exclude(name__in=HIDDEN_FACTS)
        .order_by("-said_at", "pk")
        .values_list("journey__uuid", "journey__title", "name", "label", "value")[:DETAILS_READ]
    )
    mine = Q(journey__household__memberships__owner=owner, journey__uuid__in=journeys)
    keys = (
        JourneyKey.objects.filter(mine)
        .exclude(scheme__in=HIDDEN_KEYS)
        .order_by("-said_at", "pk")
        .values_list("journey__uuid", "journey__title", "scheme", "value")[:DETAILS_READ]
    )
    named = [(key, title, f"{label or name}: {value}") for key, title, name, label, value in facts]
    named += [(key, title, f"{scheme}: {value}") for key, title, scheme, value in keys]
    hits: dict[tuple[UUID, str], Hit] = {}
    for key, title, text in named:
        if _says(folding.terms(text), asked):
            shown = text[:1].upper() + text[1:].replace("_", " ")
            hits.setdefault(
                (key, shown.casefold()),
                Hit(kind="fact", title=shown, detail=title, page="journey", key=key, icon="hash"),
            )
    return list(hits.values())


def _says(terms: list[str], asked: list[tuple[str, ...]]) -> bool:
    *whole, last = asked
    return all(any(word in terms for word in spelt) for spelt in whole) and any(
        term.startswith(word) for word in last for term in terms
    )


def _near(owner: Owner, homes: list[int], wanted: list[str]) -> list[Findable]:
    """Return the things whose names are a slip away from what was written."""
    names = _of(owner, homes).exclude(kind=FindableKind.CONTACT)
    found = []
    for row in names[:FUZZY_READ]:
        known = folding.words(f"{row.title} {row.detail}")
        if all(_is_among(part, known) for part in wanted):
            found.append(row)
    return found[:FUZZY_MOST]


def _is_among(part: str, known: Iterable[str]) -> bool:
    return any(word.startswith(part) or folding.is_near(part, word) for word in known)
