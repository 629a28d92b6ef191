"""Outbound requests reach only checked public addresses (SSRF).

The name is resolved once, every answer is checked, and the connection goes to a checked
address: what the name says a moment later no longer matters. No redirect is followed.
Of the answer to what is posted only a short beginning is read; of what is asked for no
more than the asker takes.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], list[str]]

PORTS = frozenset({443})
MAX_ANSWER = 1024
PIECE = 16 * 1024  # written at once
# What `is_global` of some Python versions takes for public (IANA special-purpose registries).
CLOSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        # Cloud services that hand out credentials or run inside the provider's network.
        "168.63.129.16/32",
    )
)  # fmt: skip
# Unicast that is routed at all is 2000::/3; inside it these are not to be reached.
ROUTED6 = ipaddress.ip_network("2000::/3")
CLOSED6 = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20",
    )
)  # fmt: skip


class BlockedError(Exception):
    """The address may not be reached; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the receiver said: the status, `Retry-After`, and a short beginning of the body."""

    status: int
    retry_after: str = ""
    beginning: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was asked for: the status, the whole body, and what it is known by next time."""

    status: int
    body: bytes = b""
    etag: str = ""
    modified: str = ""
    retry_after: str = ""


def is_public(address: Address) -> bool:
    """Say whether an address is ordinary, globally routed unicast.

    IPv6 forms that carry an IPv4 address (mapped, compatible, SIIT, NAT64, 6to4, Teredo)
    lie outside 2000::/3 or in what is closed inside it, whatever they carry.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in CLOSED)
    if address.scope_id is not None or address not in ROUTED6:
        return False
    return address.is_global and not any(address in network for network in CLOSED6)


def resolve(host: str, port: int) -> list[str]:
    """Return every address of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def resolve_in_time(seconds: float, resolver: Resolver) -> Resolver:
    """Return a resolver that gives up; the system's own waits as long as a name server likes."""

    def look_up(host: str, port: int) -> list[str]:
        answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(resolver(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        # Its end is not waited for: nothing can break off the system's resolver.
        threading.Thread(target=ask, name="resolver", daemon=True).start()
        try:
            found = answers.get(timeout=seconds)
        except queue.Empty:
            raise OSError("the name server does not answer") from None
        if isinstance(found, Exception):
            raise found
        return found

    return look_up


def checked(
    url: str, *, allowed: Sequence[str] = (), resolver: Resolver = resolve
) -> tuple[httpx.URL, list[str]]:
    """Return the address of an endpoint with the IP addresses that may be connected to.

    `allowed` are networks that may be reached although they are not public, by any port
    and without TLS. Raises BlockedError; one bad address among good ones blocks them all.
    """
    networks = [ipaddress.ip_network(text) for text in allowed]
    host, port, is_tls = _parts(url)
    try:
        addresses = [ipaddress.ip_address(text) for text in resolver(host, port)]
    except (OSError, UnicodeError):
        raise BlockedError("unresolvable") from None
    except ValueError:
        raise BlockedError("bad_address") from None
    if not addresses:
        raise BlockedError("unresolvable")
    is_inside = all(_is_in(address, networks) for address in addresses)
    if not is_inside:
        if not is_tls:
            raise BlockedError("not_https")
        if port not in PORTS:
            raise BlockedError("odd_port")
        if _is_literal(host):
            raise BlockedError("address_literal")
        if not all(is_public(item) or _is_in(item, networks) for item in addresses):
            raise BlockedError("not_public")
    return httpx.URL(url), [str(address) for address in addresses]


def post(
    url: str,
    *,
    body: bytes,
    headers: dict[str, str],
    timeout: float,
    allowed: Sequence[str] = (),
    resolver: Resolver = resolve,
) -> Answer:
    """Post to a checked address; raises BlockedError or httpx.HTTPError.

    `timeout` holds for the whole request, from the look-up of the name to the last byte
    that is read, however slowly they come. TLS checks the certificate for the name.
    """
    with _asked(
        "POST", url, body=body, headers=headers, timeout=timeout, allowed=allowed, resolver=resolver
    ) as response:
        return Answer(
            status=response.status_code,
            retry_after=response.headers.get("retry-after", "")[:60],
            beginning=_beginning(response),
        )


def get(
    url: str,
    *,
    most: int,
    timeout: float,
    headers: dict[str, str] | None = None,
    allowed: Sequence[str] = (),
    resolver: Resolver = resolve,
) -> Page:
    """Get a page from a checked address; raises BlockedError or httpx.HTTPError.

    `timeout` holds for the whole request, as with `post`. A page of more than `most` bytes,
    whatever its header said, and one that is packed although nobody asked for that are
    BlockedError: `too_large`, `packed`.
    """
    with _asked(
        "GET",
        url,
        body=None,
        headers=headers or {},
        timeout=timeout,
        allowed=allowed,
        resolver=resolver,
    ) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BlockedError("packed")
        return Page(
            status=response.status_code,
            body=_whole(response, most),
            etag=response.headers.get("etag", ""),
            modified=response.headers.get("last-modified", ""),
            retry_after=response.headers.get("retry-after", "")[:60],
        )


@contextmanager
def _asked(
    method: str,
    url: str,
    *,
    body: bytes | None,
    headers: dict[str, str],
    timeout: float,
    allowed: Sequence[str],
    resolver: Resolver,
) -> Iterator[httpx.Response]:
    until = time.monotonic() + timeout
    target, addresses = checked(url, allowed=allowed, resolver=resolve_in_time(timeout, resolver))
    pinned = target.copy_with(host=addresses[0])
    netloc = target.netloc.decode("ascii")
    with (
        # No environment: a proxy variable would carry the request past the check.
        httpx.Client(
            transport=_Timed(until), trust_env=False, follow_redirects=False, timeout=timeout
        ) as client,
        client.stream(
            method,
            pinned,
            content=body,
            headers={
                **headers,
                "host": netloc,
                "accept-encoding": "identity",
                "connection": "close",
            },
            extensions={"sni_hostname": target.host},
        ) as response,
    ):
        yield response


def _whole(response: httpx.Response, most: int) -> bytes:
    """Return a body; raises BlockedError for one that is larger than it may be."""
    said = response.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said[:20]) > most:
        raise BlockedError("too_large")
    whole = bytearray()
    for part in response.iter_raw(PIECE):
        whole += part
        if len(whole) > most:
            raise BlockedError("too_large")
    return bytes(whole)


def _beginning(response: httpx.Response) -> bytes:
    """Return the first bytes of a body; an answer whose body stalls is an answer all the same."""
    beginning = b""
    try:
        for part in response.iter_raw(MAX_ANSWER):
            beginning += part
            if len(beginning) >= MAX_ANSWER:
                break
    except httpx.HTTPError:
        pass  # the status is known, and says what came of it
    return beginning[:MAX_ANSWER]


@cache
def _certificates() -> ssl.SSLContext:
    """Return the context that checks certificates; to load them takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


class _Timed(httpx.HTTPTransport):
    """Makes one request whose bytes all come before `until`, on the monotonic clock.

    httpx counts its timeouts from each byte anew, so one byte a second would hold a
    request for ever.
    """

    def __init__(self, until: float) -> None:
        super().__init__(verify=_certificates(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_certificates(), network_backend=_TimedBackend(until), retries=0
        )


class _TimedBackend(httpcore.NetworkBackend):
    def __init__(self, until: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(
            host, port, timeout=left, local_address=local_address, socket_options=socket_options
        )
        return _TimedStream(stream, self._until)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._inner = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(self._until, timeout, httpcore.ReadTimeout)
        return self._inner.read(max_bytes, timeout=left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces: a receiver that takes a byte now and then must not stretch one write.
        for start in range(0, len(buffer), PIECE):
            left = _left(self._until, timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + PIECE], timeout=left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout, httpcore.ConnectTimeout)
        stream = self._inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=left)
        return _TimedStream(stream, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: float, timeout: float | None, late: type[Exception]) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise late("the whole request took too long")
    return left if timeout is None else min(left, timeout)


def _parts(url: str) -> tuple[str, int, bool]:
    if any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in url):
        raise BlockedError("bad_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BlockedError("bad_url") from None
    if parts.scheme not in {"http", "https"}:
        raise BlockedError("not_https")
    if parts.username is not None or parts.password is not None:
        raise BlockedError("userinfo")
    host = parts.hostname or ""
    if not host or "%" in host:
        raise BlockedError("bad_url")
    return host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https"


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_literal(host: str) -> bool:
    """Say whether a host is an address in any spelling: 127.1, 0x7f.1, 2130706433, ::1."""
    # Full-width digits and the dots of other scripts are the same to a resolver.
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".")
    last = plain.rstrip(".").rpartition(".")[2].lower()
    return ":" in host or last.isdigit() or (last.startswith("0x") and len(last) > 1)
