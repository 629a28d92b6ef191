"""Where an owner says by what they are reached: every channel, and every refusal in their words."""

import pytest
from django.test import Client
from django.utils import translation

from owners import channels
from owners.choices import ChannelKind
from tests.factories import START, Cast, ChannelFactory

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


def test_a_chat_can_be_what_one_is_reached_by_first(cast: Cast, client: Client) -> None:
    ChannelFactory.create(owner=cast.ana, kind=ChannelKind.CHAT, address="ntfys://ntfy.sh/ana")
    client.force_login(cast.ana, backend=BACKEND)
    page = client.get("/preferences/").content.decode()
    for kind in ("sms", "email", "push", "voice", "chat"):
        assert f'name="prefers" value="{kind}"' in page


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("chat", "json://127.0.0.1/", "keine Adresse eines hier bekannten Chats: Discord"),
        ("chat", "slack://a/b?template=x", "verlangt mehr als eine Nachricht"),
        ("sms", "no number", "Schreib die Nummer mit dem Land"),
        ("email", "ana at home", "keine E-Mail-Adresse"),
    ],
)
def test_an_address_that_is_none_is_refused_in_the_owners_language(
    cast: Cast, client: Client, kind: str, address: str, said: str
) -> None:
    cast.ana.language = "de"
    cast.ana.save()
    client.force_login(cast.ana, backend=BACKEND)
    form = {"kind": kind, "address": address}
    answer = client.post("/access/channels/", form, follow=True)
    assert said in answer.content.decode()


def test_the_api_says_it_in_one_language_with_a_code(cast: Cast) -> None:
    with translation.override("de"), pytest.raises(channels.ChannelError) as refused:
        channels.add(owner=cast.ana, kind=ChannelKind.CHAT, address="x", now=START)
    assert refused.value.code == "address"
    assert str(refused.value) == refused.value.detail
    assert refused.value.detail.startswith("This is not the address of a chat known here: Discord")
