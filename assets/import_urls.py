"""The pages on which files of other systems are brought in."""

from django.urls import path

from assets import import_views as views

urlpatterns = [
    path("imports/", views.import_list, name="imports"),
    path("imports/<uuid:key>/", views.import_page, name="import"),
    path("imports/<uuid:key>/start/", views.import_start, name="import-start"),
    path("imports/<uuid:key>/cancel/", views.import_cancel, name="import-cancel"),
    path("imports/<uuid:key>/left-out.csv", views.import_bad_rows, name="import-bad-rows"),
]
