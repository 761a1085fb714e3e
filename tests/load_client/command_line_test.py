#!/usr/bin/env python3
"""load_client's options, exit statuses, table, JSON and signals.

    command_line_test.py LOAD_CLIENT [unittest arguments]
"""

import json
import os
import resource
import signal
import subprocess
import tempfile
import time

import client
from http_peer import answers, response
from peer import echo

TARGET = "127.0.0.1:9"  # nothing is sent there: these runs end before

NUMBER = (int, float)
DOCUMENT = {"protocol": str, "connections": int, "pipeline": int, "rate": NUMBER, "size": int, "seconds": NUMBER,
            "client_cpu_ns": int, "errors": int, "targets": list, "comparisons": list}
TARGET_KEYS = {"name": str, "address": str, "pid": (int, type(None)), "messages": int, "connections_opened": int,
               "seconds": NUMBER, "messages_per_second": NUMBER, "bytes_sent": int, "bytes_received": int,
               "errors": dict, "latency_ns": dict, "windows": list, "server": (dict, type(None))}
LATENCY = {"count": int, "mean": NUMBER, "p50": int, "p95": int, "p99": int, "p99.9": int, "max": int}
WINDOW = {"messages": int, "latency_ns": dict}
SERVER = {"cpu_ns": int, "cpu_ns_per_message": NUMBER, "messages_per_cpu_second": NUMBER, "voluntary_switches": int,
          "involuntary_switches": int, "rss_bytes": int, "rss_max_bytes": int}
COMPARISON = {"ours": str, "reference": str, "pairs": int, "messages_per_second": dict,
              "messages_per_cpu_second": dict, "p50": dict, "p99": dict}
RATIO = {"ratio": NUMBER, "low": (*NUMBER, type(None)), "high": (*NUMBER, type(None)), "verdict": str}


class BadOptions(client.ClientTest):
    def assert_refused(self, *words, **options):
        result = client.run(*words, **options)
        self.assertEqual(result.status, 2, f"{words}: {result}")
        self.assertEqual(result.stdout, "", str(words))
        self.assertEqual(len(result.stderr.splitlines()), 1, f"{words}: {result}")
        self.assertGreater(len(result.stderr.split()), 4, "a sentence")
        return result.stderr

    def test_protocols(self):
        for words in ([], ["gopher", TARGET], ["--connections", "4"]):
            with self.subTest(words=words):
                self.assert_refused(*words)

    def test_targets(self):
        for target in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", ":80", "::1:80",
                       "[::1]", "[::1:80", "300.0.0.1:80", "name=", "=127.0.0.1:9", "127.0.0.1:9@", "127.0.0.1:9@x",
                       "127.0.0.1:9@-5", "nowhere.invalid:80", ""):
            with self.subTest(target=target):
                self.assert_refused("echo", target)
        self.assert_refused("echo")

    def test_options_of_the_other_protocol(self):
        for words in (["echo", "--paths", "/a"], ["echo", "--root", "/"], ["echo", "--head"],
                      ["http", "--stream"], ["http", "--size", "65"], ["http", "--size-mix", "64:1"]):
            with self.subTest(words=words):
                self.assertIn("for echo" if words[0] == "http" else "for http", self.assert_refused(*words, TARGET))

    def test_values(self):
        for words in (["--connections", 0], ["--connections", -1], ["--duration", "0"], ["--duration", "2"],
                      ["--duration", "soon"], ["--requests", -1], ["--size", 0], ["--size", "1T"],
                      ["--pipeline", 0], ["--rate", -1], ["--rate", "x"], ["--requests-per-connection", -1],
                      ["--slow-readers", 101], ["--slow-readers", -1], ["--timeout", "x"], ["--pairs", 0],
                      ["--slice", "0"], ["--windows", -1], ["--windows", 1001],
                      ["--seed", "x"], ["--unknown"], ["--conections", 4], ["--json"]):
            with self.subTest(words=words):
                self.assert_refused("echo", TARGET, *words)

    def test_windows_of_several_targets(self):
        self.assertIn("--windows", self.assert_refused("echo", TARGET, f"b={TARGET}", "--windows", 3))

    def test_size_mixes(self):
        for mix in ("64", "64:", ":9", "64:0", "0:1", "64:-1", "64:1,", ",", "64:1;4K:1", "a:b", "64:1:1"):
            with self.subTest(mix=mix):
                self.assert_refused("echo", TARGET, "--size-mix", mix)

    def test_paths(self):
        for paths in ("a", ",", "/a,b", "/a,,/b", "/with space", "/bell\x07"):
            with self.subTest(paths=paths):
                self.assert_refused("http", TARGET, "--paths", paths)

    def test_missing_root(self):
        self.assertIn("/nowhere", self.assert_refused("http", TARGET, "--root", "/nowhere"))

    def test_file_that_is_not_in_the_root(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertIn("missing", self.assert_refused("http", TARGET, "--root", root, "--paths", "/missing"))

    def test_json_file_that_can_not_be_made(self):
        server = self.serve(echo)
        result = client.run("echo", server.target, "--requests", 10, "--warmup", "0", "--json", "/nowhere/x.json")
        self.assertEqual(result.status, 2, str(result))
        self.assertIn("/nowhere/x.json", result.stderr)

    def test_a_misspelt_name_is_told(self):
        self.assertIn("connections", self.assert_refused("echo", TARGET, "--conections", 4))

    def test_too_few_descriptors(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

        server = self.serve(echo)
        sentence = self.assert_refused("echo", server.target, "--connections", 500, preexec_fn=limit)
        self.assertRegex(sentence, "EMFILE|descriptors|nofile|NOFILE|ulimit")

    def test_soft_limit_is_raised(self):
        def limit():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))

        server = self.serve(echo)
        result = client.run("echo", server.target, "--connections", 100, "--requests", 200, "--warmup", "0",
                            preexec_fn=limit)
        self.assertEqual(result.status, 0, str(result))

    def test_help(self):
        for words in (["--help"], ["echo", "--help"], ["http", "--help"]):
            result = client.run(*words)
            self.assertEqual(result.status, 0, str(result))
            self.assertEqual(result.stderr, "")
            self.assertIn("echo" if len(words) == 1 else "--connections", result.stdout)


class Json(client.ClientTest):
    def assert_fields(self, value, fields, where):
        self.assertEqual(sorted(value), sorted(fields), where)
        for name, kind in fields.items():
            self.assertIsInstance(value[name], kind, f"{where}.{name}")
            self.assertNotIsInstance(value[name], bool, f"{where}.{name}")

    def assert_schema(self, document):
        self.assert_fields(document, DOCUMENT, "document")
        for target in document["targets"]:
            self.assert_fields(target, TARGET_KEYS, "target")
            self.assert_fields(target["errors"], dict.fromkeys(client.ERROR_KINDS, int), "errors")
            self.assert_fields(target["latency_ns"], LATENCY, "latency_ns")
            for window in target["windows"]:
                self.assert_fields(window, WINDOW, "window")
                self.assert_fields(window["latency_ns"], LATENCY, "latency_ns of a window")
            if target["server"] is not None:
                self.assert_fields(target["server"], SERVER, "server")
        for comparison in document["comparisons"]:
            self.assert_fields(comparison, COMPARISON, "comparison")
            for name in ("messages_per_second", "messages_per_cpu_second", "p50", "p99"):
                self.assert_fields(comparison[name], RATIO, name)

    def test_one_target(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--requests", 50, "--size", 100, "--pipeline", 2)
        self.assert_right(result, messages=50)
        self.assert_schema(result.document)
        self.assertEqual(result.document["protocol"], "echo")
        self.assertEqual(result.document["connections"], 4)
        self.assertEqual(result.document["pipeline"], 2)
        self.assertEqual(result.document["rate"], 0)
        self.assertEqual(result.document["size"], 100)
        self.assertGreater(result.document["client_cpu_ns"], 0)
        self.assertEqual(result.document["comparisons"], [])
        self.assertEqual(result.target["name"], server.target)
        self.assertEqual(result.target["address"], server.target)
        self.assertIsNone(result.target["server"])
        self.assertEqual(result.stderr, "")

    def test_http(self):
        server = self.serve(answers(lambda number, path: response(b"body")))
        result = client.load("http", server.target, "--requests", 50)
        self.assert_right(result, messages=50)
        self.assert_schema(result.document)
        self.assertEqual(result.document["protocol"], "http")

    def test_with_errors(self):
        server = self.serve(lambda peer: peer.send_end())
        result = client.load("echo", server.target, "--requests", 50, "--duration", "500ms")
        self.assert_error(result, "closed_early")
        self.assert_schema(result.document)

    def test_server_by_pid(self):
        # The server's threads are this process's.
        server = self.serve(echo)
        result = client.load("echo", f"here={server.target}@{os.getpid()}", "--requests", 2000)
        self.assert_right(result, messages=2000)
        self.assert_schema(result.document)
        self.assertEqual(result.target["name"], "here")
        self.assertEqual(result.target["address"], server.target)
        self.assertEqual(result.target["pid"], os.getpid())
        seen = result.target["server"]
        self.assertGreater(seen["cpu_ns"], 1_000_000, "2000 messages cost Python more than a millisecond")
        self.assertAlmostEqual(seen["cpu_ns_per_message"], seen["cpu_ns"] / 2000, delta=1)
        self.assertAlmostEqual(seen["messages_per_cpu_second"] * seen["cpu_ns"] / 1e9, 2000, delta=20)
        self.assertGreater(seen["voluntary_switches"] + seen["involuntary_switches"], 100)
        self.assertGreater(seen["rss_bytes"], 4 << 20)
        self.assertGreaterEqual(seen["rss_max_bytes"], seen["rss_bytes"])

    def test_in_a_file(self):
        server = self.serve(echo)
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "result.json")
            result = client.run("echo", server.target, "--requests", 50, "--warmup", "0", "--json", name)
            self.assertEqual(result.status, 0, str(result))
            with open(name, encoding="utf-8") as file:
                self.assert_schema(json.load(file))
        self.assertIn(server.target, result.stdout)

    def test_two_targets(self):
        targets = [f"{name}={self.serve(echo).target}@{os.getpid()}" for name in ("ours", "theirs")]
        result = client.load("echo", *targets, "--pairs", 3, "--slice", "50ms")
        self.assert_right(result)
        self.assert_schema(result.document)
        self.assertEqual([target["name"] for target in result.document["targets"]], ["ours", "theirs"])


class Table(client.ClientTest):
    def test_what_it_shows(self):
        server = self.serve(echo)
        result = client.run("echo", f"first={server.target}@{os.getpid()}", "--requests", 300, "--warmup", "0")
        self.assertEqual(result.status, 0, str(result))
        for word in ("first", "p50", "p95", "p99", "p99.9", "max", "RSS", "errors"):
            self.assertIn(word, result.stdout)
        self.assertNotIn("{", result.stdout)
        self.assertNotIn("\x1b", result.stdout)
        self.assertEqual(result.stderr, "", "progress is for terminals")

    def test_comparison(self):
        targets = [f"{name}={self.serve(echo).target}" for name in ("ours", "theirs")]
        result = client.run("echo", *targets, "--pairs", 6, "--slice", "50ms", "--warmup", "0")
        self.assertEqual(result.status, 0, str(result))
        self.assertRegex(result.stdout, "tie|faster|slower")
        self.assertGreaterEqual(result.stdout.count("theirs"), 2, "a row of its own, and one of the comparison")

    def test_errors_are_in_the_table_and_in_a_sentence(self):
        server = self.serve(lambda peer: peer.send(bytes(len(peer.receive_some()))))
        result = client.run("echo", server.target, "--requests", 20, "--warmup", "0", "--duration", "500ms")
        self.assertEqual(result.status, 1, str(result))
        self.assertRegex(result.stderr, r"\d+ .*wrong")


class Processes(client.ClientTest):
    def gone_pid(self):
        process = subprocess.Popen(["true"])
        process.wait()
        return process.pid

    def test_pid_that_is_gone(self):
        server = self.serve(echo)
        result = client.run("echo", f"{server.target}@{self.gone_pid()}", "--requests", 20, "--warmup", "0")
        self.assertEqual(result.status, 2, str(result))
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_process_that_ends_during_the_run(self):
        # The process that is watched, not the server: the run goes on, and what was seen of it is no lie.
        watched = subprocess.Popen(["sleep", "300"])
        self.addCleanup(watched.wait)
        self.addCleanup(watched.kill)
        server = self.serve(echo)

        def end():
            watched.kill()
            watched.wait()

        self.after_traffic(server, end)
        result = client.load("echo", f"{server.target}@{watched.pid}", "--duration", "1500ms")
        self.assertIn(result.status, (0, 1), str(result))
        self.assertGreater(result.target["messages"], 50)
        self.assertEqual(result.errors, {})


class Signals(client.ClientTest):
    def interrupted(self, number, *words):
        server = self.serve(echo)
        process = subprocess.Popen([client.LOAD_CLIENT, "echo", server.target, "--connections", "4", "--warmup", "0",
                                    "--duration", "100s", "--json", "-", *words],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertTrue(client.wait_until(lambda: server.received() > 64 * 50, limit_s=30))
        time.sleep(0.2)
        begin = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=client.RUN_LIMIT_S)
        self.assertLess(time.monotonic() - begin, 15)
        self.assertIn(process.returncode, (0, 1), stderr)
        return json.loads(stdout)

    def test_interrupt_ends_early_with_results(self):
        document = self.interrupted(signal.SIGINT)
        self.assertGreater(document["targets"][0]["messages"], 40)
        self.assertLess(document["targets"][0]["seconds"], 60)
        self.assertEqual(document["errors"], 0)

    def test_terminate(self):
        document = self.interrupted(signal.SIGTERM)
        self.assertGreater(document["targets"][0]["messages"], 40)

    def test_interrupt_in_open_loop(self):
        document = self.interrupted(signal.SIGINT, "--rate", "300")
        self.assertGreater(document["targets"][0]["messages"], 40)

    def test_interrupt_during_the_warm_up(self):
        document = self.interrupted(signal.SIGINT, "--warmup", "60s")
        self.assertEqual(document["errors"], 0)

    def test_interrupt_before_anybody_answers(self):
        server = self.serve(lambda peer: peer.wait_for_end())
        words = [client.LOAD_CLIENT, "echo", server.target, "--duration", "100s", "--timeout", "99s"]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.assertTrue(client.wait_until(lambda: server.received() > 0, limit_s=30))
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(timeout=20), (0, 1))


if __name__ == "__main__":
    client.main()
