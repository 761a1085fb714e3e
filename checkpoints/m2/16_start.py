"""The first command shows a page; an impossible start ends with status 2 and a sentence that names what is wrong.

Without --root there is an index; it listens on IPv6 too; accepted sockets have TCP_NODELAY. Bad options, a port that is
taken, addresses that nobody has, a root that is missing, and options that contradict each other are refused.
"""

from epoll import limits, servers
from epoll.http_client import HttpClient
from epoll.talks import Files
from m2 import server as m2

needs = ["kernel>=5.6"]
tier = "quick"
hint = "The sentence names the option and its value: 'it did not work' is no help."


def check_example(c):
    server = c.start(m2.argv(c))
    with HttpClient(c, server) as client:
        answer = client.ask("/")
        c.equal("status of / without a --root", 200, answer.status)
        c.equal("its type", "text/html", answer["content-type"].partition(";")[0])
        c.contains("the page", "<html", answer.body.decode())
    servers.stop_files(c, server)


def check(c):
    check_example(c)
    limits.ipv6(c, m2.argv(c), Files(c))
    limits.no_delay(c, m2.argv(c), Files(c))
    program = c.program(m2.PROGRAM)
    limits.impossible_starts(c, [program])
    root = c.temp_dir()
    limits.refuses(c, [program], "--root", str(root / "missing"), says="missing")
    (root / "file").write_text("no folder")
    limits.refuses(c, [program], "--root", str(root / "file"), says="file")
    limits.refuses(c, [program], "--buffers", "0", says="buffers")
    limits.refuses(c, [program], "--buffer-size", "1000000000000", says="buffer-size")
    limits.refuses(c, [program], "--read-ahead", "0", says="read-ahead")
    limits.refuses(c, [program], "--port", "0", "--direct", "--splice", says="--splice")
