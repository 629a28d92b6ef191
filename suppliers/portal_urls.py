"""The portal's pages that need no rule of the feed; the others are beside those rules."""

from django.urls import path

from suppliers import portal_settings, portal_views

urlpatterns = [
    path("portal/sign-up/", portal_views.portal_sign_up, name="portal-sign-up"),
    path("portal/sign-in/", portal_views.portal_sign_in, name="portal-sign-in"),
    path("portal/enter/", portal_views.portal_enter, name="portal-enter"),
    path("portal/enter/<str:token>/", portal_views.portal_enter, name="portal-enter-by"),
    path("portal/leave/", portal_views.portal_leave, name="portal-leave"),
    path("portal/change/", portal_views.portal_change, name="portal-change"),
    path("portal/people/", portal_settings.portal_people, name="portal-people"),
    path("portal/people/invite/", portal_settings.portal_invite, name="portal-invite"),
    path("portal/people/<uuid:key>/", portal_settings.portal_person, name="portal-people-one"),
    path("portal/keys/", portal_settings.portal_keys, name="portal-keys"),
    path("portal/keys/secret/", portal_settings.portal_secret, name="portal-secret"),
    path("portal/keys/api/", portal_settings.portal_key, name="portal-key"),
    path("portal/keys/endpoint/", portal_settings.portal_endpoint, name="portal-endpoint"),
    path("portal/profile/", portal_settings.portal_profile, name="portal-profile"),
    path("portal/profile/claim/", portal_settings.portal_claim, name="portal-claim"),
    path("portal/profile/<uuid:key>/", portal_settings.portal_proof, name="portal-proof"),
]
