"""The pages on which an asset passes to its next owner."""

from django.urls import path

from suppliers import takeover_views, transfer_views

urlpatterns = [
    path("assets/<uuid:key>/transfer/", transfer_views.asset_transfer, name="asset-transfer"),
    path("assets/<uuid:key>/received/", takeover_views.asset_received, name="asset-received"),
    path(
        "assets/<uuid:key>/received/<int:number>/",
        takeover_views.received_supplier,
        name="received-supplier",
    ),
    path("transfers/<uuid:key>/", transfer_views.transfer_page, name="transfer"),
    path("transfers/<uuid:key>/what/", transfer_views.transfer_what, name="transfer-what"),
    path("transfers/<uuid:key>/to/", transfer_views.transfer_to, name="transfer-to"),
    path("transfers/<uuid:key>/before/", transfer_views.transfer_before, name="transfer-before"),
    path("transfers/<uuid:key>/offer/", transfer_views.transfer_offer, name="transfer-offer"),
    path(
        "transfers/<uuid:key>/withdraw/", transfer_views.transfer_withdraw, name="transfer-withdraw"
    ),
    path(
        "transfers/<uuid:key>/complete/", transfer_views.transfer_complete, name="transfer-complete"
    ),
    path("transfers/<uuid:key>/again/", transfer_views.transfer_again, name="transfer-again"),
    path("transfers/<uuid:key>/undo/", transfer_views.transfer_ask_back, name="transfer-ask-back"),
    path(
        "transfers/<uuid:key>/package.<slug:form>",
        transfer_views.transfer_file,
        name="transfer-file",
    ),
    path(
        "transfers/notices/<uuid:notice>/", transfer_views.transfer_notice, name="transfer-notice"
    ),
    path("take-over/", takeover_views.offered, name="take-over-offered"),
    path("take-over/package.<slug:form>", takeover_views.offered_file, name="take-over-file"),
    path("take-over/<str:token>/", takeover_views.offered, name="take-over-open"),
    path("take-overs/", takeover_views.take_over_list, name="take-overs"),
    path("take-overs/<uuid:key>/", takeover_views.take_over, name="take-over"),
    path("take-in/", takeover_views.take_in, name="take-in"),
    path("take-in/<uuid:key>/", takeover_views.package, name="package"),
]
