"""The pages about faults, who pays for them, repairs, claims and recalls."""

from django.urls import path

from assets import dossier_views, fault_views, recall_views, worth_views

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
    path("claims/<uuid:key>/settle/", fault_views.claim_settle, name="claim-settle"),
    path("claims/<uuid:key>/<slug:state>/", fault_views.claim_move, name="claim-move"),
    path("assets/<uuid:key>/dossier/", dossier_views.asset_dossier, name="asset-dossier"),
    path("assets/<uuid:key>/dossier/file/", dossier_views.dossier_file, name="dossier-file"),
    path("assets/<uuid:key>/worth/", worth_views.asset_worth, name="asset-worth"),
    path("assets/<uuid:key>/worth/plan/", worth_views.worth_plan, name="worth-plan"),
    path("assets/<uuid:key>/worth/costs.csv", worth_views.worth_csv, name="worth-csv"),
    path("assets/<uuid:key>/values/add/", worth_views.valuation_add, name="valuation-add"),
    path("values/<uuid:key>/remove/", worth_views.valuation_remove, name="valuation-remove"),
    path("assets/<uuid:key>/contracts/add/", worth_views.contract_add, name="contract-add"),
    path("contracts/<uuid:key>/", worth_views.contract_page, name="contract"),
    path("recalls/", recall_views.recall_list, name="recalls"),
    path("recalls/<uuid:key>/", recall_views.recall_page, name="recall"),
    path("recalls/<uuid:key>/say/", recall_views.recall_say, name="recall-say"),
    path("recalls/<uuid:key>/done/", recall_views.recall_done, name="recall-done"),
    path("deadlines/", worth_views.deadline_list, name="deadlines"),
    path("inventory/", worth_views.inventory_page, name="inventory"),
    path("inventory/list.<slug:form>", worth_views.inventory_file, name="inventory-file"),
]
