"""Connects and waits: watch_closings.py ADDRESS PORT COUNT SECONDS FILE

A program of its own, so that nothing else keeps it from seeing the end of a connection when it comes. It prints
`connected COUNT`, waits until all have ended or the seconds are over, and writes when each ended, as a JSON object:
local port -> CLOCK_MONOTONIC in ns.
"""

import gc
import json
import resource
import select
import socket
import sys
import time


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def main(address, port, count, seconds, path):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()
    watched, ended_ns = {}, {}
    poll = select.epoll()

    def look(timeout_s):
        for fd, _ in poll.poll(timeout_s):
            seen_ns = now_ns()
            client, local_port = watched.pop(fd)
            ended_ns[local_port] = seen_ns
            client.close()  # takes it out of the epoll as well

    for number in range(count):
        client = socket.create_connection((address, port))
        watched[client.fileno()] = (client, client.getsockname()[1])
        poll.register(client.fileno(), select.EPOLLIN | select.EPOLLRDHUP)
        if number % 20 == 0:
            look(0)
    print(f"connected {count}", flush=True)
    end = time.monotonic() + seconds
    while watched and time.monotonic() < end:
        look(1)
    with open(path, "w") as file:
        json.dump(ended_ns, file)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
