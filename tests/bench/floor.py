"""The floor of a signed event a request: Django that only checks an HMAC and inserts a row.

`tests.bench.floor:application` is served like ours, with no middleware and one address.
"""

import base64
import hmac
import json
import os

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

TABLE = """
    CREATE TABLE IF NOT EXISTS bench_floor (
        id bigserial PRIMARY KEY, source text, event_id text, body bytea,
        UNIQUE (source, event_id)
    )
"""
INSERT = """
    INSERT INTO bench_floor (source, event_id, body) VALUES (%s, %s, %s)
    ON CONFLICT DO NOTHING
"""
RINGS = "FLOOR_RINGS" in os.environ  # wake a task after each event
KEY = base64.b64decode(os.environ.get("FLOOR_SECRET", ""))


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    """Check the signature, store the body, answer."""
    body, meta = request.body, request.META
    name = meta["HTTP_WEBHOOK_ID"]
    content = f"{name}.{meta['HTTP_WEBHOOK_TIMESTAMP']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(KEY, content, "sha256")).decode()
    if not hmac.compare_digest(f"v1,{wanted}", meta["HTTP_WEBHOOK_SIGNATURE"]):
        return HttpResponse(status=401)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, ("floor", name, body))
    if RINGS:
        from tests.bench import floor_worker  # noqa: PLC0415 - only where its broker is

        floor_worker.say.delay(name)
    return HttpResponse(json.dumps({"status": "accepted"}), status=202)


urlpatterns = [path("floor/", receive)]


def __getattr__(name: str) -> object:
    """Make the application when it is served, and only then."""
    if name == "application":
        return get_wsgi_application()
    raise AttributeError(name)
