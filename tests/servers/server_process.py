"""A server program under test: started, watched from outside, and ended. Only what was started here is signalled."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import tempfile
import time

START_LIMIT_S = 60  # under valgrind, beside a compiler
END_LIMIT_S = 60

SANITIZER_REPORT = re.compile(r"(ERROR|WARNING|SUMMARY): (\w+Sanitizer)|runtime error:|CHECK\(.*\) failed")


class StartFailed(Exception):
    pass


class Server:
    """`run_under`: words in front of the program's own, such as valgrind's."""

    def __init__(self, program, *words, run_under=(), **options):
        self._folder = tempfile.TemporaryDirectory(prefix="server_test.")
        self._out, self._err = (os.path.join(self._folder.name, name) for name in ("stdout", "stderr"))
        argv = [*run_under, program, *map(str, words), "--port", "0"]
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **options)
        self.pid = self.process.pid
        try:
            self.target = self._wait_for_first_line()
        except StartFailed:
            self.discard()
            raise
        host, _, port = self.target.rpartition(":")
        self.address = host.strip("[]"), int(port)
        self.descriptors_at_start = self.descriptors()

    def _wait_for_first_line(self):
        deadline = time.monotonic() + START_LIMIT_S
        while "\n" not in self.stdout():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(f"{self.process.args} did not start: {self.stderr()}")
            time.sleep(0.005)
        line = re.match(r"listening on (\S+:\d+)\n", self.stdout())
        if line is None:
            raise StartFailed(f"the first line is {self.stdout().splitlines()[0]!r}")
        return line[1]

    def stdout(self):
        with open(self._out, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stderr(self):
        with open(self._err, encoding="utf-8", errors="replace") as file:
            return file.read()

    def is_alive(self):
        return self.process.poll() is None

    def descriptors(self):
        """How many are open. A sanitizer or valgrind has some of its own, which stay the same."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except OSError:
            return -1

    def threads_cpu_s(self):
        """CPU time of all its threads, in clock ticks of 10 ms."""
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def limit_descriptors(self, count):
        """From now on, it gets no descriptor with a number of `count` or more."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, hard))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit_s=END_LIMIT_S):
        """The exit status; -N for signal N. Kills what does not end."""
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end in {limit_s} s\n{self.stderr()}") from None

    def report(self, limit_s=10):
        """What SIGUSR1 prints: the counters by name, and the connection table's rows."""
        before = self.stdout().count("--- end of report")
        self.signal(signal.SIGUSR1)
        deadline = time.monotonic() + limit_s
        while self.stdout().count("--- end of report") == before:
            if time.monotonic() > deadline or not self.is_alive():
                raise AssertionError(f"no report in {limit_s} s\n{self.stdout()[-2000:]}{self.stderr()}")
            time.sleep(0.005)
        return Report(self.stdout().split("--- report\n")[-1].partition("--- end of report")[0])

    def discard(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()


class Report:
    def __init__(self, text):
        self.text = text
        lines = text.splitlines()
        self.connections = int(lines[0].split()[1])
        columns = lines[1].split()
        self.rows = [dict(zip(columns, row.split())) for row in lines[2:2 + self.connections]]
        rest = lines[2 + self.connections:]
        table = rest.index("file table") if "file table" in rest else len(rest)
        self.counters = {}
        for row in rest[:table]:
            name, _, value = row.rpartition(" ")
            self.counters[name.strip()] = int(value)
        # Of a server that shows its open files, by path.
        self.files = {}
        for row in rest[table + 2:]:
            slot, uses, size, path = row.split(maxsplit=3)
            self.files[path] = {"slot": slot, "uses": int(uses), "size": int(size)}


@contextlib.contextmanager
def running(program, *words, **options):
    """For scripts: a server that is ended behind the block."""
    server = Server(program, *words, **options)
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.signal(signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            server.wait(10)
        server.discard()
