"""The pages on which a thing is shared, and shown."""

from django.urls import path

from assets import share_views

urlpatterns = [
    path("assets/<uuid:key>/shares/", share_views.asset_shares, name="asset-shares"),
    path("shares/<uuid:key>/", share_views.share_page, name="share"),
    path("shares/<uuid:key>/end/", share_views.share_end, name="share-end"),
    path(
        "households/<uuid:key>/members/<uuid:member>/helps/",
        share_views.member_helps,
        name="member-helps",
    ),
    path("shared/", share_views.shared_list, name="shared"),
    path("shared/take/", share_views.share_take, name="share-offered"),
    path("shared/take/<str:token>/", share_views.share_take, name="share-take"),
    path("shared/<uuid:key>/", share_views.shared_asset, name="shared-asset"),
    path("shared/<uuid:key>/leave/", share_views.shared_leave, name="shared-leave"),
    path("shared/<uuid:key>/tasks/<uuid:task>/", share_views.shared_tick, name="shared-tick"),
    path(
        "shared/<uuid:key>/work/<uuid:record>/untick/",
        share_views.shared_untick,
        name="shared-untick",
    ),
    path("shared/<uuid:key>/files/<uuid:manual>/", share_views.shared_file, name="shared-file"),
    path("shared/<uuid:key>/thumbs/<uuid:manual>/", share_views.shared_thumb, name="shared-thumb"),
]
