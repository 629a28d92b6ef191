"""Notes which sessions are in use, about once a minute and not with every request.

The note is a committed write; with every request it would cost more than a page of the
feed, and requests of one session would wait for each other.
"""

import time
from collections import OrderedDict
from typing import ClassVar

from allauth.usersessions.middleware import UserSessionsMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

EVERY = 60.0  # seconds between two notes of a session, in each process
MOST = 10_000  # sessions remembered in a process


class SessionActivity(UserSessionsMiddleware):  # type: ignore[misc]
    """Allauth's middleware, asked only when there is something new to note."""

    noted: ClassVar[OrderedDict[tuple[str, str, str], float]] = OrderedDict()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Note the session when it, its address or its program was not noted lately."""
        meta = request.META
        who = (
            request.session.session_key or "",
            f"{meta.get('REMOTE_ADDR')} {meta.get('HTTP_X_FORWARDED_FOR')}",
            meta.get("HTTP_USER_AGENT", ""),
        )
        now = time.monotonic()
        if who[0] and now - self.noted.get(who, -EVERY) < EVERY:
            return self.get_response(request)  # type: ignore[no-any-return]
        answer: HttpResponseBase = super().__call__(request)
        if who[0] and getattr(request, "user", None) and request.user.is_authenticated:
            self.noted[who] = now
            while len(self.noted) > MOST:
                self.noted.popitem(last=False)
        return answer
