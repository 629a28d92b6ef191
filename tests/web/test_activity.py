"""Sessions in use are noted, but not with every request."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tests import statements
from tests.factories import Cast


def noted_by(client: Client, program: str) -> bool:
    with statements.counted() as seen:
        assert client.get("/api/v1/feed/", headers={"User-Agent": program}).status_code == 200
    writes = [sql for sql in seen if not sql.lstrip().startswith("SELECT")]
    return any("usersessions" in sql for sql in writes)


@pytest.mark.django_db
def test_a_session_is_noted_once_a_minute_and_for_each_new_program(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert noted_by(client, "first")
    assert not noted_by(client, "first")
    assert noted_by(client, "second")
    assert UserSession.objects.get(user=cast.ana).user_agent == "second"
