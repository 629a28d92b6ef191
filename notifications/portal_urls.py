"""The portal's pages that need the rules of the feed; the others are in suppliers/portal_urls."""

from django.urls import path

from notifications import portal_views

urlpatterns = [
    path("portal/", portal_views.portal_home, name="portal"),
    path("portal/first/", portal_views.portal_first, name="portal-first"),
    path("portal/first/state/", portal_views.portal_first_state, name="portal-first-state"),
    path("portal/visits/", portal_views.portal_visits, name="portal-visits"),
    path("portal/visits/<uuid:key>/", portal_views.portal_visit, name="portal-visits-one"),
    path("portal/requests/", portal_views.portal_requests, name="portal-requests"),
    path("portal/requests/<uuid:key>/", portal_views.portal_answer, name="portal-requests-one"),
    path("portal/send/", portal_views.portal_send, name="portal-send"),
    path("portal/log/", portal_views.portal_log, name="portal-log"),
    path("portal/log/in/<int:number>/", portal_views.portal_log_in, name="portal-log-in"),
    path("portal/log/out/<uuid:key>/", portal_views.portal_log_out, name="portal-log-out"),
    path("portal/scorecard/", portal_views.portal_scorecard, name="portal-scorecard"),
]
