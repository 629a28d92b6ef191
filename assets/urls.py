"""The pages about what is owned, and its photos and papers."""

from django.urls import path

from assets import document_views, views

urlpatterns = [
    path("assets/", views.asset_list, name="assets"),
    path("assets/add/", views.asset_add, name="asset-add"),
    path("assets/<uuid:key>/", views.asset_page, name="asset"),
    path("assets/<uuid:key>/edit/", views.asset_edit, name="asset-edit"),
    path("assets/<uuid:key>/names/", views.asset_name, name="asset-name"),
    path("assets/<uuid:key>/remove/", views.asset_remove, name="asset-remove"),
    path("assets/<uuid:key>/label/", views.asset_label, name="asset-label"),
    path("documents/", document_views.document_list, name="documents"),
    path("documents/add/", document_views.document_add, name="document-add"),
    path("documents/<uuid:key>/", document_views.document_page, name="document"),
    path("documents/<uuid:key>/file/", document_views.document_file, name="document-file"),
    path("documents/<uuid:key>/thumb/", document_views.document_thumb, name="document-thumb"),
    path("documents/<uuid:key>/remove/", document_views.document_remove, name="document-remove"),
]
