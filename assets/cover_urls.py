"""The pages about faults, who pays for them, repairs and claims."""

from django.urls import path

from assets import fault_views

urlpatterns = [
    path("assets/<uuid:key>/fault/", fault_views.fault_add, name="fault-add"),
    path("assets/<uuid:key>/faults/", fault_views.fault_list, name="asset-faults"),
    path("assets/<uuid:key>/repairs/add/", fault_views.order_add, name="order-add"),
    path("assets/<uuid:key>/claims/add/", fault_views.claim_add, name="claim-add"),
    path("faults/<uuid:key>/", fault_views.fault_page, name="fault"),
    path("faults/<uuid:key>/edit/", fault_views.fault_edit, name="fault-edit"),
    path("faults/<uuid:key>/evidence.pdf", fault_views.fault_pdf, name="fault-pdf"),
    path("faults/<uuid:key>/evidence.zip", fault_views.fault_zip, name="fault-zip"),
    path("repairs/<uuid:key>/", fault_views.order_page, name="order"),
    path("claims/<uuid:key>/", fault_views.claim_page, name="claim"),
    path("claims/<uuid:key>/edit/", fault_views.claim_edit, name="claim-edit"),
    path("claims/<uuid:key>/<slug:state>/", fault_views.claim_move, name="claim-move"),
]
