"""The addresses at which matters are linked to what they are about."""

from django.urls import path

from notifications import tie_views

urlpatterns = [path("faults/<uuid:key>/matters/", tie_views.fault_tie, name="fault-tie")]
