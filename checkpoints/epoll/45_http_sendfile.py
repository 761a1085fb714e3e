"""Large files go from the page cache to the socket by sendfile; small ones in one write with their head.

strace shows which call carries a file of 8 MiB and one of 100 bytes; and --no-sendfile does without.
"""

from epoll import servers
from epoll.http_client import HttpClient, make_file
from epoll.limits import EVERY_CALL
from epoll.wire_http import HELLO, small_tree

needs = ["strace"]
hint = "sendfile saves the copy through user space, and costs a system call: below some size the call costs more."

SENDS = ("sendto", "sendmsg", "write", "writev", "send")


def calls_for(c, *options):
    root = small_tree(c)
    data = make_file(root / "large", 8 << 20).read_bytes()
    server = c.start(servers.files(c, "--root", root, *options), strace_calls=EVERY_CALL)
    with HttpClient(c, server) as client:
        c.expect(client.ask("/large").body == data, "the large file", expected="its bytes", seen="others")
        large = server.live_trace.read()
        c.equal("the small file", HELLO, client.ask("/hello.txt").body)
        every = server.live_trace.read()
    servers.stop_files(c, server)
    return large, every


def check(c):
    large, every = calls_for(c)
    sent = sum(call.result for call in large.named("sendfile") if not call.errno)
    c.equal("bytes of the large file that sendfile sent", 8 << 20, sent,
            usually="It is read into memory and written from there.")
    c.equal("sendfile calls for the small file", large.count("sendfile"), every.count("sendfile"),
            usually="A head and a small body fit into one write.")
    c.at_most("writes for the small file", 1, every.count(*SENDS) - large.count(*SENDS),
              usually="Head and body are written one after the other: two packets, two calls.")
    large, every = calls_for(c, "--no-sendfile")
    c.equal("sendfile calls with --no-sendfile", 0, every.count("sendfile"))
