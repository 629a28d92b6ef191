"""Whoever travels takes quiet hours along, when they say so."""

from django.test import Client

from tests import factories


def test_quiet_hours_follow_to_where_the_device_is_and_back_home(cast: factories.Cast) -> None:
    ana = Client()
    ana.force_login(cast.ana)
    page = ana.post("/preferences/here/", {"zone": "Asia/Tokyo"}, follow=True)
    assert "Your quiet hours are those of Tokyo now." in page.content.decode()
    assert 'data-at="Asia/Tokyo"' in page.content.decode()
    cast.ana.refresh_from_db()
    assert cast.ana.device_zone == "Asia/Tokyo"
    ana.post("/preferences/here/", {"zone": cast.ana.zone})
    cast.ana.refresh_from_db()
    assert cast.ana.device_zone == ""


def test_a_place_that_is_none_changes_nothing(cast: factories.Cast) -> None:
    ana = Client()
    ana.force_login(cast.ana)
    page = ana.post("/preferences/here/", {"zone": "Moon/Sea"}, follow=True)
    assert "This is not the name of a time zone." in page.content.decode()
    cast.ana.refresh_from_db()
    assert cast.ana.device_zone == ""
