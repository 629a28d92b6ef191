"""Every address of the product."""

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from config import appearance, health, pwa, showroom
from config.help import help_page
from notifications.api import supplier
from notifications.api.stream import FeedStream
from notifications.webhooks import mail_events, twilio_call, twilio_status

# The admin has no sign-in of its own: rate limits and second factors hold for it too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # the way allauth documents


_may_enter = admin.site.has_permission


def may_enter(request: HttpRequest) -> bool:
    """Whether somebody may open the admin: staff, with a second factor where it is asked."""
    if not _may_enter(request):
        return False
    return not settings.ADMIN_ASKS_SECOND_FACTOR or bool(is_mfa_enabled(request.user))


admin.site.has_permission = may_enter  # type: ignore[method-assign]  # one rule for every page


def missing(request: HttpRequest) -> HttpResponse:
    """Answer for an address that this product does not have."""
    raise Http404


handler404 = "config.faults.not_found"
handler500 = "config.faults.failed"

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("sw.js", pwa.service_worker, name="service-worker"),
    path("offline/", pwa.offline, name="offline"),
    path("appearance/", appearance.choose, name="scheme"),
    path("design/", showroom.design, name="design"),
    # Before the suppliers' addresses: what became of a message is the feed's to know.
    path("webhooks/telephony/twilio/status/", twilio_status, name="twilio-status"),
    path("webhooks/telephony/twilio/call/", twilio_call, name="twilio-call"),
    path("webhooks/mail/<slug:provider>/tracking/", mail_events, name="mail-events"),
    path("api/supplier/v1/verdict/", supplier.judge, name="supplier-verdict"),
    path("api/supplier/v1/mandates/<str:owner_ref>/reach/", supplier.reach, name="supplier-reach"),
    path("", include("suppliers.urls")),
    # Answered by config.asgi where that serves; pages ask for it by this name.
    path("api/v1/feed/stream/", FeedStream.as_view(), name="feed-stream"),
    # Before the pages: an app asks here all day, and addresses are tried in their order.
    path("api/", include("config.api")),
    path("", include("notifications.urls")),
    path("", include("notifications.calendar_urls")),
    path("", include("notifications.report_urls")),
    path("", include("assets.import_urls")),
    path("", include("assets.urls")),
    path("", include("assets.cover_urls")),
    path("", include("assets.share_urls")),
    path("", include("notifications.tie_urls")),
    path("", include("assets.care_urls")),
    path("", include("suppliers.page_urls")),
    path("", include("suppliers.transfer_urls")),
    path("", include("notifications.portal_urls")),
    path("", include("suppliers.portal_urls")),
    path("", include("owners.urls")),
    path("", include("config.data_urls")),
    path("help/", help_page, name="help"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    # Phones are channels here, not sign-ins; allauth 65.21's view fails on HEAD and PUT.
    path("_allauth/app/v1/account/phone", missing),
    path("_allauth/", include("allauth.headless.urls")),
]
