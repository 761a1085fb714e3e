"""SIGTERM under load: each connection gets what the server has received of it, then its end, and the status is 0.

Some clients say small things, each when the last has come back; others send without a pause, and one of them reads
slowly. Each gets the beginning of what it has sent, without a gap, and then a FIN: no reset, which could overtake the
last answers.
"""

import contextlib
import signal
import threading
import time

from epoll import life
from epoll.clients import STALL_S, Transfer, difference, drive, narrow, noise
from m3 import pressure
from m3 import server as m3

hint = ["After SIGTERM: no new connection, what was received is sent, then our FIN; what still comes is thrown away.",
        "A socket that is closed with bytes unread answers with a reset, which can overtake the last answers."]

TALKING, STREAMING = 16, 4
FIN = "the server closed the connection"  # as Transfer says it
STREAM = pressure.BLOCK * 128


class Talking(threading.Thread):
    """Says something, waits for the answer, and so on, until the end."""

    def __init__(self, client, number):
        super().__init__()
        self._client = client
        self._message = noise(1000, seed=number)
        self.answers = 0
        self.wrong = ""

    def run(self):
        self._client.settimeout(STALL_S)
        answer = self._message
        while answer == self._message:
            answer = b""
            try:
                self._client.sendall(self._message)
            except (ConnectionResetError, BrokenPipeError):
                pass  # the FIN has come before, and is read below
            try:
                while len(answer) < len(self._message) and (part := self._client.recv(1000 - len(answer))):
                    answer += part
            except OSError as error:
                self.wrong = f"{error} after {self.answers} answers"
                return
            self.answers += 1
        if not self._message.startswith(answer):
            self.wrong = f"answer {self.answers}: {difference(self._message, answer)}"


def check(c):
    server = c.start(m3.argv(c))
    with contextlib.ExitStack() as stack:
        talking = [Talking(stack.enter_context(c.connect(server)), number) for number in range(TALKING)]
        streaming = [Transfer(stack.enter_context(c.connect(server)), STREAM) for _ in range(STREAMING)]
        narrow(streaming[0].connection)
        driver = threading.Thread(target=drive, args=(streaming,))
        for thread in [*talking, driver]:
            thread.start()
        time.sleep(c.choose(default=0.3, full=3))
        c.expect(server.status is None, "the server", expected="it runs", seen=f"status {server.status}")
        server.signal(signal.SIGTERM)
        life.ends(c, server, "the end under load", within_s=20)
        for thread in [*talking, driver]:
            thread.join()
    c.none("clients that talked, and had no clean end", [one.wrong for one in talking if one.wrong],
           usually="Closed with bytes unread, it is a reset: shut down, receive what still comes, then close.")
    c.none("streams with a gap, or no clean end",
           [f"{len(one.received)} bytes, {difference(one.data[: len(one.received)], bytes(one.received))}; {one.error}"
            for one in streaming
            if one.error != FIN or one.received != memoryview(one.data)[: len(one.received)]],
           usually="What has been received is still sent after SIGTERM, and then comes FIN.")
    c.at_least("answers", TALKING, sum(one.answers for one in talking))
    c.note(f"{sum(one.answers for one in talking)} answers, {sum(len(one.received) for one in streaming) >> 20} MiB")
    c.stop(server)
