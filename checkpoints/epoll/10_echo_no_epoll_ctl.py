"""A message costs three system calls, and none of them is epoll_ctl.

Eight clients play ping-pong with 64 bytes, 800 messages in all. strace counts: epoll_ctl for the connections, and for
each message a wait, a receive and a send.
"""

import time

from epoll import servers
from epoll.clients import exchange, noise
from epoll.limits import EVERY_CALL

needs = ["strace"]
hint = ["Send first; arm EPOLLOUT only for what the socket did not take.",
        "A registration stays: level-triggered needs no re-arming."]

CLIENTS, MESSAGES = 8, 100


def check(c):
    server = c.start(servers.echo(c), strace_calls=EVERY_CALL)
    clients = [c.connect(server) for _ in range(CLIENTS)]
    for client in clients:
        exchange(client, b"hello")
    begin = time.time()
    for number in range(MESSAGES):
        for client in clients:
            message = noise(64, seed=number)
            c.equal("echo", message, exchange(client, message))
    calls = server.live_trace.read(since=begin)
    messages = CLIENTS * MESSAGES
    c.at_most(f"epoll_ctl calls for {messages} messages", CLIENTS, calls.count("epoll_ctl"),
              usually="EPOLLOUT is armed for each answer, or the descriptor registered anew (EPOLLONESHOT).")
    c.at_most(f"system calls for {messages} messages", 3 * messages + 10 * CLIENTS, len(calls),
              usually="A read that only finds EAGAIN, or a clock or timer call for each message.")
    for client in clients:
        client.close()
    c.wait_until(lambda: c.count_fds(server.pid) == server.fds_at_start)
    c.at_most("epoll_ctl calls in all", 2 * CLIENTS + 10, server.live_trace.read().count("epoll_ctl"))
    c.stop(server)
