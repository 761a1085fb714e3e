"""Servers as children of ours: pinned to a CPU, found by their first line, stopped by their pid."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time

from .failed import Failed

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10


class Server:
    """Made by start() or nginx.start(); a context, at whose end the process is gone."""

    def __init__(self, name, child, address):
        self.name = name
        self.address = address  # IP:PORT
        self._child = child

    @property
    def pid(self):
        return self._child.pid

    def target(self):
        """The server as the load client takes it: with its pid, whose CPU time is read."""
        return f"{self.name}={self.address}@{self.pid}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self._child)


def pinned(cpu, command):
    """taskset becomes the command it starts, so the child's pid is the command's."""
    return ["taskset", "--cpu-list", str(cpu), *map(str, command)]


def launch(command):
    """A child in its own session: Ctrl-C reaches us, and we end it in order."""
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)  # fmt: skip
    except OSError as error:
        raise Failed(f"{command[0]}: {error.strerror}") from error


def stop(child):
    """The whole session, of which the child is the first: perf has a child too."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    child.stdout.close()
    child.stderr.close()


@contextlib.contextmanager
def stopped_unless_started(child):
    """Whatever goes wrong in the block, be it Ctrl-C: no child is left behind."""
    try:
        yield
    except BaseException:
        stop(child)
        raise


def last_words(child):
    """What a child that did not start wrote to stderr."""
    if child.poll() is None:
        child.kill()
    return child.communicate()[1].strip() or f"no word of why (status {child.returncode})"


def start(name, command, cpu):
    """A server that chooses its port and says it in its first line, as all of this project do."""
    child = launch(pinned(cpu, command))
    with stopped_unless_started(child):
        line = first_line(child)
        found = re.fullmatch(r"listening on (\S+:\d+)\n", line)
        if found is None:
            raise Failed(f"{name} did not start: {line}{last_words(child)}")
        return Server(name, child, found[1])


def first_line(child):
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        return child.stdout.readline() if selector.select(START_TIMEOUT_S) else ""


def wait_until(condition, timeout_s):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
