#!/usr/bin/env python3
"""load_client http against servers that answer right, and wrong in each way that a response can be.

    http_test.py LOAD_CLIENT [unittest arguments]
"""

import os
import random
import tempfile
import time

import client
from http_peer import answers, requests, response

BODY = bytes(range(256)) * 8


class HttpTest(client.ClientTest):
    def get(self, talk, *words):
        server = self.serve(talk)
        result = client.load("http", server.target, "--requests", 200, "--timeout", "1s", "--duration", "3s", *words)
        self.assert_bounded(result, 5)
        return result

    def folder(self, **files):
        """A folder with these files; `_` in a name stands for a dot."""
        holder = tempfile.TemporaryDirectory(prefix="load_client_http.")
        self.addCleanup(holder.cleanup)
        for name, contents in files.items():
            with open(os.path.join(holder.name, name.replace("_", ".")), "wb") as file:
                file.write(contents)
        return holder.name


class Right(HttpTest):
    def test_bodies(self):
        for size in (0, 1, 2048, 300_000):
            with self.subTest(size=size):
                body = random.Random(size).randbytes(size)
                result = self.get(answers(lambda number, path, body=body: response(body)), "--requests", 60)
                self.assert_right(result, messages=60)
                self.assertGreaterEqual(result.target["bytes_received"], 60 * size)

    def test_what_is_asked(self):
        seen = []

        def talk(peer):
            for request in requests(peer):
                seen.append(request)
                peer.send(response(BODY))

        server = self.serve(talk)
        result = client.load("http", server.target, "--requests", 30, "--paths", "/a,/b/c,/d.html")
        self.assert_right(result, messages=30)
        self.assertEqual({method for method, _, _ in seen}, {"GET"})
        self.assertEqual({path for _, path, _ in seen}, {"/a", "/b/c", "/d.html"})
        self.assertAlmostEqual(sum(1 for _, path, _ in seen if path == "/a"), 10, delta=4)
        hosts = {headers.get("host") for _, _, headers in seen}
        self.assertEqual(len(hosts), 1)
        self.assertNotIn(None, hosts)
        self.assertNotIn("close", {headers.get("connection", "").lower() for _, _, headers in seen})

    def test_bodies_are_those_of_the_folder(self):
        root = self.folder(one_bin=BODY, two_bin=BODY[::-1], index_html=b"<p>")
        bodies = {"/one.bin": BODY, "/two.bin": BODY[::-1], "/": b"<p>"}
        result = self.get(answers(lambda number, path: response(bodies[path])), "--root", root, "--paths",
                          "/one.bin,/two.bin,/", "--pipeline", 3)
        self.assert_right(result, messages=200)

    def test_head(self):
        def talk(peer):
            for method, _, _ in requests(peer):
                peer.send(response(BODY, status="200 OK" if method == "HEAD" else "405 No").partition(BODY)[0])

        self.assert_right(self.get(talk, "--head"), messages=200)

    def test_in_pieces(self):
        def talk(peer):
            order = random.Random(peer.number)
            for _ in requests(peer):
                data = response(BODY[:300], "X-Long: " + "v" * 200)
                while data:
                    size = order.randint(1, 7)
                    peer.send(data[:size])
                    data = data[size:]

        self.assert_right(self.get(talk, "--requests", 30, "--duration", "20s"), messages=30)

    def test_pipelined_answers_in_one_piece(self):
        def talk(peer):
            incoming = requests(peer)
            for _ in range(5):
                for _ in range(4):
                    next(incoming)
                peer.send(response(BODY) * 4)

        # With the files known, nothing is asked before the pipeline.
        root = self.folder(file_bin=BODY)
        self.assert_right(self.get(talk, "--requests", 20, "--pipeline", 4, "--connections", 1, "--root", root,
                                   "--paths", "/file.bin"), messages=20)

    def test_names_and_spaces_of_fields(self):
        def talk(peer):
            for _ in requests(peer):
                peer.send(b"HTTP/1.1 200 OK\r\nserver: x\r\nCONTENT-length:  4 \r\n\r\nbody")

        self.assert_right(self.get(talk), messages=200)

    def test_connection_close_after_each(self):
        def talk(peer):
            next(requests(peer))
            peer.send(response(BODY, "Connection: close"))
            peer.send_end()

        server = self.serve(talk)
        result = client.load("http", server.target, "--requests", 50)
        self.assert_right(result, messages=50)
        self.assertGreaterEqual(result.target["connections_opened"], 50)
        self.assert_accepted(server, result.target["connections_opened"])

    def test_churn(self):
        server = self.serve(answers(lambda number, path: response(BODY)))
        result = client.load("http", server.target, "--requests-per-connection", 2, "--requests", 60)
        self.assert_right(result, messages=60)
        self.assert_accepted(server, result.target["connections_opened"])
        server.wait_for_ends()
        self.assertLessEqual(max(peer.answered for peer in server.peers), 2)
        self.assertGreaterEqual(server.accepted, 30)


class WrongBodies(HttpTest):
    def test_differs_from_the_file(self):
        root = self.folder(file_bin=BODY)
        for position in (0, 1000, len(BODY) - 1):
            wrong = BODY[:position] + b"?" + BODY[position + 1:]
            with self.subTest(position=position):
                result = self.get(answers(lambda number, path, wrong=wrong: response(wrong if number == 3 else BODY)),
                                  "--root", root, "--paths", "/file.bin")
                self.assert_error(result, "wrong_bytes")

    def test_differs_from_the_first_answer(self):
        other = BODY[:-1] + b"?"
        result = self.get(answers(lambda number, path: response(other if number == 5 else BODY)))
        self.assert_error(result, "wrong_bytes")

    def test_of_another_path(self):
        root = self.folder(a=b"a" * 500, b=b"b" * 500)
        result = self.get(answers(lambda number, path: response(b"a" * 500)), "--root", root, "--paths", "/a,/b")
        self.assert_error(result, "wrong_bytes")

    def test_short(self):
        root = self.folder(file_bin=BODY)
        result = self.get(answers(lambda number, path: response(BODY[:-1])), "--root", root, "--paths", "/file.bin")
        self.assert_error(result, "wrong_bytes", "bad_response")
        self.assertEqual(result.target["messages"], 0)

    def test_empty(self):
        root = self.folder(file_bin=BODY)
        result = self.get(answers(lambda number, path: response(b"")), "--root", root, "--paths", "/file.bin")
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_long(self):
        root = self.folder(file_bin=BODY)
        result = self.get(answers(lambda number, path: response(BODY + b"?")), "--root", root, "--paths", "/file.bin")
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_bytes_behind_the_body(self):
        result = self.get(answers(lambda number, path: response(BODY) + b"extra"))
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_a_response_that_nobody_asked_for(self):
        result = self.get(answers(lambda number, path: response(BODY) * 2))
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_length_says_more_than_comes(self):
        result = self.get(answers(lambda number, path: response(BODY, length=len(BODY) + 1)), "--requests", 10)
        self.assert_error(result, "timeout")

    def test_length_says_less_than_comes(self):
        result = self.get(answers(lambda number, path: response(BODY, length=len(BODY) - 1)))
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_a_body_for_head(self):
        result = self.get(answers(lambda number, path: response(BODY)), "--head")
        self.assert_error(result, "wrong_bytes", "bad_response")

    def test_closed_within_the_body(self):
        def talk(peer):
            next(requests(peer))
            peer.send(response(BODY)[:-10])
            peer.send_end()

        self.assert_error(self.get(talk), "closed_early")

    def test_reset_within_the_body(self):
        def talk(peer):
            next(requests(peer))
            peer.send(response(BODY)[:-10])
            time.sleep(0.05)
            peer.reset()

        self.assert_error(self.get(talk), "reset")


class BadHeads(HttpTest):
    def assert_bad(self, answer, *kinds):
        result = self.get(answers(lambda number, path: answer), "--requests", 20)
        self.assert_error(result, *(kinds or ("bad_response",)))
        return result

    def test_statuses(self):
        for status in ("404 Not Found", "500 Internal Server Error", "503 Service Unavailable", "301 Moved"):
            with self.subTest(status=status):
                result = self.assert_bad(response(b"sorry", status=status))
                self.assertEqual(result.target["messages"], 0)

    def test_no_http_at_all(self):
        for answer in (b"hello\r\n\r\n", b"\0" * 500, b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n",
                       b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"):
            with self.subTest(answer=answer[:40]):
                self.assert_bad(answer, "bad_response", "timeout")

    def test_lengths(self):
        for length in ("-1", "12x", "", "0x10", "99999999999999999999999", "4, 5"):
            with self.subTest(length=length):
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
                self.assert_bad(head + b"body")

    def test_two_lengths(self):
        self.assert_bad(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody")

    def test_no_length(self):
        # Such a body goes on to the end of the connection, which does not come.
        self.assert_bad(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody", "bad_response", "timeout")

    def test_chunked(self):
        # The servers that are compared send lengths; what is not understood must not count as right.
        result = self.assert_bad(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
        self.assertEqual(result.target["messages"], 0)

    def test_endless_head(self):
        def talk(peer):
            next(requests(peer))
            peer.send(b"HTTP/1.1 200 OK\r\n")
            while True:
                peer.send(b"X-Again: and again\r\n" * 100)

        self.assert_error(self.get(talk), "bad_response", "timeout")

    def test_no_answer(self):
        result = self.get(lambda peer: peer.wait_for_end(), "--timeout", "300ms", "--duration", "1s")
        self.assert_error(result, "timeout")
        self.assertEqual(result.target["messages"], 0)

    def test_half_a_head(self):
        result = self.get(answers(lambda number, path: b"HTTP/1.1 200 OK\r\nContent-"), "--timeout", "300ms",
                          "--duration", "1s")
        self.assert_error(result, "timeout")

    def test_closes_without_an_answer(self):
        def talk(peer):
            next(requests(peer))
            peer.send_end()

        self.assert_error(self.get(talk), "closed_early")

    def test_answers_before_it_was_asked(self):
        def talk(peer):
            peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            peer.send_end()

        self.assert_error(self.get(talk), "bad_response", "closed_early", "wrong_bytes")


if __name__ == "__main__":
    client.main()
