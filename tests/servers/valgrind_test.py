#!/usr/bin/env python3
"""epoll_reference under valgrind: no invalid access and no leak in a short churn. Skipped (77) without valgrind.

    valgrind_test.py LOAD_CLIENT EPOLL_REFERENCE OPENAT2_FOR_VALGRIND [unittest arguments]

It sees what the sanitizers do not: reads of memory that was never written. The last program argument is a library that
is preloaded, see openat2_for_valgrind.cpp.
"""

import os
import shutil
import sys

import http_case
import server_case

PRELOADED = ""
MEMORY_ERROR = 99
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={MEMORY_ERROR}", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible"]


class UnderValgrind(http_case.HttpCase):
    def check_end(self, server):
        self.assert_ends_well(server, kept=len(self.contents) + 1)
        self.assertNotIn("==", server.stderr())

    def test_echo(self):
        for mode in ("lt", "et"):
            with self.subTest(mode=mode):
                server = self.start("echo", "--mode", mode, "--max-buffered", "64K", run_under=VALGRIND)
                self.load("echo", server, "--requests", 300, "--requests-per-connection", 3, "--timeout", "60s",
                          "--duration", "60s")
                self.load("echo", server, "--requests", 8, "--size", "700K", "--timeout", "60s", "--duration", "60s")
                server.report()
                self.check_end(server)

    def test_http(self):
        server = self.serve(run_under=VALGRIND, env={**os.environ, "LD_PRELOAD": PRELOADED})
        self.load_http(server, "--paths", "/1000.bin,/100000.bin,/0.bin,/", "--requests", 200, "--pipeline", 2,
                       "--requests-per-connection", 5, "--timeout", "60s", "--duration", "60s")
        connection = self.connection(server)
        connection.send(b"GARBAGE\r\n\r\n")
        self.assertEqual(connection.receive().status, 400)
        connection.socket.close()
        server.report()
        self.check_end(server)


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        sys.exit(77)
    PRELOADED = sys.argv.pop(3)
    server_case.main()
