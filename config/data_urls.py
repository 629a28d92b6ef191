"""The pages about the owner's data, and the bin."""

from django.urls import path

from config import data_views, restore_views

urlpatterns = [
    path("data/", data_views.data, name="data"),
    path("data/exports/", data_views.export_ask, name="export-ask"),
    path("data/exports/<uuid:key>/", data_views.export_progress, name="export-progress"),
    path("data/exports/<uuid:key>/steward.zip", data_views.export_take, name="export-take"),
    path("data/exports/<uuid:key>/cancel/", data_views.export_cancel, name="export-cancel"),
    path("data/restore/", restore_views.restore_new, name="restore-new"),
    path("data/restore/<uuid:key>/", restore_views.restore, name="restore"),
    path("data/restore/<uuid:key>/start/", restore_views.restore_start, name="restore-start"),
    path("data/restore/<uuid:key>/cancel/", restore_views.restore_cancel, name="restore-cancel"),
    path("data/delete/", data_views.delete_ask, name="delete-ask"),
    path("data/delete/<uuid:key>/cancel/", data_views.delete_cancel, name="delete-cancel"),
    path("data/log/", data_views.log, name="access-log"),
    path("bin/", data_views.bin_page, name="bin"),
    path("undo/<uuid:key>/", data_views.undo_change, name="undo"),
]
