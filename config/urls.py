"""Every address of the product."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import health
from notifications.webhooks import twilio_status

# The admin has no sign-in of its own: rate limits and second factors hold for it too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    # Before the suppliers' addresses: what became of a message is the feed's to know.
    path("webhooks/telephony/twilio/status/", twilio_status, name="twilio-status"),
    path("", include("suppliers.urls")),
    path("", include("notifications.urls")),
    path("", include("assets.urls")),
    path("", include("suppliers.page_urls")),
    path("", include("owners.urls")),
    path("api/", include("config.api")),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
]
