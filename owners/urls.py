"""The pages about the owner and the household."""

from django.urls import path

from owners import views

urlpatterns = [
    path("household/", views.household, name="household"),
    path("household/add/", views.household_add, name="household-add"),
    path("households/<uuid:key>/invite/", views.member_invite, name="member-invite"),
    path("households/<uuid:key>/members/<uuid:member>/", views.member_change, name="member-change"),
    path("invitations/<uuid:key>/revoke/", views.invitation_revoke, name="invitation-revoke"),
    path("invitation/", views.invitation, name="invitation"),
    path("invitation/<str:token>/", views.invitation, name="invitation-open"),
    path("access/", views.access_page, name="access"),
    path("access/sessions/end/", views.session_end, name="session-end"),
    path("access/tokens/", views.token_make, name="token-make"),
    path("access/tokens/<uuid:key>/revoke/", views.token_revoke, name="token-revoke"),
    path("access/channels/", views.channel_add, name="channel-add"),
    path("access/channels/<uuid:key>/", views.channel_change, name="channel-change"),
]
