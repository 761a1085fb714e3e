"""Runs the load client, and what its tests share.

    SOME_test.py LOAD_CLIENT [SERVER] [unittest arguments]
"""

import json
import os
import subprocess
import sys
import threading
import time
import unittest

from peer import Server

LOAD_CLIENT = ""
SERVER = ""  # the program under test, where it is not the load client
RUN_LIMIT_S = 120  # for a run of a second or two, beside a compiler and under a sanitizer

ERROR_KINDS = ["refused", "connect_failed", "reset", "closed_early", "timeout", "wrong_bytes", "bad_response", "other"]

# What the tests begin with; what they add themselves wins. A run ends at its requests: the duration
# only bounds it.
DEFAULTS = ["--connections", "4", "--warmup", "0", "--duration", "20s"]


class Result:
    """A run that has ended."""

    def __init__(self, status, stdout, stderr, seconds):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds  # as seen from here: with start, warm-up and end
        self.document = None

    def __str__(self):
        return f"status {self.status}, {self.seconds:.1f} s\n{self.stdout}{self.stderr}"

    @property
    def target(self):
        return self.document["targets"][0]

    @property
    def errors(self):
        """Only the kinds that happened."""
        return {kind: count for kind, count in self.target["errors"].items() if count}


def run(*words, env=None, **options):
    """The load client with exactly these arguments."""
    begin = time.monotonic()
    done = subprocess.run([LOAD_CLIENT, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_LIMIT_S, env={**os.environ, **(env or {})}, check=False, **options)
    return Result(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)


def load(protocol, *words, env=None):
    """A run with the defaults and its JSON."""
    result = run(protocol, *DEFAULTS, *words, "--json", "-", env=env)
    try:
        result.document = json.loads(result.stdout)
    except ValueError:
        raise AssertionError(f"no JSON: {result}") from None
    return result


def wait_until(condition, limit_s=5, pause_s=0.005):
    """Whether it came true. A state of the kernel or of another process may lag behind: never look once."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return bool(condition())
        time.sleep(pause_s)
    return True


class ClientTest(unittest.TestCase):
    def serve(self, talk, **options):
        server = Server(talk, **options)
        self.addCleanup(self._close, server)
        return server

    def _close(self, server):
        server.close()
        self.assertEqual(server.failures, [], "the test's own server failed")

    def after_traffic(self, server, action, delay_s=0.3):
        """Does it when the load has been under way for a moment, however long the client's start takes."""

        def body():
            if wait_until(lambda: server.received() > 0, limit_s=RUN_LIMIT_S):
                time.sleep(delay_s)
                action()

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        self.addCleanup(thread.join)

    def assert_right(self, result, messages=None):
        self.assertEqual(result.status, 0, str(result))
        self.assertEqual(result.document["errors"], 0, str(result))
        for target in result.document["targets"]:
            self.assertEqual(set(target["errors"].values()), {0}, str(result))
            self.assertEqual(target["latency_ns"]["count"], target["messages"])
        if messages is not None:
            self.assertEqual(result.target["messages"], messages, str(result))

    def assert_error(self, result, *kinds, at_least=1):
        """One of these kinds happened, the exit status tells it, and a sentence says how many."""
        self.assertEqual(result.status, 1, str(result))
        counts = [result.errors.get(kind, 0) for kind in kinds]
        self.assertGreaterEqual(sum(counts), at_least, str(result))
        self.assertEqual(result.document["errors"], sum(result.errors.values()), str(result))
        sentences = result.stderr.strip()
        self.assertNotEqual(sentences, "", "a sentence says what went wrong")
        for count in filter(None, counts):
            self.assertIn(str(count), sentences)

    def assert_accepted(self, server, count):
        """The kernel completes connections before the server accepts them: it may lag behind."""
        wait_until(lambda: server.accepted >= count)
        self.assertEqual(server.accepted, count)

    def assert_bounded(self, result, seconds):
        """Allows for a slow start and end: what it must find is a run that never ends by itself."""
        self.assertLess(result.seconds, seconds + 15, str(result))


def main():
    global LOAD_CLIENT, SERVER  # pylint: disable=global-statement
    LOAD_CLIENT = sys.argv.pop(1)
    if len(sys.argv) > 1 and os.path.sep in sys.argv[1]:
        SERVER = sys.argv.pop(1)
    unittest.main(module="__main__")
