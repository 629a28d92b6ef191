"""The pages of the feed."""

from django.urls import path

from notifications import (
    held_views,
    preferences_views,
    search_views,
    share_views,
    views,
    welcome_views,
)

urlpatterns = [
    path("", views.today, name="today"),
    path("looked/", views.looked, name="looked"),
    path("journeys/", views.journey_list, name="journeys"),
    path("journeys/<uuid:key>/", views.journey_page, name="journey"),
    path("journeys/<uuid:key>/act/", views.journey_act, name="journey-act"),
    path("contacts/<uuid:key>/act/", views.contact_act, name="contact-act"),
    path("contacts/<uuid:key>/meant/undo/", views.meant_undo, name="meant-undo"),
    path("contacts/<uuid:key>/unsubscribe/", held_views.unsubscribe, name="unsubscribe"),
    path(
        "contacts/<uuid:key>/unsubscribe/undo/",
        held_views.unsubscribe_undo,
        name="unsubscribe-undo",
    ),
    path("held/", held_views.held, name="held"),
    path("door/", views.door, name="door"),
    path("log/", views.log, name="log"),
    path("share/", share_views.share, name="share"),
    path("share/in/", share_views.share_in, name="share-in"),
    path("log/<uuid:key>/undo/", views.log_undo, name="log-undo"),
    path("welcome/", welcome_views.welcome, name="welcome"),
    path("demo/open/", welcome_views.demo_open, name="demo-open"),
    path("demo/close/", welcome_views.demo_close, name="demo-close"),
    path("search/", search_views.search, name="search"),
    path("preferences/", preferences_views.preferences, name="preferences"),
    path("preferences/exceptions/", preferences_views.exception_set, name="preference-exception"),
    path("outbox/", views.outbox, name="outbox"),
]
