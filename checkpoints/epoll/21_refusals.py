"""A start that is impossible ends with status 2 and one sentence that names what is wrong.

Bad options, a port that is taken, addresses that nobody has, a root that is missing; for both servers.
"""

from epoll import limits, servers

tier = "quick"
hint = "The sentence names the option and its value: 'it did not work' is no help."


def check(c):
    program = c.program(servers.PROGRAM)
    limits.impossible_starts(c, [program, "echo"])
    root = c.temp_dir()
    limits.impossible_starts(c, [program, "http", "--root", str(root)])
    limits.refuses(c, [program], "echo", "--mode", "sideways", says="mode")
    limits.refuses(c, [program], "gopher", says="gopher")
    limits.refuses(c, [program], "http", "--root", str(root / "missing"), says="missing")
    (root / "file").write_text("no folder")
    limits.refuses(c, [program], "http", "--root", str(root / "file"), says="file")
