"""The pages of the monthly report and of the facts about suppliers."""

from django.urls import path

from notifications import month_views

urlpatterns = [
    path("report/", month_views.report, name="report"),
    path("report/how/", month_views.report_how, name="report-how"),
    path("report/mail/", month_views.report_mail, name="report-mail"),
    path("report/log/<slug:kind>/", month_views.log_file, name="report-log"),
    path("report/<slug:month>/", month_views.report_month, name="report-month"),
    path("report/<slug:month>/pdf/", month_views.report_pdf, name="report-pdf"),
    path("report/<slug:month>/<slug:measure>/", month_views.report_cases, name="report-cases"),
    path("suppliers/<uuid:key>/facts/", month_views.facts_of_supplier, name="supplier-facts"),
    path(
        "suppliers/<uuid:key>/facts/<slug:measure>/",
        month_views.facts_cases,
        name="supplier-facts-cases",
    ),
]
