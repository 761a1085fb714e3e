#!/usr/bin/env python3
"""epoll_reference echo with the bug of edge-triggered servers: one read per event.

    epoll_broken_echo_test.py LOAD_CLIENT EPOLL_REFERENCE [unittest arguments]
"""

import signal

import server_case
from server_case import client


class BrokenMode(server_case.ServerCase):
    def test_the_single_read_bug_hangs_a_client(self):
        server = self.start("echo", "--mode", "broken-et")
        result = client.load("echo", server.target, "--requests", 4, "--size", "700K", "--timeout", "500ms",
                             "--duration", "1s")
        self.assertEqual(result.status, 1, str(result))
        self.assertGreaterEqual(result.errors.get("timeout", 0), 1, str(result))
        # It has not read the ends of these connections either.
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)


if __name__ == "__main__":
    server_case.main()
