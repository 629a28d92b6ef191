"""The owner's pages about suppliers; what suppliers call is in suppliers/urls.py."""

from django.urls import path

from suppliers import announce_views, invite_views, original_views, terms_views, views, ways_views

urlpatterns = [
    path("ways/", ways_views.ways_page, name="ways"),
    path("ways/test/", ways_views.way_test, name="way-test"),
    path("ways/card.vcf", ways_views.way_card, name="way-card"),
    path("checks/<uuid:key>/", ways_views.way_check, name="way-check"),
    path("tell/", announce_views.tell, name="tell"),
    path("tell/new/<slug:kind>/", announce_views.tell_new, name="tell-new"),
    path("tell/notices/<uuid:key>/", announce_views.told_notice, name="told-notice"),
    path("tell/<uuid:key>/", announce_views.told, name="told"),
    path("tell/<uuid:key>/withdraw/", announce_views.told_withdraw, name="told-withdraw"),
    path("tell/answers/<uuid:key>/", announce_views.told_answer, name="told-answer"),
    path("suppliers/", views.supplier_list, name="suppliers"),
    path("suppliers/add/", views.supplier_add, name="supplier-add"),
    path("suppliers/invite/", invite_views.invite, name="supplier-invite"),
    path("suppliers/invitations/<uuid:key>/", invite_views.invitation, name="supplier-invitation"),
    path(
        "suppliers/invitations/<uuid:key>/revoke/",
        invite_views.invitation_revoke,
        name="supplier-invitation-revoke",
    ),
    path("invited/", invite_views.invited, name="invited-by"),
    path("invited/<str:token>/", invite_views.invited, name="invited"),
    path("suppliers/<uuid:key>/", views.supplier_page, name="supplier"),
    path("contacts/<uuid:key>/original/", original_views.original, name="contact-original"),
    path(
        "contacts/<uuid:key>/original/body/",
        original_views.original_body,
        name="contact-original-body",
    ),
    path(
        "contacts/<uuid:key>/original/mail.eml",
        original_views.original_raw,
        name="contact-original-raw",
    ),
    path(
        "contacts/<uuid:key>/original/<int:number>/",
        original_views.original_file,
        name="contact-original-file",
    ),
    path(
        "contacts/<uuid:key>/original/<int:number>/keep/",
        original_views.original_keep,
        name="contact-original-keep",
    ),
    path("mandates/<uuid:key>/", views.mandate_change, name="mandate-change"),
    path("mandates/<uuid:key>/purpose/", views.purpose_switch, name="purpose-switch"),
    path("mandates/<uuid:key>/fact/", terms_views.fact_switch, name="fact-switch"),
    path("mandates/<uuid:key>/terms/", terms_views.terms_change, name="terms-change"),
    path("receipts/<uuid:key>/receipt.json", terms_views.receipt_file, name="receipt"),
    path("home/facts/", terms_views.home_facts, name="home-facts"),
    path("terms/<slug:code>/<slug:version>/", terms_views.text, name="terms-text"),
    path("mandates/<uuid:key>/known/", views.particular_change, name="particular-change"),
    path("mandates/<uuid:key>/role/", views.role_change, name="role-change"),
    path("mandates/<uuid:key>/key/", views.key_change, name="key-change"),
    path("mandates/<uuid:key>/endpoint/", views.endpoint_change, name="endpoint-change"),
    path("mandates/<uuid:key>/state/", views.mandate_state, name="mandate-state"),
    path("mandates/<uuid:key>/secret/", views.secret_rotate, name="secret-rotate"),
]
