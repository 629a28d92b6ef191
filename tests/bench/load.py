"""The load generator: wrk with requests that were signed beforehand.

Signing costs about as much as checking, so it must not happen while the clock runs. The
requests lie in one file for each thread; wrk sends them as they are, each
once; where they run out, a measurement that may not say a thing twice fails.
"""

import re
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
local threads = {}
function setup(thread)
    thread:set("number", #threads)
    threads[#threads + 1] = thread
end
local requests, at = {}, 0
repeats = 0
function init(args)
    local file = assert(io.open(args[1] .. "." .. number, "rb"))
    local sizes = assert(io.open(args[1] .. "." .. number .. ".sizes", "r"))
    for size in sizes:lines() do
        requests[#requests + 1] = file:read(tonumber(size))
    end
end
function request()
    at = at + 1
    if at > #requests then at, repeats = 1, repeats + 1 end
    return requests[at]
end
function done(summary, latency, requests)
    local again = 0
    for _, thread in ipairs(threads) do again = again + thread:get("repeats") end
    io.write(string.format("RESULT %d %d %d %d %d %d %d %d\\n", again,
        summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(95), latency:percentile(99),
        summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write
            + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of one measurement; times in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    refused: int
    broken: int


def raw_request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def raw_get(path: str, headers: dict[str, str]) -> bytes:
    """Return a GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(port: int, requests: Sequence[bytes]) -> None:
    """Send requests one after the other; each must be answered 2xx."""
    for request in requests:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(request.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
            answer = client.makefile("rb").read()
        if not answer.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"answered {answer[:80]!r}")


def wrk(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: int,
    folder: Path,
    may_repeat: bool = False,
) -> Load:
    """Send the requests as fast as they are answered, over kept connections.

    Raises RuntimeError when they ran out and `may_repeat` is not said: an event that is sent
    again is a duplicate, whose way is another one.
    """
    program = shutil.which("wrk")
    if program is None:
        raise FileNotFoundError("install wrk: the load must not be made by Python")
    threads = 2
    script, data = folder / "load.lua", folder / "requests"
    script.write_text(SCRIPT)
    for number in range(threads):
        mine = requests[number::threads]
        Path(f"{data}.{number}").write_bytes(b"".join(mine))
        Path(f"{data}.{number}.sizes").write_text("".join(f"{len(one)}\n" for one in mine))
    done = subprocess.run(
        [
            program, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
            "-s", str(script), f"http://127.0.0.1:{port}/", "--", str(data),
        ],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    found = re.search(r"RESULT" + r" (\d+)" * 8, done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said nothing useful: {done.stdout} {done.stderr}")
    again, count, micros, p50, p95, p99, refused, broken = map(int, found.groups())
    if again and not may_repeat:
        raise RuntimeError(f"{len(requests)} requests were too few for {seconds} s")
    return Load(
        rate=count / (micros / 1e6),
        p50=p50 / 1000,
        p95=p95 / 1000,
        p99=p99 / 1000,
        refused=refused,
        broken=broken,
    )
