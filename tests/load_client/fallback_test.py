#!/usr/bin/env python3
"""load_client on kernels that lack what it would like to use: the same answers, the same errors.

    fallback_test.py LOAD_CLIENT [unittest arguments]
"""

import client
from http_peer import answers, response
from peer import echo

# One kernel generation after the other, as far as the client's choices go.
MASKS = ["multishot_recv", "buffer_ring,multishot_recv", "ext_arg", "single_issuer,defer_taskrun,coop_taskrun",
         "buffer_ring,multishot_recv,ext_arg,cancel_fd,single_issuer,defer_taskrun,coop_taskrun,submit_all,cqsize,"
         "no_sqarray,registered_ring,single_mmap,query"]
SIZE = 64


class Fallbacks(client.ClientTest):
    def each(self, check, talk, protocol, *words):
        for mask in MASKS:
            with self.subTest(mask=mask):
                server = self.serve(talk)
                check(client.load(protocol, server.target, *words, env={"URING_DISABLE": mask}))

    def test_right(self):
        self.each(lambda result: self.assert_right(result, messages=200), echo, "echo", "--requests", 200,
                  "--pipeline", 2)

    def test_large(self):
        self.each(lambda result: self.assert_right(result, messages=8), echo, "echo", "--requests", 8,
                  "--size", "700K")

    def test_churn(self):
        def check(result):
            self.assert_right(result, messages=100)
            self.assertGreaterEqual(result.target["connections_opened"], 33)

        self.each(check, echo, "echo", "--requests", 100, "--requests-per-connection", 3)

    def test_stream(self):
        def check(result):
            self.assert_right(result)
            self.assertGreater(result.target["bytes_received"], 100_000)

        self.each(check, echo, "echo", "--stream", "--duration", "300ms")

    def test_open_loop(self):
        self.each(lambda result: self.assert_right(result, messages=60), echo, "echo", "--rate", 200,
                  "--requests", 60)

    def test_wrong(self):
        def talk(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                peer.send(message[:-1] + bytes([message[-1] ^ 1]) if number == 5 else message)

        self.each(lambda result: self.assert_error(result, "wrong_bytes"), talk, "echo", "--requests", 200,
                  "--duration", "2s")

    def test_silent(self):
        def check(result):
            self.assert_error(result, "timeout")
            self.assert_bounded(result, 1)

        self.each(check, lambda peer: peer.wait_for_end(), "echo", "--timeout", "200ms", "--duration", "500ms")

    def test_closes(self):
        def talk(peer):
            peer.send(peer.receive(SIZE))
            peer.send_end()

        self.each(lambda result: self.assert_error(result, "closed_early"), talk, "echo", "--requests", 100,
                  "--duration", "500ms")

    def test_http(self):
        talk = answers(lambda number, path: response(b"0123456789" * 5000))
        self.each(lambda result: self.assert_right(result, messages=60), talk, "http", "--requests", 60,
                  "--pipeline", 2)


if __name__ == "__main__":
    client.main()
