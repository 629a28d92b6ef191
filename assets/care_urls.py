"""The pages about care: what is due, what was done, meters and stock."""

from django.urls import path

from assets import care_views, stock_views

urlpatterns = [
    path("care/", care_views.care_list, name="care"),
    path("care/<uuid:key>/", care_views.task_page, name="care-task"),
    path("care/<uuid:key>/edit/", care_views.task_edit, name="care-edit"),
    path("care/<uuid:key>/done/", care_views.task_done, name="care-done"),
    path("care/<uuid:key>/act/", care_views.task_act, name="care-act"),
    path("care/work/<uuid:key>/remove/", care_views.work_remove, name="work-remove"),
    path("care/issues/<uuid:key>/", care_views.issue_settle, name="issue-settle"),
    path("assets/<uuid:key>/care/", care_views.asset_care, name="asset-care"),
    path("assets/<uuid:key>/care/add/", care_views.task_add, name="care-add"),
    path("assets/<uuid:key>/care/work/", care_views.work_add, name="work-add"),
    path("assets/<uuid:key>/meters/add/", stock_views.meter_add, name="meter-add"),
    path("meters/<uuid:key>/", stock_views.meter_page, name="meter"),
    path("meters/<uuid:key>/remove/", stock_views.meter_remove, name="meter-remove"),
    path("parts/", stock_views.part_list, name="parts"),
    path("parts/add/", stock_views.part_add, name="part-add"),
    path("parts/<uuid:key>/", stock_views.part_page, name="part"),
    path("parts/<uuid:key>/remove/", stock_views.part_remove, name="part-remove"),
]
