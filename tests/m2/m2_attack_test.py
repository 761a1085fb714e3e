#!/usr/bin/env python3
"""What clients have made m2_file_server waste, once: each of these attacks has worked.

    m2_attack_test.py LOAD_CLIENT M2_FILE_SERVER [unittest arguments]
"""

import os
import random
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))
import http_case
import server_case
from raw_http import request
from server_case import client

HUGE_BYTES = 16 << 20  # more than the sockets of a connection hold


class Attacks(http_case.HttpCase):
    def counters(self, server):
        return server.report().counters

    def half_closed_client(self, server):
        connection = self.connection(server, receive_buffer=4096)
        connection.send(request("/huge.bin"))
        connection.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.wait_until(lambda: self.counters(server)["sends_blocked"] > 0))
        return connection

    def check_half_closed(self, *words):
        self.write("huge.bin", random.Random(9).randbytes(HUGE_BYTES))
        server = self.serve(*words)
        connection = self.half_closed_client(server)
        before = self.counters(server)["turns"]
        time.sleep(1)
        self.assertLess(self.counters(server)["turns"] - before, 500, "it asks the socket again and again")
        self.assert_still_serves(server)
        self.assert_file(connection.receive(), "huge.bin")
        connection.socket.close()
        self.assert_http_ends_well(server)

    def test_who_has_shut_down_its_side_and_does_not_read_costs_no_cpu(self):
        self.check_half_closed()

    def test_the_same_through_a_pipe(self):
        self.check_half_closed("--splice", "--buffers", "8")

    def test_the_same_with_one_buffer_which_others_need(self):
        self.check_half_closed("--buffers", "1")

    def test_who_has_shut_down_its_side_is_closed_for_silence(self):
        self.write("huge.bin", random.Random(9).randbytes(HUGE_BYTES))
        server = self.serve("--idle-timeout", "300ms")
        self.half_closed_client(server)
        self.assertTrue(client.wait_until(lambda: self.counters(server)["closed_idle"] == 1))
        self.assert_http_ends_well(server)

    def test_folders_and_fifos_are_no_files_that_refuse_direct_reads(self):
        os.mkdir(os.path.join(self.root, "folder"))
        os.mkfifo(os.path.join(self.root, "fifo"))
        server = self.serve("--direct")
        with self.connection(server) as connection:
            self.assertEqual(connection.get("/folder").status, 301)
            self.assertEqual(connection.get("/fifo").status, 404)
        self.assertEqual(self.counters(server)["direct_fallbacks"], 0)
        self.assertNotIn("O_DIRECT", server.stderr())
        self.assert_http_ends_well(server)


if __name__ == "__main__":
    server_case.main()
