"""The addresses at which machines speak to Steward; `events.md` of the docs names them."""

from django.urls import path, re_path

from suppliers import mail_webhooks, telephony, webhooks
from suppliers.api import mandates, manual, v1

app_name = "suppliers"
urlpatterns = [
    path("webhooks/mail/raw/", mail_webhooks.raw, name="mail_raw"),
    path("webhooks/mail/<slug:provider>/", mail_webhooks.provided, name="mail_provided"),
    # Only what comes in: the receipts of what went out are delivery's, one address further.
    re_path(
        r"^webhooks/telephony/twilio/(?P<callback>sms|voice|recording|transcription)/$",
        telephony.twilio,
        name="twilio",
    ),
    path("webhooks/<slug:code>/", webhooks.receive, name="webhook"),
    path(".well-known/steward-keys.json", v1.steward_keys, name="steward-keys"),
    path("docs/events/", manual.overview, name="events"),
    path("docs/events/<slug:family>/", manual.family, name="events-family"),
    path("api/supplier/v1/invitations/", mandates.join, name="supplier-join"),
    path("api/supplier/v1/terms/", mandates.roster, name="supplier-roster"),
    path("api/supplier/v1/mandates/", mandates.mandates, name="supplier-mandates"),
    path("api/supplier/v1/mandates/<str:owner_ref>/", mandates.mandate, name="supplier-mandate"),
    path("api/supplier/v1/mandates/<str:owner_ref>/terms/", mandates.agreed, name="supplier-terms"),
    path(
        "api/supplier/v1/mandates/<str:owner_ref>/receipts/",
        mandates.consents,
        name="supplier-receipts",
    ),
    path("api/supplier/v1/ping/", v1.ping, name="supplier-ping"),
    path("api/supplier/v1/catalogue/", v1.types, name="supplier-catalogue"),
    path("api/supplier/v1/catalogue/<str:name>/<int:number>.json", v1.schema, name="schema"),
    path("api/supplier/v1/events/<path:key>/", v1.event, name="supplier-event"),
]
