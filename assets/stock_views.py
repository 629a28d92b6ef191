"""Meters and spare parts on the pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import duedates, metering, sharing, stocking
from assets.care_forms import MeterForm, PartForm, ReadingForm, plain
from assets.care_views import refuse
from assets.models import Asset, Meter, Part
from assets.views import find_asset
from owners import clock, households, undo
from owners.models import Owner
from owners.pages import OwnerRequest, chosen_household, page, said, way_back

PAGE = 60
SHOWN = 60


def find_meter(owner: Owner, key: UUID) -> Meter:
    """Return the owner's meter; any other, and one in the bin, does not exist."""
    mine = Meter.objects.for_owner(owner).select_related("asset__household", "household")
    return get_object_or_404(mine, uuid=key)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def meter_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give an asset a meter, with what it shows now."""
    asset, now = find_asset(request.user, key), clock.now()
    form = MeterForm(request.POST or None)
    if request.method == "POST":
        households.require(owner=request.user, household_id=asset.household_id)
        if form.is_valid():
            values = dict(form.cleaned_data)
            shown = values.pop("value")
            try:
                meter = metering.add(asset=asset, values=values, owner=request.user, now=now)
                if shown is not None:
                    today = duedates.today_in(asset.household.zone, now)
                    metering.read(meter=meter, value=shown, read_on=today, now=now)
            except metering.MeterError as error:
                refuse(form, error)
            else:
                change = undo.latest(kind=metering.ADDED, subject=meter.uuid)
                said(request, _("Added."), change)
                return redirect("asset-care", asset.uuid)
    status = 422 if request.method == "POST" else 200
    return render(request, "assets/meter_add.html", {"form": form, "asset": asset}, status=status)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def meter_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One meter: what it showed, drawn and listed, and a new reading."""
    owner, now = request.user, clock.now()
    meter = find_meter(owner, key)
    today = duedates.today_in(meter.household.zone, now)
    form = ReadingForm(request.POST or None, initial={"read_on": today})
    if request.method == "POST":
        sharing.require_help(owner=owner, asset=meter.asset)
        if form.is_valid():
            got = form.cleaned_data
            try:
                reading = metering.read(
                    meter=meter,
                    value=got["value"],
                    read_on=got["read_on"],
                    why_less=got["why_less"] or None,
                    owner=owner,
                    now=now,
                )
            except metering.MeterError as error:
                refuse(form, error)
            else:
                change = undo.latest(kind=metering.READ, subject=reading.uuid)
                said(request, _("Noted."), change)
                return redirect(way_back(request, reverse("meter", args=[meter.uuid])))
    rows = list(
        meter.readings.filter(removed_at=None)
        .select_related("record")
        .order_by("-read_on", "-pk")[:SHOWN]
    )
    believed = [row for row in rows if not row.is_doubtful][::-1]
    context: dict[str, Any] = {
        "meter": meter,
        "asset": meter.asset,
        "form": form,
        "readings": rows,
        "values": [float(row.value) for row in believed],
        "cells": [f"{row.value.normalize():f}" for row in believed],
        "days": [row.read_on for row in believed],
        "swaps": meter.replacements.filter(removed_at=None).order_by("-replaced_on", "-pk"),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "assets/meter.html", context, status=status)


@page
@require_POST
def meter_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Put a meter into the bin with its readings."""
    meter = find_meter(request.user, key)
    households.require(owner=request.user, household_id=meter.household_id)
    change = metering.remove(meter=meter, owner=request.user, now=clock.now())
    said(request, _("Removed. It lies in the bin for 30 days."), change)
    return redirect("asset-care", meter.asset.uuid)


@page
@require_GET
def part_list(request: OwnerRequest) -> HttpResponse:
    """The stock: what there is, where, and what has to be bought again."""
    mine = Part.objects.for_owner(request.user).select_related("household")
    rows = Paginator(mine.order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    return render(request, "assets/parts.html", {"rows": rows})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def part_add(request: OwnerRequest) -> HttpResponse:
    """A new part."""
    owner, now = request.user, clock.now()
    key = as_uuid(request.GET.get("asset", ""))
    mine = Asset.objects.for_owner(owner).select_related("household")
    asset = mine.filter(uuid=key).first() if key is not None else None
    home = asset.household if asset else chosen_household(request)
    home = home or households.ensure_first(owner=owner, now=now)
    initial = {"fits": [asset.uuid] if asset else []}
    form = PartForm(request.POST or None, household=home, initial=initial)
    if request.method == "POST":
        households.require(owner=owner, household_id=home.pk)
        if form.is_valid():
            part = stocking.add(household=home, values=form.values(), owner=owner, now=now)
            said(request, _("Added."), undo.latest(kind=stocking.ADDED, subject=part.uuid))
            there = reverse("asset-care", args=[asset.uuid]) if asset else reverse("parts")
            return redirect(there)
    status = 422 if request.method == "POST" else 200
    return render(request, "assets/part_edit.html", {"form": form, "asset": asset}, status=status)


def as_uuid(text: str) -> UUID | None:
    """Return the id in an address; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


@page
@require_http_methods(["GET", "HEAD", "POST"])
def part_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One part: change it, or how much there is."""
    part = find_part(request.user, key)
    initial = {name: getattr(part, name) for name in (*stocking.TEXTS, "fits")}
    initial |= {name: plain(getattr(part, name)) for name in stocking.NUMBERS}
    form = PartForm(request.POST or None, household=part.household, initial=initial)
    if request.method == "POST":
        households.require(owner=request.user, household_id=part.household_id)
        if form.is_valid():
            change = stocking.change(
                part=part, values=form.values(), owner=request.user, now=clock.now()
            )
            said(request, _("Saved."), change)
            return redirect("parts")
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form,
        "part": part,
        "uses": part.uses.select_related("record__asset")[:SHOWN],
    }
    return render(request, "assets/part_edit.html", context, status=status)


@page
@require_POST
def part_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Put a part into the bin."""
    part = find_part(request.user, key)
    households.require(owner=request.user, household_id=part.household_id)
    change = stocking.remove(part=part, owner=request.user, now=clock.now())
    said(request, _("Removed. It lies in the bin for 30 days."), change)
    return redirect("parts")


def find_part(owner: Owner, key: UUID) -> Part:
    """Return the owner's part; any other, and one in the bin, does not exist."""
    return get_object_or_404(Part.objects.for_owner(owner).select_related("household"), uuid=key)
