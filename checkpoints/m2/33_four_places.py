"""4 places, 1,000 files that change all the time, 64 clients: each answer is one whole version, or a closed connection.

A program renames new versions over the files and truncates others, without a pause; each block of each version names
the file, the version and the size. An answer that is not whole ends with the connection, and what came of it is of one
version too: no byte of another file, of another version, or of none.
"""

import random
import re
import sys
import threading
import time

from epoll.clients import narrow
from epoll.downloads import Download, drive
from m2 import server as m2
from m2 import versions

timeout = 120
alone = True
hint = ["A place must not be given to another file while a read that is not yet submitted names it.",
        "After the last read, before the first byte leaves: is the file still the one that the head describes?"]

FILES, CLIENTS, SLOW, PLACES = 1000, 64, 4, 4


class Clients:
    """Each asks for one file after the other, on a new connection when its own was closed."""

    def __init__(self, c, server):
        self._c, self._server = c, server
        self._chance = random.Random(7)
        self._connections = []
        self.whole = self.ended_early = 0
        self.wrong = []

    def start(self, target: str | None = None) -> Download:
        self._connections.append(self._c.connect(self._server))
        return Download(self._connections[-1], target or f"/{versions.pick(self._chance, FILES)}", keep=True)

    def judge(self, done: Download) -> None:
        if done.answer is not None and done.answer.status != 200:
            self.wrong.append(f"{done.target}: status {done.answer.status}")
        elif done.answer is not None:
            fault = versions.judge(int(done.target[1:]), bytes(done.body), done.length)
            self.wrong += [f"{done.target}: {fault}"] if fault else []
            self.whole += done.whole
        self.ended_early += not done.whole

    def next_one(self, done: Download) -> Download:
        self.judge(done)
        if done.closed:
            done.connection.close()
            return self.start()
        done.ask(f"/{versions.pick(self._chance, FILES)}")
        return done

    def read_slowly(self, target: str, seconds: float) -> None:
        """One client that takes its time with large files, so that they change in the middle."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            download = self.start(target)
            narrow(download.connection)
            while not download.over and time.monotonic() < end:
                download.receive()
                time.sleep(0.003)
            if download.over:
                self.judge(download)
            download.connection.close()

    def leave(self) -> None:
        for connection in self._connections:
            connection.close()


def ask_for_a_while(clients, seconds):
    slow = [threading.Thread(target=clients.read_slowly, args=(f"/{number % versions.LARGE}", seconds))
            for number in range(SLOW)]
    for thread in slow:
        thread.start()
    drive([clients.start() for _ in range(CLIENTS - SLOW)], clients.next_one, seconds)
    for thread in slow:
        thread.join()
    clients.leave()


def check(c):
    root = c.temp_dir()
    chance = random.Random(1)
    for number in range(FILES):
        versions.write(root, number, 0, versions.pick_size(chance, number))
    seconds = c.choose(default=8, full=60)
    with m2.serving(c, root, "--file-cache", PLACES) as server:
        writer = c.start([sys.executable, "-B", versions.__file__, root, FILES, seconds, 1], first_line="changing")
        clients = Clients(c, server)
        ask_for_a_while(clients, seconds)
        c.expect(writer.wait(30), "the program that changes the files", expected="it ends", seen="it runs")
        c.stop(writer)
        c.none("answers that are not of one version", clients.wrong,
               usually="Bytes of a file that was replaced, truncated, or never asked for.")
        c.at_least("whole answers", 500, clients.whole)
        c.at_least("answers that ended early", 1, clients.ended_early,
                   usually="A file that was truncated in the middle of an answer was served to its old length.")
        renamed, truncated = map(int, re.findall(r"\d+", writer.stdout()))
        c.at_least("changes", 200, renamed + truncated)
        c.note(f"{clients.whole} whole answers, {clients.ended_early} ended early, {renamed} files renamed over, "
               f"{truncated} truncated")
        m2.all_buffers_free(c, server)
