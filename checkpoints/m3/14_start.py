"""The first command serves; an impossible start ends with status 2 and a sentence that names what is wrong.

It listens on IPv6 too; accepted sockets have TCP_NODELAY. Bad options, a port that is taken, addresses that nobody has,
and numbers of buffers that the kernel would refuse are refused.
"""

from epoll import limits
from m3 import server

needs = ["kernel>=5.6"]
tier = "quick"
hint = ["TCP_NODELAY on the listener is inherited: one setsockopt for all connections.",
        "The sentence names the option and its value: 'it did not work' is no help."]


def check(c):
    limits.ipv6(c, server.argv(c), server.Ring())
    limits.no_delay(c, server.argv(c), server.Ring())
    program = c.program(server.PROGRAM)
    limits.impossible_starts(c, [program])
    for option, value in (("--buffers", "0"), ("--buffers", "1000"), ("--buffers", "65536"), ("--buffer-size", "63"),
                          ("--buffer-size", "2M"), ("--send-buffers", "0"), ("--send-buffers", "65"),
                          ("--batch-wait", "11ms"), ("--max-buffered", "lots"), ("--trace", "/nowhere/trace")):
        limits.refuses(c, [program], "--port", "0", option, value, says=option.lstrip("-"))
