#!/usr/bin/env python3
"""load_client against servers that are silent, close, reset, refuse or vanish: each is counted as what it is,
and the run ends.

    echo_ends_test.py LOAD_CLIENT [unittest arguments]
"""

import socket
import threading
import time

import client
from peer import echo, unused_port

SIZE = 64


def answers(count, then):
    """Right for `count` messages; then `then(peer)`, with the next one unread."""

    def talk(peer):
        for _ in range(count):
            peer.send(peer.receive(SIZE))
        then(peer)

    return talk


class Silence(client.ClientTest):
    def assert_timeout(self, talk, *words, **options):
        server = self.serve(talk, **options)
        result = client.load("echo", server.target, "--timeout", "300ms", "--duration", "1s", *words)
        self.assert_error(result, "timeout")
        self.assert_bounded(result, 2)
        return result

    def test_never_answers(self):
        result = self.assert_timeout(lambda peer: peer.wait_for_end(), "--requests", 10)
        self.assertEqual(result.target["messages"], 0)
        self.assertEqual(result.target["latency_ns"]["count"], 0)

    def test_never_answers_one_of_them(self):
        def talk(peer):
            return peer.wait_for_end() if peer.number == 1 else echo(peer)

        result = self.assert_timeout(talk)
        self.assertGreater(result.target["messages"], 10)

    def test_half_an_answer(self):
        def talk(peer):
            peer.send(peer.receive(SIZE)[:SIZE // 2])
            peer.wait_for_end()

        self.assert_timeout(talk, "--requests", 10)

    def test_a_byte_now_and_then_is_no_answer(self):
        # The time counts for the message, not from the last byte.
        def talk(peer):
            message = peer.receive(SIZE)
            for number in range(SIZE):
                peer.send(message[number:number + 1])
                time.sleep(0.1)

        self.assert_timeout(talk, "--requests", 10)

    def test_never_reads(self):
        self.assert_timeout(lambda peer: threading.Event().wait(3), "--size", "4M", send_buffer=8192,
                            receive_buffer=8192)

    def test_silence_in_open_loop(self):
        self.assert_timeout(lambda peer: peer.wait_for_end(), "--rate", 100)

    def test_the_connection_is_closed(self):
        # By the client, which is why the server's receive ends.
        server = self.serve(lambda peer: peer.wait_for_end())
        result = client.load("echo", server.target, "--timeout", "200ms", "--duration", "800ms")
        self.assert_accepted(server, result.target["connections_opened"])
        self.assertTrue(client.wait_until(lambda: all(peer.socket.fileno() < 0 for peer in server.peers)))

    def test_never_accepts(self):
        # A full backlog: the kernel lets the first ones in unseen, and drops the SYNs of the others.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            target = f"127.0.0.1:{listener.getsockname()[1]}"
            result = client.load("echo", target, "--connections", 8, "--timeout", "300ms", "--duration", "1s")
        self.assert_error(result, "timeout", "connect_failed")
        self.assert_bounded(result, 2)


class Ends(client.ClientTest):
    def assert_found(self, talk, *kinds, words=()):
        server = self.serve(talk)
        result = client.load("echo", server.target, "--size", SIZE, "--requests", 300, "--duration", "2s", *words)
        self.assert_error(result, *kinds)
        self.assert_bounded(result, 3)
        return result

    def test_accepts_and_closes(self):
        result = self.assert_found(lambda peer: peer.send_end(), "closed_early")
        self.assertEqual(result.target["messages"], 0)

    def test_accepts_and_closes_at_once(self):
        # A reset when the message was there before the close.
        self.assert_found(lambda peer: None, "closed_early", "reset")

    def test_closes_after_some_messages(self):
        result = self.assert_found(answers(7, lambda peer: peer.send_end()), "closed_early")
        self.assertGreaterEqual(result.target["messages"], 4 * 7)
        self.assertEqual(result.target["messages"] % 7, 0)

    def test_closes_within_an_answer(self):
        def half(peer):
            peer.send(peer.receive(SIZE)[:SIZE // 2])
            peer.send_end()

        self.assert_found(answers(3, half), "closed_early")

    def test_closes_with_a_pipeline_under_way(self):
        self.assert_found(answers(5, lambda peer: peer.send_end()), "closed_early", words=["--pipeline", 4])

    def test_resets(self):
        result = self.assert_found(answers(7, lambda peer: (peer.receive(1), peer.reset())), "reset")
        self.assertGreaterEqual(result.target["messages"], 4 * 7)

    def test_resets_at_once(self):
        self.assert_found(lambda peer: peer.reset(), "reset", "connect_failed")

    def test_resets_within_a_large_message(self):
        def talk(peer):
            peer.receive(100_000)
            peer.reset()

        self.assert_found(talk, "reset", words=["--size", "8M"])

    def test_resets_a_stream(self):
        def talk(peer):
            for _ in range(20):
                peer.send(peer.receive_some())
            peer.reset()

        self.assert_found(talk, "reset", words=["--stream", "--duration", "500ms", "--requests", 0])

    def test_ends_a_stream(self):
        def talk(peer):
            for _ in range(20):
                peer.send(peer.receive_some())
            peer.send_end()

        self.assert_found(talk, "closed_early", words=["--stream", "--duration", "500ms", "--requests", 0])

    def test_one_connection_of_many(self):
        def talk(peer):
            return answers(3, lambda peer: peer.send_end())(peer) if peer.number == 1 else echo(peer)

        result = self.assert_found(talk, "closed_early", words=["--duration", "500ms", "--requests", 0])
        self.assertGreater(result.target["messages"], 50, "the other connections go on")


class Refusals(client.ClientTest):
    def test_nobody_listens(self):
        with unused_port() as holder:
            target = f"127.0.0.1:{holder.getsockname()[1]}"
            result = client.load("echo", target, "--requests", 10, "--duration", "1s")
        self.assert_error(result, "refused")
        self.assert_bounded(result, 1)
        self.assertEqual(result.target["messages"], 0)

    def test_nobody_listens_for_http(self):
        with unused_port() as holder:
            target = f"127.0.0.1:{holder.getsockname()[1]}"
            self.assert_error(client.load("http", target, "--duration", "500ms"), "refused")

    def test_stops_listening(self):
        # Those that are connected go on until their churn; then they are refused.
        server = self.serve(echo)
        self.after_traffic(server, server.stop_listening)
        result = client.load("echo", server.target, "--requests-per-connection", 20, "--duration", "2s")
        self.assert_error(result, "refused")
        self.assertGreater(result.target["messages"], 20)

    def test_vanishes(self):
        for words in ([], ["--requests-per-connection", 20], ["--pipeline", 4], ["--rate", 300], ["--stream"]):
            with self.subTest(words=words):
                server = self.serve(echo)
                self.after_traffic(server, server.vanish)
                result = client.load("echo", server.target, "--duration", "1500ms", "--timeout", "1s", *words)
                self.assert_error(result, "refused", "closed_early", "reset")
                self.assert_bounded(result, 3)
                self.assertGreater(result.target["bytes_received"], 0)


if __name__ == "__main__":
    client.main()
