"""What is looked after: the list, one thing, adding, changing and removing one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import (
    caring,
    documents,
    duedates,
    holdings,
    identifiers,
    labels,
    life_words,
    passages,
    places,
    recalls,
    register,
    starters,
    tabs,
    transfers,
    typed,
)
from assets.care_words import CareStatus
from assets.choices import (
    AssetKind,
    Custody,
    DocumentKind,
    IdentifierScheme,
    Lifecycle,
    OperationalStatus,
)
from assets.forms import AssetEditForm, AssetForm, IdentifierForm
from assets.life_forms import CodeForm
from assets.models import Acquisition, Asset, AssetIdentifier, Document, Tag
from owners import clock, households, undo
from owners.models import Owner
from owners.pages import OwnerRequest, page, said

PAGE = 60
ORDERS = {
    "name": ("name", "pk"),
    "newest": ("-created_at", "-pk"),
    "place": ("place", "name", "pk"),
}
ORDER_LABELS = {
    "name": gettext_lazy("Name"),
    "newest": gettext_lazy("Newest"),
    "place": gettext_lazy("Place"),
}
NEXT_CARE = 3  # of an asset, on its first page
TABS = ("overview", "timeline", "suppliers", "costs", "documents", "details")
SHOWN = 100


@page
@require_GET
def asset_list(request: OwnerRequest) -> HttpResponse:
    """Everything the owner looks after, narrowed by kind, place and state."""
    mine = Asset.objects.for_owner(request.user)
    chosen = {name: request.GET.get(name, "") for name in ("kind", "place", "state", "tag")}
    order = request.GET.get("sort", "name")
    counts = dict(
        mine.looked_after().order_by().values_list("kind").annotate(count=Count("pk")).order_by()
    )
    by = ORDERS.get(order, ORDERS["name"])
    found = narrowed(mine, **chosen).order_by(*by)
    # Keys first: who serves the assets of the pages before is nobody's question.
    keys = Paginator(found.values_list("pk", flat=True), PAGE)
    tiles: Any = keys.get_page(request.GET.get("page"))
    # The keys are the owner's: asking for them again would look through all of them again.
    shown = Asset.objects.with_serving().filter(pk__in=tiles.object_list).order_by(*by)
    tiles.object_list = list(shown)
    photos = photos_of([asset.pk for asset in shown])
    for asset in tiles:
        asset.photo = photos.get(asset.pk)
    context = {
        "tiles": tiles,
        "rows": tiles,
        "extra": "".join(
            f"&{urlencode({k: v})}" for k, v in {**chosen, "sort": order}.items() if v
        ),
        "total": sum(counts.values()),
        "kinds": kind_filters(request, counts, chosen["kind"]),
        "places": places.used(mine.looked_after()),
        "tags": Tag.objects.for_owner(request.user).order_by("name")[:PAGE],
        "chosen": chosen,
        "order": order,
        "orders": ORDER_LABELS.items(),
        "states": [
            *OperationalStatus.choices,
            *((value, label) for value, label in Custody.choices if value != Custody.WITH_OWNER),
            *(
                (value, label)
                for value, label in Lifecycle.choices
                if value not in {Lifecycle.ACTIVE, Lifecycle.ENDED}
            ),
        ],
        "starters": list(starters.STARTERS.values())[:6],
        "is_narrowed": any(chosen.values()),
    }
    return render(request, "assets/assets.html", context)


def narrowed(
    rows: QuerySet[Asset], *, kind: str, place: str, state: str, tag: str = ""
) -> QuerySet[Asset]:
    """Return the assets of a kind, in a place, with a tag, in a state; `ended` shows what was.

    A state is how it works, where it is in its life, or in whose hands.
    """
    if state == Lifecycle.ENDED:
        rows = rows.filter(lifecycle=Lifecycle.ENDED)
    else:
        rows = rows.exclude(lifecycle=Lifecycle.ENDED)
        if state in OperationalStatus.values:
            rows = rows.filter(operational_status=state)
        elif state in Custody.values:
            rows = rows.filter(custody=state)
        elif state in Lifecycle.values:
            rows = rows.filter(lifecycle=state)
    if kind in AssetKind.values:
        rows = rows.filter(kind=kind)
    if tag:
        named = Tag.objects.filter(folded=Tag.fold(tag.replace("\x00", "")))
        rows = rows.filter(taggings__tag__in=named)
    place = place.replace("\x00", "")
    return rows.filter(places.inside(place)) if place else rows


def kind_filters(request: OwnerRequest, counts: dict[str, int], at: str) -> list[dict[str, Any]]:
    """Return the pills above the list: one for each kind there is."""

    def href(kind: str) -> str:
        values = request.GET.copy()
        values.pop("page", None)
        values["kind"] = kind
        return f"?{values.urlencode()}"

    pills = [{"label": _("All"), "href": href(""), "count": sum(counts.values()), "is_at": not at}]
    pills += [
        {"label": kind.label, "href": href(kind), "count": counts[kind], "is_at": kind == at}
        for kind in AssetKind
        if counts.get(kind)
    ]
    return pills if len(pills) > 2 else []


def photos_of(pks: list[int]) -> dict[int, UUID]:
    """Return the newest photo of each of these assets."""
    found = Document.objects.filter(
        asset__in=pks, kind=DocumentKind.PHOTO, has_thumb=True, removed_at=None
    )
    newest = found.order_by("asset", "-added_at", "-pk").distinct("asset")
    return dict(newest.values_list("asset_id", "uuid"))


def find_asset(owner: Owner, key: UUID) -> Asset:
    """Return the owner's asset; anybody else's, and one in the bin, does not exist."""
    mine = Asset.objects.for_owner(owner).select_related("household", "keeper")
    return get_object_or_404(mine, uuid=key)


@page
@require_GET
def asset_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One thing: how it is, what happened, who serves it, its papers and what names it."""
    asset = find_asset(request.user, key)
    tab = request.GET.get("tab", TABS[0])
    if tab not in TABS:
        tab = TABS[0]
    return render(request, "assets/asset.html", asset_context(asset, tab))


def asset_context(asset: Asset, tab: str) -> dict[str, Any]:
    """Return an asset as its page shows it."""
    papers = list(asset.documents.filter(removed_at=None).order_by("-added_at", "-pk")[:SHOWN])
    roles = list(asset.roles.select_related("supplier").order_by("kind", "pk"))
    counts = {"suppliers": len(roles), "documents": len(papers)}
    photos = [paper for paper in papers if paper.kind == DocumentKind.PHOTO and paper.has_thumb]
    return {
        "asset": asset,
        "tab": tab,
        "tabs": tabs.of(asset, tab, counts),
        "identifiers": named(asset),
        "steps": steps_of(asset),
        "can_pass_on": asset.lifecycle in (Lifecycle.RECEIVED, Lifecycle.ACTIVE, Lifecycle.LEAVING),
        "handed": transfers.handed_over(asset),
        "notes_left": asset.finder_notes.filter(seen_at=None).order_by("-left_at")[:5],
        **(belongings(asset) if tab in {"overview", "costs", "details"} else {}),
        "roles": roles,
        "others": asset.mandates.live()
        .exclude(supplier__in=[role.supplier_id for role in roles])
        .select_related("supplier")
        .order_by("supplier__name", "pk"),
        "role_rows": role_rows(asset, roles),
        "papers": papers,
        "photo": photos[0] if photos else None,
        "identifier_form": IdentifierForm(),
    }


def named(asset: Asset) -> list[AssetIdentifier]:
    """Return what names an asset, each with what is doubtful about it."""
    rows = list(asset.identifiers.order_by("scheme", "pk"))
    for row in rows:
        checked = identifiers.check(IdentifierScheme(row.scheme), row.value)
        row.warning = checked.warning  # type: ignore[attr-defined]  # for the template to read
    return rows


def steps_of(asset: Asset) -> list[dict[str, Any]]:
    """Return the steps that lead on from where an asset is, as links."""
    return [
        {
            "label": life_words.LABELS[step],
            "href": reverse("asset-step", args=[asset.uuid, step.value]),
        }
        for step in passages.open_steps(asset)
    ]


def belongings(asset: Asset) -> dict[str, Any]:
    """Return what belongs to an asset: parts, own fields, price, covers, costs, loans."""
    today = duedates.today_in(asset.household.zone, clock.now())
    covers = list(asset.coverages.order_by("ends_on", "pk")[:SHOWN])
    for cover in covers:
        cover.standing = cover.state_on(today)  # type: ignore[attr-defined]  # for the template
    own = register.fields_for(household=asset.household, kind=asset.kind)
    bought = Acquisition.objects.filter(asset=asset).prefetch_related("lines").first()
    return {
        "today": today,
        "acquisition": bought,
        "price_lines": sorted(bought.lines.all(), key=lambda line: line.pk) if bought else [],
        "covers": covers,
        "costs": asset.costs.order_by("-on", "-pk")[:SHOWN],
        "totals": holdings.totals(asset),
        "recalls": recalls.of_asset(asset),
        "loan": asset.loans.filter(back_on=None).first(),
        "loss": asset.losses.filter(found_on=None).first(),
        "tags": register.tags_of(asset),
        "next_care": asset.care_tasks.filter(removed_at=None, due_on__isnull=False)
        .exclude(status=CareStatus.PAUSED)
        .order_by("due_on", "pk")[:NEXT_CARE],
        "parts": asset.components.filter(removed_at=None).order_by("name", "pk")[:SHOWN],
        "own_values": [
            {"name": field.name, "type": field.type, "value": typed.shown(asset.custom[key])}
            for field in own
            if (key := str(field.uuid)) in asset.custom
        ],
        "code_form": CodeForm(),
    }


def role_rows(asset: Asset, roles: list[Any]) -> list[dict[str, Any]]:
    """Return who is what for an asset, with the gaps."""
    field = asset.roles.model._meta.get_field("kind")  # noqa: SLF001 - Django's own name
    return [
        {
            "label": label,
            "suppliers": [
                {
                    "name": role.supplier.name,
                    "href": reverse("supplier", args=[role.supplier.uuid]),
                    "verified": role.supplier.verified_at is not None,
                }
                for role in roles
                if role.kind == kind
            ],
        }
        for kind, label in field.flatchoices
    ]


@page
@require_http_methods(["GET", "HEAD", "POST"])
def asset_add(request: OwnerRequest) -> HttpResponse:
    """Add a thing: a photo, a name or one line is enough."""
    owner, now = request.user, clock.now()
    if request.method == "POST":
        households.ensure_first(owner=owner, now=now)
    chosen = request.GET.get("template", "")
    form = AssetForm(
        request.POST or None, request.FILES or None, owner=owner, initial={"template": chosen}
    )
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "assets/asset_add.html", adding(form, chosen), status=status)
    household = form.cleaned_data["household"]
    households.require(owner=owner, household_id=household.pk)
    asset = register.add(
        household=household,
        values=form.values() | {"keeper": owner, "lifecycle": Lifecycle.ACTIVE},
        identifiers=form.identifiers(),
        now=now,
        owner=owner,
    )
    if form.care():
        caring.adopt(asset=asset, plan=form.care(), now=now, owner=owner)
    change = undo.latest(kind=register.ADDED, subject=asset.uuid)
    said(request, _("Added. Who serves it?"), change)
    if form.photo_file is not None:
        take(request, asset, [form.photo_file])
    return redirect("asset", key=asset.uuid)


def adding(form: AssetForm, chosen: str) -> dict[str, Any]:
    """Return the page on which a thing is added."""
    picked = str(form["template"].value() or chosen)
    return {
        "form": form,
        "starters": form.known.values(),
        "picked": picked,
        "starter": form.known.get(picked),
    }


def take(request: OwnerRequest, asset: Asset, files: list[Any]) -> None:
    """Keep files for an asset; what cannot be kept is said, and the rest is kept."""
    for file in files:
        try:
            documents.add(
                household=asset.household,
                asset=asset,
                owner=request.user,
                name=file.name or "",
                content=file.read(),
                now=clock.now(),
            )
        except documents.DocumentError as error:
            messages.error(request, _(error.detail))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def asset_edit(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change a thing; every change can be undone."""
    asset = find_asset(request.user, key)
    form = AssetEditForm(request.POST or None, asset=asset)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"asset": asset, "form": form}
        return render(request, "assets/asset_edit.html", context, status=status)
    households.require(owner=request.user, household_id=asset.household_id)
    try:
        change = register.edit(
            asset=asset,
            values=form.values(),
            tags=form.tags(),
            owner=request.user,
            now=clock.now(),
        )
    except (register.KeeperError, register.ParentError, register.CustomError) as error:
        form.refuse(error)
        context = {"asset": asset, "form": form}
        return render(request, "assets/asset_edit.html", context, status=422)
    said(request, _("Saved."), change)
    return redirect("asset", key=asset.uuid)


@page
@require_POST
def asset_name(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Add an identifier to a thing, or take one away."""
    asset = find_asset(request.user, key)
    households.require(owner=request.user, household_id=asset.household_id)
    kept = [
        (IdentifierScheme(row.scheme), row.value)
        for row in asset.identifiers.order_by("pk")
        if str(row.pk) != request.POST.get("remove")
    ]
    if "remove" not in request.POST:
        form = IdentifierForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Write the number as it stands on the label."))
            return redirect(f"{reverse('asset', args=[asset.uuid])}?tab=details")
        kept.append((IdentifierScheme(form.cleaned_data["scheme"]), form.cleaned_data["value"]))
    change = register.edit(
        asset=asset, values={}, identifiers=kept, owner=request.user, now=clock.now()
    )
    said(request, _("Saved."), change)
    return redirect(f"{reverse('asset', args=[asset.uuid])}?tab=details")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def asset_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say what removing a thing does, and put it into the bin."""
    asset = find_asset(request.user, key)
    if request.method != "POST":
        return render(request, "assets/asset_remove.html", {"asset": asset})
    households.require(owner=request.user, household_id=asset.household_id)
    change = register.remove(asset=asset, owner=request.user, now=clock.now())
    said(request, _("Removed. It stays in the bin for 30 days."), change)
    return redirect("assets")


@page
@require_GET
def asset_label(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A label to print: its code opens this thing's page."""
    asset = find_asset(request.user, key)
    serial = asset.identifiers.order_by("scheme", "pk").first()
    context = {
        "asset": asset,
        "serial": serial,
        "address": settings.SITE_URL
        + reverse("found", args=[labels.label_of(asset, now=clock.now()).code]),
    }
    return render(request, "assets/asset_label.html", context)
