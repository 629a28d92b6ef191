"""Every address of the product."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import health

# The admin has no sign-in of its own: rate limits and second factors hold for it too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
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
