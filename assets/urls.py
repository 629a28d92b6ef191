"""The pages about what is owned, and its photos and papers."""

from django.urls import path

from assets import document_views, label_views, life_views, template_views, views

urlpatterns = [
    path("assets/", views.asset_list, name="assets"),
    path("assets/add/", views.asset_add, name="asset-add"),
    path("assets/<uuid:key>/", views.asset_page, name="asset"),
    path("assets/<uuid:key>/edit/", views.asset_edit, name="asset-edit"),
    path("assets/<uuid:key>/names/", views.asset_name, name="asset-name"),
    path("assets/<uuid:key>/remove/", views.asset_remove, name="asset-remove"),
    path("assets/<uuid:key>/label/", views.asset_label, name="asset-label"),
    path("assets/labels/", label_views.label_sheet, name="asset-labels"),
    path("assets/<uuid:key>/label/<slug:form>.pdf", label_views.label_pdf, name="asset-label-pdf"),
    path("assets/<uuid:key>/label/renew/", label_views.label_renew, name="asset-label-renew"),
    path("assets/<uuid:key>/loss.pdf", label_views.loss_pdf, name="asset-loss-pdf"),
    path("assets/<uuid:key>/notes-seen/", label_views.notes_seen, name="asset-notes-seen"),
    path("assets/<uuid:key>/steps/<slug:step>/", life_views.asset_step, name="asset-step"),
    path("assets/<uuid:key>/acquisition/", life_views.asset_acquisition, name="asset-acquisition"),
    path("assets/<uuid:key>/covers/add/", life_views.cover_add, name="cover-add"),
    path("covers/<uuid:key>/", life_views.cover_page, name="cover"),
    path("assets/<uuid:key>/costs/add/", life_views.cost_add, name="cost-add"),
    path("costs/<uuid:key>/", life_views.cost_page, name="cost"),
    path("assets/<uuid:key>/code/", life_views.asset_code, name="asset-code"),
    path("assets/<uuid:key>/history/", life_views.asset_history, name="asset-history"),
    path("places/", life_views.place_list, name="places"),
    path("assets/templates/", template_views.template_list, name="asset-templates"),
    path("assets/templates/add/", template_views.template_add, name="asset-template-add"),
    path("assets/templates/<uuid:key>/", template_views.template_edit, name="asset-template"),
    path(
        "assets/templates/<uuid:key>/remove/",
        template_views.template_remove,
        name="asset-template-remove",
    ),
    path("assets/fields/", life_views.field_list, name="asset-fields"),
    path("assets/fields/<uuid:key>/retire/", life_views.field_retire, name="asset-field-retire"),
    path("found/<slug:code>/", label_views.found, name="found"),
    path("documents/", document_views.document_list, name="documents"),
    path("documents/add/", document_views.document_add, name="document-add"),
    path("documents/link/", document_views.document_link, name="document-link"),
    path("documents/<uuid:key>/", document_views.document_page, name="document"),
    path("documents/<uuid:key>/file/", document_views.document_file, name="document-file"),
    path("documents/<uuid:key>/thumb/", document_views.document_thumb, name="document-thumb"),
    path("documents/<uuid:key>/remove/", document_views.document_remove, name="document-remove"),
]
