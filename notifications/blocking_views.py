"""Blocking a sender at the Door or a supplier on its page, and taking that back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import blocking
from owners import clock, doorbell, households
from owners.choices import Rank
from owners.pages import OwnerRequest, page, way_back
from suppliers.models import BlockedSender, Contact
from suppliers.views import for_admin


@page
@require_POST
def sender_block(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Block whoever a contact at the Door is from."""
    contact = get_object_or_404(Contact.objects.for_owner(request.user), uuid=key)
    households.require(owner=request.user, household_id=contact.household_id)
    try:
        block = blocking.block_sender(contact=contact, owner=request.user, now=clock.now())
    except blocking.BlockError as error:
        messages.error(request, _(error.detail))
    else:
        say_blocked(request, block)
    return redirect(way_back(request, reverse("door")))


@page
@require_POST
def supplier_block(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Block a supplier that was let in."""
    mandate = for_admin(request, key)
    block = blocking.block_supplier(mandate=mandate, owner=request.user, now=clock.now())
    say_blocked(request, block)
    return redirect(way_back(request, reverse("supplier", args=[mandate.supplier.uuid])))


def say_blocked(request: OwnerRequest, block: BlockedSender) -> None:
    """Say that it is done, with a way to take it back while the sentence stands."""
    undo = f"undo:{reverse('block-undo', args=[block.uuid])}"
    said = _("Blocked. What they send is kept and never shown; they are not told.")
    messages.success(request, said, extra_tags=undo)


@page
@require_POST
def block_undo(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take a block back."""
    mine = BlockedSender.objects.for_owner(request.user).select_related("mandate__supplier")
    block = get_object_or_404(mine, uuid=key)
    least = Rank.ADMIN if block.mandate_id else Rank.MEMBER
    households.require(owner=request.user, household_id=block.household_id, least=least)
    blocking.unblock(block=block, owner=request.user, now=clock.now())
    doorbell.ring("feed")
    messages.success(request, _("Unblocked. What came meanwhile is treated like all else."))
    return redirect(way_back(request, reverse("door")))
