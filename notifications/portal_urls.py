"""The portal's pages that need the rules of the feed, and their API.

The other pages are in suppliers/portal_urls.
"""

from django.urls import path

from notifications import portal_views
from notifications.api import portal as api

API = "api/supplier/v1"

urlpatterns = [
    path("portal/", portal_views.portal_home, name="portal"),
    path("portal/first/", portal_views.portal_first, name="portal-first"),
    path("portal/first/state/", portal_views.portal_first_state, name="portal-first-state"),
    path("portal/visits/", portal_views.portal_visits, name="portal-visits"),
    path("portal/visits/<uuid:key>/", portal_views.portal_visit, name="portal-visits-one"),
    path("portal/requests/", portal_views.portal_requests, name="portal-requests"),
    path("portal/requests/<uuid:key>/", portal_views.portal_answer, name="portal-requests-one"),
    path("portal/send/", portal_views.portal_send, name="portal-send"),
    path("portal/log/", portal_views.portal_deliveries, name="portal-log"),
    path("portal/log/in/<int:number>/", portal_views.portal_log_in, name="portal-log-in"),
    path("portal/log/out/<uuid:key>/", portal_views.portal_log_out, name="portal-log-out"),
    path("portal/scorecard/", portal_views.portal_scorecard, name="portal-scorecard"),
    path(
        "portal/scorecard/<slug:name>/",
        portal_views.portal_scorecard_cases,
        name="portal-scorecard-cases",
    ),
    path(f"{API}/visits/", api.visits, name="supplier-visits"),
    path(f"{API}/visits/<uuid:key>/", api.visit, name="supplier-visit"),
    path(f"{API}/requests/", api.requests, name="supplier-requests"),
    path(f"{API}/requests/<uuid:key>/", api.answer, name="supplier-request"),
    path(f"{API}/log/", api.log, name="supplier-log"),
    path(f"{API}/log/<uuid:key>/", api.sent, name="supplier-log-one"),
    path(f"{API}/log/<uuid:key>/replay/", api.replay, name="supplier-replay"),
    path(f"{API}/scorecard/", api.card, name="supplier-scorecard"),
    path(f"{API}/scorecard/<slug:name>/", api.card_cases, name="supplier-scorecard-cases"),
    path(f"{API}/profile/", api.profile, name="supplier-profile"),
    path(f"{API}/keys/", api.own_keys, name="supplier-keys"),
    path(f"{API}/keys/<uuid:key>/", api.own_key, name="supplier-key"),
    path(f"{API}/secrets/", api.own_secrets, name="supplier-secrets"),
    path(f"{API}/secrets/<uuid:key>/", api.own_secret, name="supplier-secret"),
]
