"""The pages about what is owned."""

from django.urls import path

from assets import views

urlpatterns = [
    path("assets/", views.asset_list, name="assets"),
    path("assets/add/", views.asset_add, name="asset-add"),
    path("assets/<uuid:key>/", views.asset_page, name="asset"),
]
