"""The pages of the feed."""

from django.urls import path

from notifications import search_views, views

urlpatterns = [
    path("", views.today, name="today"),
    path("looked/", views.looked, name="looked"),
    path("journeys/", views.journey_list, name="journeys"),
    path("journeys/<uuid:key>/", views.journey_page, name="journey"),
    path("journeys/<uuid:key>/act/", views.journey_act, name="journey-act"),
    path("contacts/<uuid:key>/act/", views.contact_act, name="contact-act"),
    path("door/", views.door, name="door"),
    path("log/", views.log, name="log"),
    path("search/", search_views.search, name="search"),
    path("outbox/", views.outbox, name="outbox"),
]
