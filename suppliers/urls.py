"""The addresses at which machines speak to Steward; `events.md` of the docs names them."""

from django.urls import path

from suppliers import mail_webhooks, telephony, webhooks

app_name = "suppliers"
urlpatterns = [
    path("webhooks/mail/raw/", mail_webhooks.raw, name="mail_raw"),
    path("webhooks/telephony/twilio/<slug:callback>/", telephony.twilio, name="twilio"),
    path("webhooks/<slug:code>/", webhooks.receive, name="webhook"),
]
