#!/usr/bin/env python3
"""load_client echo against servers that send bytes which were not asked for: each must be found.

    echo_wrong_test.py LOAD_CLIENT [unittest arguments]
"""

import threading

import client
from peer import echo

SIZE = 64


def flip(message, position):
    return message[:position] + bytes([message[position] ^ 1]) + message[position + 1:]


def flips(position, nth=5):
    """One bit of the nth message."""

    def talk(peer):
        for number, message in enumerate(peer.messages(SIZE)):
            peer.send(flip(message, position) if number == nth else message)

    return talk


class Wrong(client.ClientTest):
    def assert_found(self, talk, *words, kinds=("wrong_bytes",), **options):
        server = self.serve(talk, **options)
        result = client.load("echo", server.target, "--size", SIZE, "--requests", 200, "--timeout", "2s",
                             "--duration", "3s", *words)
        self.assert_error(result, *kinds)
        self.assert_bounded(result, 6)
        return result

    def test_one_bit(self):
        for position in (0, 1, 31, 62, 63):
            with self.subTest(position=position):
                self.assert_found(flips(position))

    def test_one_bit_of_the_first_message(self):
        self.assert_found(flips(0, nth=0))

    def test_one_bit_while_others_are_right(self):
        def talk(peer):
            return flips(17)(peer) if peer.number == 2 else echo(peer)

        result = self.assert_found(talk)
        self.assertGreater(result.target["messages"], 50, "the other connections go on")

    def test_one_bit_in_a_large_message(self):
        size = 300_000

        def talk(peer):
            for message in peer.messages(size):
                peer.send(flip(message, size - 2))

        self.assert_found(talk, "--size", size, "--requests", 8)

    def test_one_bit_in_the_warm_up(self):
        server = self.serve(flips(9, nth=0))
        result = client.load("echo", server.target, "--warmup", "300ms", "--duration", "300ms")
        self.assert_error(result, "wrong_bytes")

    def test_bytes_of_another_connection(self):
        # Each answers with what the other one has asked.
        meeting = threading.Barrier(2, timeout=20)
        asked = [b"", b""]

        def talk(peer):
            me = peer.number % 2
            asked[me] = peer.receive(SIZE)
            try:
                meeting.wait()
            except threading.BrokenBarrierError:
                return
            peer.send(asked[1 - me])
            peer.wait_for_end()

        self.assert_found(talk, "--connections", 2)

    def test_the_message_before(self):
        def talk(peer):
            before = peer.receive(SIZE)
            peer.send(before)
            for message in peer.messages(SIZE):
                peer.send(before)
                before = message

        self.assert_found(talk)

    def test_doubled(self):
        def talk(peer):
            for message in peer.messages(SIZE):
                peer.send(message + message)

        self.assert_found(talk)

    def test_doubled_and_late(self):
        # The second answer comes while nothing is asked, or together with the next one.
        def talk(peer):
            for message in peer.messages(SIZE):
                peer.send(message)
                peer.send(message)

        self.assert_found(talk, "--rate", 200)

    def test_lost_message(self):
        def talk(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                if number != 5:
                    peer.send(message)

        self.assert_found(talk, "--pipeline", 4)

    def test_lost_byte(self):
        def talk(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                peer.send(message[1:] if number == 5 else message)

        self.assert_found(talk, "--pipeline", 4)

    def test_lost_byte_and_nothing_behind_it(self):
        def talk(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                peer.send(message[:-1] if number == 5 else message)

        self.assert_found(talk, "--timeout", "300ms", kinds=("timeout",))

    def test_reordered(self):
        def talk(peer):
            while True:
                first, second = peer.receive(SIZE), peer.receive(SIZE)
                peer.send(second + first)

        self.assert_found(talk, "--pipeline", 4)

    def test_one_byte_more(self):
        def talk(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                peer.send(message + b"x" if number == 5 else message)

        self.assert_found(talk)

    def test_bytes_before_anything_was_asked(self):
        def talk(peer):
            peer.send(b"220 welcome\r\n")
            echo(peer)

        self.assert_found(talk)

    def test_the_right_bytes_before_they_were_sent(self):
        # A server that has learned the contents from a run with the same seed.
        learned = []

        def learn(peer):
            for message in peer.messages(SIZE):
                learned.append(message)
                peer.send(message)

        server = self.serve(learn)
        client.load("echo", server.target, "--size", SIZE, "--requests", 10, "--connections", 1)

        def foresee(peer):
            if peer.number == 0:  # the contents of a later connection are others
                self.assertEqual(peer.receive(SIZE), learned[0])
                peer.send(learned[0] + learned[1] + learned[2])
                peer.receive(2 * SIZE)  # which are answered already
            echo(peer)

        self.assert_found(foresee, "--connections", 1)

    def test_endless_bytes(self):
        def talk(peer):
            peer.receive(SIZE)
            while True:
                peer.send(bytes(65536))

        self.assert_found(talk)

    def test_an_answer_to_everything_but_zeros(self):
        def talk(peer):
            while True:
                peer.send(bytes(len(peer.receive_some())))

        self.assert_found(talk)


class WrongStream(client.ClientTest):
    """--stream: as one endless message."""

    def stream(self, talk, *words):
        server = self.serve(talk)
        return client.load("echo", server.target, "--stream", "--connections", 2, "--duration", "700ms",
                           "--timeout", "5s", *words)

    def test_right(self):
        result = self.stream(echo)
        self.assert_right(result)
        self.assertGreater(result.target["bytes_received"], 1 << 20, "a stream is not a message at a time")

    def assert_found(self, edit):
        def talk(peer):
            echoed = 0
            while True:
                data = peer.receive_some()
                if echoed <= 100_000 < echoed + len(data):
                    echoed += len(data)
                    data = edit(data, 100_000 - (echoed - len(data)))
                else:
                    echoed += len(data)
                peer.send(data)

        result = self.stream(talk)
        self.assert_error(result, "wrong_bytes")
        self.assert_bounded(result, 6)

    def test_one_bit(self):
        self.assert_found(flip)

    def test_lost_byte(self):
        self.assert_found(lambda data, position: data[:position] + data[position + 1:])

    def test_lost_piece(self):
        self.assert_found(lambda data, position: data[:position])

    def test_doubled_piece(self):
        self.assert_found(lambda data, position: data + data[position:])


if __name__ == "__main__":
    client.main()
