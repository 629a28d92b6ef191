"""The pages of the feed."""

from django.urls import path

from notifications import (
    held_views,
    pass_views,
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
    path("passes/mine/", pass_views.pass_list, name="passes"),
    path("passes/new/", pass_views.pass_new, name="pass-new"),
    path("passes/mine/<uuid:key>/", pass_views.pass_page, name="pass"),
    path("passes/mine/<uuid:key>/act/", pass_views.pass_act, name="pass-act"),
    path("passes/mine/<uuid:key>/print/", pass_views.pass_print, name="pass-print"),
    # For whoever holds a pass: no account, nothing kept.
    path("pass/", pass_views.enter, name="pass-enter-short"),
    path("passes/", pass_views.enter, name="pass-enter"),
    path("passes/at/<uuid:visit>/", pass_views.read, name="pass-read"),
    path("passes/at/<uuid:visit>/pulse/", pass_views.pulse, name="pass-pulse"),
    path("passes/at/<uuid:visit>/papers/<uuid:key>/", pass_views.paper, name="pass-paper"),
    path(
        "passes/at/<uuid:visit>/papers/<uuid:key>/thumb/",
        pass_views.paper,
        {"part": "thumb"},
        name="pass-thumb",
    ),
    path("passes/<str:token>.json", pass_views.by_link, name="pass-json"),
    path("passes/<str:token>/", pass_views.by_link, name="pass-link"),
]
