"""--trace FILE records what the ring did: each request, completion and buffer, in the kernel's own order.

The server records itself while the tracepoints watch it: its requests against those that the kernel was given, its
completions against those that the kernel made, field by field. Every buffer that came went back.
"""

import socket

from epoll.clients import exchange, noise, read_to_end, same_bytes
from m1.lesson import read_trace
from m3 import requests
from m3 import server as m3

needs = ["tracepoints"]
hint = "A record is made where the thing happens, and the last ones are written when the program ends."


def check(c):
    path = c.temp_dir() / "trace"
    with requests.watched(c, "--trace", path, "--idle-timeout", "300ms") as (server, seen):
        requests.talk_anew(c, server, 20, size=10_000)
        with c.connect(server) as client:
            same_bytes(c, "a large echo", noise(1 << 20), exchange(client, noise(1 << 20)))
            client.shutdown(socket.SHUT_WR)
            read_to_end(client)
        with c.connect(server) as client:
            read_to_end(client, "of a client that is silent for 300 ms")
        m3.stop(c, server)
    ring, records = requests.Requests(seen), read_trace(c, path)
    kernel = [(event["user_data"], event["opcode"]) for event in ring.events if event.name == "submit_req"]
    ours = [(int(record["user_data"], 0), record["opcode"].partition("(")[2].rstrip(")"))
            for kind, record in records if kind == "SqePrepared"]
    c.equal("requests (user_data, opcode)", kernel, ours)
    kernel = [(event["user_data"], event["result"], event["cflags"])
              for event in ring.events if event.name == "complete"]
    ours = [(int(record["user_data"], 0), int(record["res"]), int(record["flags"], 0))
            for kind, record in records if kind == "Cqe"]
    c.equal("completions (user_data, res, flags)", kernel, ours)
    kinds = [kind for kind, _ in records]
    c.equal("buffers that went to the kernel: all, and each that came once more",
            m3.BUFFERS + kinds.count("BufferOut"), kinds.count("BufferIn"))
    c.equal("enters, and returns from them", kinds.count("EnterCall"), kinds.count("EnterReturn"))
    c.note(f"{len(records)} records")

    nowhere = c.run(m3.argv(c, "--trace", path.parent / "no" / "trace"))
    c.equal("exit status when the trace cannot be written", 2, nowhere.status)
    c.contains("its sentence", "trace", nowhere.stderr)
