"""Child processes in which a stranger's mail, page or calendar is parsed.

The usual parsers can be made to take minutes or gigabytes by a few kilobytes. A child
has limits on memory, processor time and the clock on the wall, no secrets in its
environment, and is killed when it passes one of them: the caller gets `RefusedError` and
goes on. Children are kept and used again, so that one mail costs no start.

    python -m suppliers.sandbox      the child's side: one request a line, one answer a line
"""

import atexit
import contextlib
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

MEMORY_BYTES = 512 * 2**20
CPU_S = 10
WALL_S = 15.0
MAX_IDLE = 2  # children kept for the next mail
MAX_ANSWER = 8 * 2**20
TASKS_PER_CHILD = 500
ROOT = Path(__file__).resolve().parent.parent

# What may be asked of a child: a name, and the function that does it there.
TASKS: dict[str, str] = {
    "mail": "suppliers.adapters.mime:task",
    "invoice": "suppliers.adapters.einvoice:task",
    "original": "suppliers.adapters.original:task",
    "attachment": "suppliers.adapters.original:attachment_task",
    "proof": "suppliers.proving:task",
    "visible": "suppliers.adapters.markup:task",
}


class RefusedError(Exception):
    """The content passed a limit, or broke the parser; `reason` says which, in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Child:
    """One process that parses for us, until it is done for."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.tasks = 0
        self.buffer = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suppliers.sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
        )

    def ask(
        self, task: str, data: dict[str, Any], *, wall_s: float, answer_most: int = MAX_ANSWER
    ) -> Any:
        """Return the child's answer. Raises RefusedError; the child must then be killed."""
        until = time.monotonic() + wall_s
        self.tasks += 1
        request = json.dumps({"task": task, "data": data}).encode() + b"\n"
        try:
            self._send(request, until)
            answer = json.loads(self._line(until, answer_most))
        except (BrokenPipeError, EOFError) as error:
            raise RefusedError("broke") from error
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer["result"]

    def _send(self, request: bytes, until: float) -> None:
        pipe = _fd(self.process.stdin)
        os.set_blocking(pipe, False)
        view = memoryview(request)
        while view:
            _, ready, _ = select.select([], [pipe], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise RefusedError("slow")
            view = view[os.write(pipe, view[:65536]) :]

    def _line(self, until: float, most: int) -> bytes:
        pipe = _fd(self.process.stdout)
        parts: list[bytes] = []
        size = 0
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise RefusedError("slow")
            part = os.read(pipe, 65536)
            if not part:
                raise EOFError
            parts.append(part)
            size += len(part)
            if size > most:
                raise RefusedError("large")
            if part.endswith(b"\n"):
                return b"".join(parts)

    def kill(self) -> None:
        """End the process and collect it."""
        if self.owner != os.getpid():
            return  # a fork's copy: the process is its parent's
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait()


def _fd(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise EOFError
    return pipe.fileno()


_idle: list[Child] = []
_lock = threading.Lock()


def run(
    task: str,
    data: dict[str, Any],
    *,
    wall_s: float = WALL_S,
    answer_most: int = MAX_ANSWER,
) -> Any:
    """Return what `task` makes of `data` (plain JSON values both), done in a child.

    Raises RefusedError when it passes a limit or breaks the parser.
    """
    child = _take()
    try:
        answer = child.ask(task, data, wall_s=wall_s, answer_most=answer_most)
    except BaseException as error:
        if isinstance(error, RefusedError) and error.reason == "failed":
            _give(child)  # the parser raised; the process is sound
        else:
            child.kill()
        raise
    _give(child)
    return answer


def _take() -> Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.owner == os.getpid() and child.process.poll() is None:
                return child
            child.kill()
    return Child()


def _give(child: Child) -> None:
    with _lock:
        if len(_idle) < MAX_IDLE and child.tasks < TASKS_PER_CHILD:
            _idle.append(child)
            return
    child.kill()


@atexit.register
def close() -> None:
    """End the children that wait."""
    with _lock:
        while _idle:
            _idle.pop().kill()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - a lock held by another thread at the fork stays held
    _lock = threading.Lock()
    _idle.clear()


os.register_at_fork(after_in_child=_after_fork)


# --- the child's side --------------------------------------------------------------------


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + CPU_S + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answer(line: bytes) -> dict[str, Any]:
    request = json.loads(line)
    module, _, name = TASKS[request["task"]].partition(":")
    function = getattr(importlib.import_module(module), name)
    _limit_cpu()
    try:
        return {"result": function(request["data"])}
    except (MemoryError, RecursionError):
        return {"refused": "large"}
    except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes do to a parser
        return {"refused": "failed", "error": type(error).__name__}


def serve() -> None:
    """Answer requests until the parent closes the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not look like an answer
    for line in sys.stdin.buffer:
        answers.write(json.dumps(_answer(line)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve()
