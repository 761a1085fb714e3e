"""A copy that fails says why in one sentence, ends with status 1, and leaves no half file behind.

It is refused (the same file, no such file, a directory), runs out of room (/dev/full, ulimit -f), or is stopped by a
signal while it waits. Afterwards the source is intact, a destination that was there is as it was, and one that was not
there is not.
"""

import os
import signal

from m1.lesson import argv, make_file, run_lesson, same_bytes

tier = "quick"
timeout = 120
hint = ["Write into a file of another name beside the destination, and rename it when all is written.",
        "A signal that ends the copy is a completion too (a poll of a signalfd): then there is time to tidy up."]


def copy_fails(c, *words, says, limit=""):
    shell = ["bash", "-c", f'{limit}exec "$@"', "bash"] if limit else []
    result = c.run([*shell, *argv(c, "copy", *words)])
    c.equal("exit status", 1, result.status, usually=result.stderr or "It said nothing.")
    c.equal("lines of the message", 1, result.stderr.count("\n"))
    c.contains("the message", says, result.stderr)


def check_refused(c, folder, source):
    before = source.read_bytes()
    os.link(source, folder / "hard link")
    os.symlink(source, folder / "symbolic link")
    for same in ("source", "hard link", "symbolic link"):
        copy_fails(c, source, folder / same, says="are the same file")
        c.expect(source.read_bytes() == before, f"the source, copied to its {same}", expected="intact", seen="changed",
                 usually="The destination was emptied before anybody saw that it is the source.")
    copy_fails(c, folder / "missing", folder / "copy", says="ENOENT")
    copy_fails(c, folder, folder / "copy", says="EISDIR")
    secret = make_file(folder / "secret", 10)
    secret.chmod(0)
    if not os.access(secret, os.R_OK):  # root may read it all the same
        copy_fails(c, secret, folder / "copy", says="EACCES")
    copy_fails(c, source, folder / "missing" / "copy", says="ENOENT")
    wrong = c.run(argv(c, "copy", "--depth", "none", source, folder / "copy"))
    c.equal("exit status with a bad option", 2, wrong.status)


def check_no_room(c, folder, source):
    copy_fails(c, source, "/dev/full", says="ENOSPC")
    copy_fails(c, source, folder / "copy", says="EFBIG", limit="ulimit -f 8; ")
    old = make_file(folder / "old", 5000)
    before = old.read_bytes()
    copy_fails(c, source, old, says="EFBIG", limit="ulimit -f 8; ")
    c.expect(old.exists() and old.read_bytes() == before, "a destination that was there before", expected="as it was",
             seen="changed")


def check_signal(c, folder, number):
    """Stopped in the middle: the FIFO has given some bytes, and no more come."""
    os.mkfifo(folder / "fifo")
    copying = c.start(argv(c, "copy", folder / "fifo", folder / "copy"), first_line=None)
    with open(folder / "fifo", "wb", buffering=0) as fifo:
        size = 4000 + number  # like no other file here
        fifo.write(bytes(size))
        c.expect(c.wait_until(lambda: size in [path.stat().st_size for path in folder.iterdir()], 20),
                 "the first bytes", expected="they are written somewhere beside the destination", seen="they are not")
        c.stop(copying, number, status=1, fds_may_differ="it is in the middle of its work")
    c.contains("the message", f"stopped by {signal.Signals(number).name}", copying.stderr())
    os.unlink(folder / "fifo")


def check(c):
    # A shell starts background jobs with SIGINT ignored, and the copy would rightly go on ignoring it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = c.temp_dir()
    source = make_file(folder / "source", 2_000_000)
    check_refused(c, folder, source)
    expected = sorted(path.name for path in folder.iterdir())
    check_no_room(c, folder, source)
    for number in (signal.SIGINT, signal.SIGTERM):
        check_signal(c, folder, number)
    left = sorted(path.name for path in folder.iterdir())
    c.equal("files in the folder after all of it", sorted([*expected, "old"]), left,
            usually="A half file was left: what was begun is removed on every way out, the signal's too.")
    run_lesson(c, "copy", source, folder / "copy")
    same_bytes(c, "a copy at last", source, folder / "copy")
