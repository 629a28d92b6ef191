"""The addresses of the feed's side of the API."""

from django.urls import path

from notifications.api.answers import Answers, SendAnswer
from notifications.api.blocked import Blocks, OneBlock
from notifications.api.calendar import Agenda, Calendars, OneCalendar, RenewCalendar
from notifications.api.changes import Changes
from notifications.api.channels import ChannelsHealth
from notifications.api.contacts import (
    ContactAction,
    Contacts,
    Door,
    DoorAction,
    OneContact,
    ReadNote,
)
from notifications.api.demo import Demo
from notifications.api.feed import (
    CardAction,
    Feed,
    FeedCounts,
    FeedLook,
    JourneyAction,
    OneCard,
)
from notifications.api.journeys import (
    Appointments,
    Deliveries,
    JourneyLook,
    Journeys,
    Notifications,
    OneJourney,
    Surveys,
)
from notifications.api.opening import DataRequests
from notifications.api.partings import MandatePreview
from notifications.api.passes import OnePass, PassCode, Passes, PassPreview, PassVisits
from notifications.api.push import OnePushDevice, PushDevices
from notifications.api.reach import (
    ReachException,
    ReachExceptions,
    ReachSimulation,
    ReachWaker,
)
from notifications.api.search import Search

urlpatterns = [
    path("answers/", Answers.as_view(), name="answers"),
    path("answers/<uuid:answer>/send/", SendAnswer.as_view(), name="answer-send"),
    path("feed/", Feed.as_view(), name="feed"),
    path("feed/counts/", FeedCounts.as_view(), name="feed-counts"),
    path("feed/looked/", FeedLook.as_view(), name="feed-looked"),
    path("feed/<uuid:card>/", OneCard.as_view(), name="card"),
    path("feed/<uuid:card>/actions/<slug:name>/", CardAction.as_view(), name="card-action"),
    path("contacts/", Contacts.as_view(), name="contacts"),
    path("contacts/note/", ReadNote.as_view(), name="contact-note"),
    path("contacts/<uuid:contact>/", OneContact.as_view(), name="contact"),
    path(
        "contacts/<uuid:contact>/actions/<slug:name>/",
        ContactAction.as_view(),
        name="contact-action",
    ),
    path("mandates/<uuid:mandate>/data-requests/", DataRequests.as_view(), name="data-requests"),
    path("mandates/<uuid:mandate>/preview/", MandatePreview.as_view(), name="mandate-preview"),
    path("blocked/", Blocks.as_view(), name="blocked"),
    path("blocked/<uuid:block>/", OneBlock.as_view(), name="block"),
    path("door/", Door.as_view(), name="door"),
    path("door/<uuid:contact>/actions/<slug:name>/", DoorAction.as_view(), name="door-action"),
    path("journeys/", Journeys.as_view(), name="journeys"),
    path("journeys/<uuid:journey>/", OneJourney.as_view(), name="journey"),
    path("journeys/<uuid:journey>/looked/", JourneyLook.as_view(), name="journey-looked"),
    path(
        "journeys/<uuid:journey>/actions/<slug:name>/",
        JourneyAction.as_view(),
        name="journey-action",
    ),
    path("appointments/", Appointments.as_view(), name="appointments"),
    path("changes/", Changes.as_view(), name="changes"),
    path("calendar/", Calendars.as_view(), name="calendars"),
    path("calendar/agenda/", Agenda.as_view(), name="agenda"),
    path("calendar/<uuid:feed>/", OneCalendar.as_view(), name="calendar-feed"),
    path("calendar/<uuid:feed>/renew/", RenewCalendar.as_view(), name="calendar-renew"),
    path("passes/", Passes.as_view(), name="api-passes"),
    path("passes/<uuid:held>/", OnePass.as_view(), name="api-pass"),
    path("passes/<uuid:held>/code/", PassCode.as_view(), name="api-pass-code"),
    path("passes/<uuid:held>/shown/", PassPreview.as_view(), name="api-pass-shown"),
    path("passes/<uuid:held>/visits/", PassVisits.as_view(), name="api-pass-visits"),
    path("channels/health/", ChannelsHealth.as_view(), name="channels-health"),
    path("push-devices/", PushDevices.as_view(), name="push-devices"),
    path("push-devices/<uuid:device>/", OnePushDevice.as_view(), name="push-device"),
    path("surveys/", Surveys.as_view(), name="surveys"),
    path("search/", Search.as_view(), name="search"),
    path("notifications/", Notifications.as_view(), name="notifications"),
    path("deliveries/", Deliveries.as_view(), name="deliveries"),
    path("reach/<uuid:household>/exceptions/", ReachExceptions.as_view(), name="reach-exceptions"),
    path(
        "reach/<uuid:household>/exceptions/<slug:scope>/<uuid:subject>/",
        ReachException.as_view(),
        name="reach-exception",
    ),
    path(
        "reach/<uuid:household>/emergencies/<uuid:supplier>/",
        ReachWaker.as_view(),
        name="reach-waker",
    ),
    path("reach/<uuid:household>/simulate/", ReachSimulation.as_view(), name="reach-simulate"),
    path("demo/", Demo.as_view(), name="demo"),
]
