"""The pages about the owner and the household."""

from django.urls import path

from owners import views

urlpatterns = [
    path("preferences/", views.preferences, name="preferences"),
    path("household/", views.household, name="household"),
]
