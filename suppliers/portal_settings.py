"""The portal's set-up pages: people, keys, profile with its proofs."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from owners import clock
from suppliers import keys, proofs, secrets, signing, staffing
from suppliers.choices import PersonState, ProofKind, StaffRole
from suppliers.forms import EndpointForm
from suppliers.models import SigningSecret, SupplierKey
from suppliers.portal_forms import InviteForm, ProfileForm
from suppliers.staff import SupplierPerson, SupplierProof
from suppliers.staff_pages import StaffRequest, leave, staff_only
from suppliers.typed import read_domain

GET_AND_POST = ["GET", "HEAD", "POST"]
ADMIN, DEVELOPER = StaffRole.ADMIN, StaffRole.DEVELOPER


# --- people ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD"])
@staff_only()
def portal_people(request: StaffRequest) -> HttpResponse:
    """Show who works here, and with which role."""
    return _people(request, InviteForm())


@require_POST
@staff_only(ADMIN)
def portal_invite(request: StaffRequest) -> HttpResponse:
    """Let a colleague in by mail."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            staffing.invite(
                by=request.person,
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                role=StaffRole(form.cleaned_data["role"]),
                now=clock.now(),
            )
        except staffing.StaffError as error:
            form.add_error(error.field or None, _(error.detail))
        else:
            messages.success(request, _("Invited. The link in the mail works once, for a week."))
            return redirect("portal-people")
    return _people(request, form, status=422)


@require_POST
@staff_only()
def portal_person(request: StaffRequest, key: UUID) -> HttpResponse:
    """Give somebody another role, or let them in no more; everybody may remove themselves."""
    person = get_object_or_404(SupplierPerson.objects.of(request.person), uuid=key)
    role = request.POST.get("role", "")
    try:
        if request.POST.get("remove"):
            staffing.revoke(person=person, by=request.person, now=clock.now())
            if person.pk == request.person.pk:
                leave(request)
                return redirect("portal")
            messages.success(request, _("Removed. They are signed out everywhere."))
        elif role in StaffRole.values:
            staffing.change_role(person=person, role=StaffRole(role), by=request.person)
            messages.success(request, _("Changed."))
        else:
            return HttpResponse(status=400)
    except staffing.StaffError as error:
        messages.error(request, _(error.detail))
    return redirect("portal-people")


def _people(request: StaffRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    people = SupplierPerson.objects.of(request.person).exclude(state=PersonState.REVOKED)
    context = {
        "people": people.order_by("state", "name", "email"),
        "form": form,
        "roles": StaffRole.choices,
        "is_admin": staffing.may(request.person, ADMIN),
        "elsewhere": staffing.elsewhere(request.person),
    }
    return render(request, "portal/people.html", context, status=status)


# --- keys --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD"])
@staff_only(DEVELOPER)
def portal_keys(request: StaffRequest) -> HttpResponse:
    """Show what signs and what opens the API, each with its state."""
    return _keys(request)


@require_POST
@staff_only(DEVELOPER)
def portal_secret(request: StaffRequest) -> HttpResponse:
    """Make a signing secret, take a public key, or end one of them."""
    now = clock.now()
    if ended := request.POST.get("end"):
        found = get_object_or_404(_live_secrets(request), uuid=_uuid(ended))
        secrets.end(secret=found, now=now)
        messages.success(request, _("Ended. What it signs is refused from now on."))
        return redirect("portal-keys")
    if (public := request.POST.get("public_key")) is not None:
        try:
            secrets.add_public_key(supplier=request.supplier, value=public, now=now)
        except signing.KeyFormatError:
            return _keys(
                request,
                status=422,
                fault=_("This is no public key: whpk_ and 32 bytes in base64."),
            )
        messages.success(request, _("Added. Events signed with its private half are taken now."))
        return redirect("portal-keys")
    made = secrets.rotate_own(supplier=request.supplier, now=now)
    return _keys(request, made_secret=made.value)


@require_POST
@staff_only(DEVELOPER)
def portal_key(request: StaffRequest) -> HttpResponse:
    """Make a key of the API, or close one."""
    now = clock.now()
    if closed := request.POST.get("revoke"):
        mine = SupplierKey.objects.live().filter(supplier=request.supplier)
        keys.revoke(key=get_object_or_404(mine, uuid=_uuid(closed)), now=now)
        messages.success(request, _("Closed."))
        return redirect("portal-keys")
    name = request.POST.get("name", "").strip()[:80]
    made = keys.make(supplier=request.supplier, name=name, now=now)
    return _keys(request, made_key=made.token)


@require_POST
@staff_only(DEVELOPER)
def portal_endpoint(request: StaffRequest) -> HttpResponse:
    """Say where Steward's own events go; a new secret comes with every change."""
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _keys(request, endpoint=form, status=422)
    made = secrets.set_own_endpoint(supplier=request.supplier, url=form.cleaned_data["url"])
    request.supplier.refresh_from_db()
    if not made:
        messages.success(request, _("Answers come by mail now."))
        return redirect("portal-keys")
    return _keys(request, endpoint_secret=made)


def _live_secrets(request: StaffRequest) -> QuerySet[SigningSecret]:
    return SigningSecret.objects.live(clock.now()).filter(supplier=request.supplier)


def _keys(
    request: StaffRequest,
    *,
    made_secret: str = "",
    made_key: str = "",
    endpoint_secret: str = "",
    endpoint: EndpointForm | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "made": made_secret or made_key or endpoint_secret,
        "made_kind": "secret" if made_secret else "key" if made_key else "endpoint",
        "secrets": _live_secrets(request),
        "keys": SupplierKey.objects.live().filter(supplier=request.supplier).order_by("-pk"),
        "endpoint": endpoint or EndpointForm(initial={"url": request.supplier.webhook_url}),
        "webhook": f"{settings.SITE_URL}/webhooks/{request.supplier.code}/",
        "published": keys.published(),
        "site": settings.SITE_URL,
        "fault": fault,
    }
    return render(request, "portal/keys.html", context, status=status)


# --- profile -----------------------------------------------------------------------------


@require_http_methods(GET_AND_POST)
@staff_only()
def portal_profile(request: StaffRequest) -> HttpResponse:
    """Show how the supplier is known, and what of it is proved."""
    supplier = request.supplier
    initial = {"name": supplier.name, "technical_contact": supplier.technical_contact}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 200
    if request.method == "POST":
        if not staffing.may(request.person, ADMIN):
            return HttpResponse(status=403)
        if form.is_valid():
            if supplier.verified_at is not None and form.cleaned_data["name"] != supplier.name:
                form.add_error(
                    "name", _("An operator has checked this name; ask them to change it.")
                )
            else:
                supplier.name = form.cleaned_data["name"]
                supplier.technical_contact = form.cleaned_data["technical_contact"]
                supplier.save(update_fields=["name", "technical_contact"])
                messages.success(request, _("Saved."))
                return redirect("portal-profile")
        status = 422
    return _profile(request, form=form, status=status)


@require_POST
@staff_only(ADMIN)
def portal_claim(request: StaffRequest) -> HttpResponse:
    """Name a domain or a number that is to be proved."""
    now = clock.now()
    try:
        if "domain" in request.POST:
            domain = read_domain(request.POST["domain"])
            proofs.claim_domain(supplier=request.supplier, domain=domain, now=now)
            messages.success(request, _("Now add the record below at your name server."))
        else:
            number = request.POST.get("number", "")
            proofs.claim_number(supplier=request.supplier, text=number, now=now)
            messages.success(request, _("A code is on its way to this number."))
    except proofs.ProofError as error:
        messages.error(request, _(error.detail))
    return redirect("portal-profile")


@require_POST
@staff_only(ADMIN)
def portal_proof(request: StaffRequest, key: UUID) -> HttpResponse:
    """Look for a domain's record, try a number's code, or give a claim up."""
    proof = get_object_or_404(SupplierProof.objects.filter(supplier=request.supplier), uuid=key)
    now = clock.now()
    try:
        if request.POST.get("remove"):
            proofs.give_up(proof=proof)
            messages.success(request, _("Removed. It counts as evidence no more."))
            return redirect("portal-profile")
        if proof.kind == ProofKind.DOMAIN:
            is_proved = proofs.check_domain(proof=proof, now=now)
        else:
            code = request.POST.get("code", "")
            is_proved = proofs.check_code(proof=proof, code=code, now=now)
    except proofs.ProofError as error:
        messages.error(request, _(error.detail))
        return redirect("portal-profile")
    if is_proved:
        messages.success(request, _("Proved. It counts as yours for every owner now."))
    return redirect("portal-profile")


def _profile(request: StaffRequest, *, form: ProfileForm, status: int) -> HttpResponse:
    rows = SupplierProof.objects.filter(supplier=request.supplier).order_by("kind", "value")
    found: dict[str, list[dict[str, object]]] = {kind.value: [] for kind in ProofKind}
    for proof in rows:
        found[proof.kind].append(
            {
                "proof": proof,
                "name": proofs.record_name(proof),
                "text": proofs.record_text(proof),
                "fault": _(proof.fault) if proof.fault else "",
            }
        )
    context = {
        "form": form,
        "domains": found[ProofKind.DOMAIN.value],
        "numbers": found[ProofKind.NUMBER.value],
        "is_admin": staffing.may(request.person, ADMIN),
    }
    return render(request, "portal/profile.html", context, status=status)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
