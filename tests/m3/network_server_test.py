#!/usr/bin/env python3
"""m3_network_server from outside: what it does that other echo servers here do not. What all of them must do is in
tests/servers/echo_server_test.py and echo_abuse_test.py, which run with it as well.

    network_server_test.py LOAD_CLIENT M3_NETWORK_SERVER [unittest arguments]
"""

import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))
import echo_case
import server_case
from server_case import client, receive_all, receive_exactly

NOBODY = 65534
BUFFERS = 512  # by default
# What a kernel may lack; each group changes how the server works.
MASKS = ["multishot_accept", "multishot_recv", "multishot_recv_limit", "buffer_ring", "buffer_ring,multishot_recv",
         "registered_ring,ext_arg", "submit_all,coop_taskrun,single_issuer,defer_taskrun,cqsize,no_sqarray",
         "submit_stable"]
COUNTERS = """accepts receives received_buffers receives_ended receive_cancels buffer_waits sends short_sends
              sends_blocked sent_buffers replenishes urgent_replenishes batch_waits spills buffers_with_kernel
              buffers_held buffers_held_max buffer_waiters stale turns""".split()


class NetworkServerCase(echo_case.EchoCase):
    def run_program(self, *words, **options):
        return subprocess.run([client.SERVER, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=server_case.LIMIT_S, check=False, **options)

    def assert_refused(self, done, *named):
        """One sentence on stderr, which names what is wrong, and nothing else."""
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Am3_network_server: [^\n]+\n\Z")
        for name in named:
            self.assertIn(name, done.stderr)

    def echo(self, connection, contents):
        sender = self.in_background(connection.sendall, contents)
        self.assertTrue(receive_exactly(connection, len(contents)) == contents, "the bytes differ")
        sender.join()

    def assert_counter(self, server, name, expected):
        """It comes to this, sooner or later."""
        seen = []

        def is_there():
            seen.append(server.report().counters[name])
            return seen[-1] == expected

        self.assertTrue(client.wait_until(is_there, pause_s=0.02), f"{name} is {seen[-1]} and not {expected}")

    def assert_buffers_are_back(self, server, count):
        self.assert_counter(server, "buffers_with_kernel", count)
        counters = server.report().counters
        self.assertEqual((counters["buffers_held"], counters["buffer_waiters"], counters["stale"]), (0, 0, 0))


class CommandLine(NetworkServerCase):
    def test_what_it_cannot_be_told(self):
        for words in (["--buffers", "0"], ["--buffers", "1000"], ["--buffers", "65536"], ["--buffer-size", "63"],
                      ["--buffer-size", "2M"], ["--send-buffers", "0"], ["--send-buffers", "65"],
                      ["--batch-wait", "11ms"], ["--batch-wait", "3"], ["--max-buffered", "1"],
                      ["--max-connections", "0"], ["--port", "65536"], ["--idle-timeout", "3"], ["--mode", "lt"],
                      ["echo"], ["--trace"]):
            with self.subTest(words=words):
                self.assert_refused(self.run_program(*words), words[0])

    def test_a_misspelt_option_is_named_with_the_right_one(self):
        self.assert_refused(self.run_program("--single-shoot"), "--single-shoot", "--single-shot")

    def test_an_address_that_is_none_of_ours(self):
        for address in ("192.0.2.1", "nowhere", "256.0.0.1"):
            self.assert_refused(self.run_program("--bind", address, "--port", 0), address)

    def test_a_port_that_is_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            self.assert_refused(self.run_program("--port", port), str(port))

    def test_a_trace_that_cannot_be_written(self):
        self.assert_refused(self.run_program("--port", 0, "--trace", "/no/such/folder/trace"), "/no/such/folder/trace")

    def test_more_memory_than_there_is(self):
        if b"__asan_init" in Path(client.SERVER).read_bytes():
            self.skipTest("a sanitizer needs more than the limit for itself")

        def limit_memory():
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

        done = self.run_program("--port", 0, "--buffers", 32768, "--buffer-size", "1M", preexec_fn=limit_memory)
        self.assert_refused(done, "32768", "memory")

    def test_direct_descriptors_need_a_kernel_that_has_them(self):
        done = self.run_program("--port", 0, "--direct-descriptors",
                                env={**os.environ, "URING_DISABLE": "direct_accept"})
        self.assert_refused(done, "--direct-descriptors", "5.19")

    def test_a_feature_that_there_is_not(self):
        done = self.run_program("--port", 0, env={**os.environ, "URING_DISABLE": "multishot_receive"})
        self.assert_refused(done, "multishot_receive", "multishot_recv")

    def test_help(self):
        done = self.run_program("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("port", "bind", "max-connections", "max-buffered", "idle-timeout", "idle-timeout-jitter",
                       "drain-timeout", "stats-interval", "buffers", "buffer-size", "send-buffers", "batch-wait",
                       "[no-]single-shot", "[no-]direct-descriptors", "[no-]log-states", "trace"):
            self.assertIn(f"--{option}", done.stdout)


class Forms(NetworkServerCase):
    """Byte-exact in all of them."""

    def check_bytes(self, server, buffers):
        connection = self.connect(server)
        order = random.Random(1)
        for size in (1, 63, 64, 65, 4095, 4096, 4097, 70_000, 1_000_001):
            self.echo(connection, order.randbytes(size))
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(connection), b"")
        connection.close()
        self.load("echo", server, "--requests", 500, "--connections", 20, "--size-mix", "1:50,5K:50", "--pipeline", 4)
        self.assert_buffers_are_back(server, buffers)

    def test_without_features_of_newer_kernels(self):
        for names in MASKS:
            with self.subTest(names=names):
                server = self.serve(env={**os.environ, "URING_DISABLE": names})
                self.check_bytes(server, BUFFERS)
                self.assert_ends_well(server)

    def test_with_few_and_small_buffers(self):
        for words in (["--buffers", 2, "--buffer-size", 64], ["--buffers", 4, "--buffer-size", 64, "--single-shot"],
                      ["--buffers", 16, "--buffer-size", "1M"], ["--send-buffers", 1], ["--send-buffers", 64]):
            with self.subTest(words=words):
                server = self.serve(*words)
                self.check_bytes(server, dict(zip(words[::2], words[1::2])).get("--buffers", BUFFERS))
                self.assert_ends_well(server)

    def test_few_buffers_without_buffer_rings(self):
        for names in ("buffer_ring", "buffer_ring,multishot_recv"):
            with self.subTest(names=names):
                server = self.serve("--buffers", 2, "--buffer-size", 64, env={**os.environ, "URING_DISABLE": names})
                self.check_bytes(server, 2)
                self.assert_ends_well(server)

    def test_where_a_turn_waits_for_many(self):
        for env in ({}, {"URING_DISABLE": "min_wait"}):
            with self.subTest(**env):
                server = self.serve("--batch-wait", "10ms", env={**os.environ, **env})
                self.check_bytes(server, BUFFERS)
                self.load("echo", server, "--requests", 5000, "--connections", 200)
                self.assert_buffers_are_back(server, BUFFERS)
                self.assert_ends_well(server)

    def test_direct_descriptors_take_no_descriptor(self):
        server = self.serve("--direct-descriptors")
        connections = [self.connect(server) for _ in range(20)]
        for connection in connections:
            self.echo(connection, b"hello")
        self.assertEqual(server.descriptors(), server.descriptors_at_start)
        for connection in connections:
            connection.close()
        self.check_bytes(server, BUFFERS)
        self.assert_ends_well(server)

    def test_as_nobody(self):
        if os.geteuid() != 0:
            self.skipTest("every test here runs without root")
        allowed = subprocess.run(["test", "-r", client.SERVER], user=NOBODY, group=NOBODY, extra_groups=[], check=False)
        if allowed.returncode != 0:
            self.skipTest(f"{client.SERVER} is not for everybody")
        for words in ([], ["--direct-descriptors"]):
            server = self.serve(*words, user=NOBODY, group=NOBODY, extra_groups=[])
            self.check_bytes(server, BUFFERS)
            self.assert_ends_well(server)


class Reports(NetworkServerCase):
    def test_counters_of_a_talk(self):
        server = self.serve()
        connection = self.connect(server)
        for _ in range(50):
            self.echo(connection, b"x" * 100)
        report = server.report()
        for name in COUNTERS:
            self.assertIn(name, report.counters)
        counters = report.counters
        self.assertEqual((counters["accepted"], counters["received_bytes"], counters["sent_bytes"]), (1, 5000, 5000))
        self.assertEqual((counters["sends"], counters["sent_buffers"], counters["received_buffers"]), (50, 50, 50))
        self.assertEqual((counters["short_sends"], counters["sends_blocked"], counters["stale"]), (0, 0, 0))
        self.assertEqual(counters["buffers_with_kernel"], BUFFERS)
        self.assertGreaterEqual(counters["buffers_held_max"], 1)
        [row] = report.rows
        self.assertEqual((row["state"], row["ops"], row["received"], row["sent"]), ("reading", "1", "5000", "5000"))
        connection.close()
        self.assert_ends_well(server)

    def test_one_request_for_all_messages_or_one_for_each(self):
        for words, most in (([], 1), (["--single-shot"], 51)):
            server = self.serve(*words)
            connection = self.connect(server)
            for _ in range(50):
                self.echo(connection, b"x" * 100)
            self.assertEqual(server.report().counters["receives"], most)
            connection.close()
            self.assert_ends_well(server)

    def test_a_client_that_does_not_read_shows(self):
        server = self.serve("--buffer-size", "4K", "--max-buffered", "64K")
        connection = self.connect(server, receive_buffer=8192)
        connection.setblocking(False)
        sent = self.send_until_blocked(connection, quiet_s=0.3)
        report = server.report()
        self.assertEqual([row["state"] for row in report.rows], ["stopped"])
        self.assertGreater(report.counters["sends_blocked"], 0)
        self.assertGreater(report.counters["buffers_held"], 0)
        # 64K in whole buffers, and what comes until a receive is cancelled.
        self.assertLess(report.counters["buffers_held_max"], 32)
        connection.settimeout(server_case.LIMIT_S)
        self.assertTrue(receive_exactly(connection, sent) == bytes(sent))
        self.assert_buffers_are_back(server, BUFFERS)
        connection.close()
        self.assert_ends_well(server)

    def test_statistics(self):
        server = self.serve("--stats-interval", "50ms")
        self.assertTrue(client.wait_until(lambda: server.stdout().count("\n") > 3))
        self.assert_ends_well(server)


class Signals(NetworkServerCase):
    def test_either_ends_an_idle_server(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            server.signal(number)
            self.assert_ended_well(server)
            self.assertEqual(server.stderr(), "")

    def test_a_second_one_while_it_drains(self):
        # In each form there is something else that must be let go.
        for way in self.program.ways:
            with self.subTest(way=" ".join(way)):
                server = self.serve(*way, "--drain-timeout", "600s")
                connection = self.connect(server, receive_buffer=8192)
                connection.setblocking(False)
                self.send_until_blocked(connection, quiet_s=0.2)
                server.signal(signal.SIGTERM)
                time.sleep(0.2)
                self.assertTrue(server.is_alive())
                server.signal(signal.SIGTERM)
                self.assert_ended_well(server)


class States(NetworkServerCase):
    LINE = re.compile(r"connection (\d+)\.(\d+): (\w+) -> (\w+)")

    def lines(self, server):
        return [self.LINE.fullmatch(line) for line in server.stdout().splitlines() if line.startswith("connection ")]

    def states(self, server):
        """The way that each connection went, by slot and generation."""
        ways = {}
        for line in self.lines(server):
            self.assertIsNotNone(line)
            slot, generation, old, new = line.groups()
            way = ways.setdefault((slot, generation), [old])
            self.assertEqual(way[-1], old, "each line goes on where the last one ended")
            self.assertNotEqual(old, new)
            way.append(new)
        return ways

    def wait_for_closed(self, server, count):
        self.assertTrue(client.wait_until(lambda: server.stdout().count("-> closed\n") == count), server.stdout())

    def test_a_short_talk(self):
        server = self.serve("--log-states")
        for _ in range(3):
            with self.connect(server) as connection:
                self.echo(connection, b"hello")
        self.wait_for_closed(server, 3)
        ways = self.states(server)
        self.assertEqual(len(ways), 3, "a slot's next life has another generation")
        for way in ways.values():
            self.assertEqual(way[:4], ["accepted", "receiving", "sending", "receiving"])
            self.assertEqual(way[-2:], ["closing", "closed"])
        self.assert_ends_well(server)

    def test_a_client_that_stops_and_goes_on(self):
        server = self.serve("--log-states", "--max-buffered", "64K")
        connection = self.connect(server, receive_buffer=8192)
        connection.setblocking(False)
        sent = self.send_until_blocked(connection, quiet_s=0.2)
        connection.settimeout(server_case.LIMIT_S)
        connection.shutdown(socket.SHUT_WR)
        self.assertTrue(receive_all(connection) == bytes(sent))
        self.wait_for_closed(server, 1)
        [way] = self.states(server).values()
        for state in ("sending", "stopped", "ending"):
            self.assertIn(state, way)
        self.assertLess(way.index("stopped"), way.index("ending"))
        self.assert_ends_well(server)

    def test_who_waits_for_buffers(self):
        server = self.serve("--log-states", "--buffers", 2, "--buffer-size", 64)
        self.load("echo", server, "--requests", 300, "--connections", 20, "--size", "1K")
        self.assertTrue(any("waiting" in way for way in self.states(server).values()))
        self.assert_buffers_are_back(server, 2)
        self.assert_ends_well(server)

    def test_without_the_option_there_are_none(self):
        server = self.serve()
        with self.connect(server) as connection:
            self.echo(connection, b"hello")
        self.assertEqual(self.lines(server), [])
        self.assert_ends_well(server)


class Traces(NetworkServerCase):
    def test_what_the_ring_did_is_in_the_file(self):
        printer = Path(client.SERVER).parents[1] / "m1_sq_cq" / "m1_sq_cq"
        with tempfile.TemporaryDirectory(prefix="network_server_test.") as folder:
            file = os.path.join(folder, "trace")
            server = self.serve("--trace", file)
            with self.connect(server) as connection:
                self.echo(connection, b"hello" * 1000)
            self.assert_ends_well(server)
            done = subprocess.run([printer, "trace", file], capture_output=True, text=True, check=True,
                                  timeout=server_case.LIMIT_S)
        for word in ("SqePrepared", "ACCEPT", "RECV", "SEND", "BufferOut", "BufferIn", "EnterReturn", "CLOSE"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    server_case.main()
