"""The pages of the calendar, and the file that calendar apps read."""

from django.urls import path

from notifications import calendar_views

urlpatterns = [
    path("calendar/", calendar_views.show, name="calendar"),
    path("calendar/subscriptions/", calendar_views.subscriptions, name="calendar-subscriptions"),
    path(
        "calendar/subscriptions/<uuid:feed>/",
        calendar_views.change_subscription,
        name="calendar-subscription",
    ),
    path("calendar/<str:token>.ics", calendar_views.file, name="calendar-file"),
]
