"""A copy through the ring has the source's bytes, whatever its size.

A file of 100 MiB (--full: 1 GiB) is compared by SHA-256; small files around the sizes of pages and blocks byte for
byte; and a file of procfs, whose size nobody knows before it is read to its end.
"""

from pathlib import Path

from m1.lesson import make_file, run_lesson, same_bytes, sha256

tier = "quick"
timeout = 240
hint = ["Every READ and WRITE says its offset. A block goes on where it stopped, and the next begins where it ends.",
        "stat says that a file of procfs has 0 bytes. Only a read that gives 0 is the end of a file."]

BLOCK = 1024 * 1024
SIZES = [0, 1, 4095, 4096, 4097, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK, 4 * BLOCK + 1]


def check(c):
    folder = c.temp_dir()
    mib = c.choose(quick=16, default=100, full=1024)
    large = make_file(folder / "large", mib << 20)
    run_lesson(c, "copy", large, folder / "large copy")
    c.equal(f"SHA-256 of the copy of {mib} MiB", sha256(large), sha256(folder / "large copy"),
            usually="A block was written to the wrong place, or from a buffer that was filled again already.")

    for size in SIZES:
        source = make_file(folder / f"{size}", size)
        run_lesson(c, "copy", source, folder / "copy")
        c.equal(f"bytes of the copy of {size}", size, (folder / "copy").stat().st_size)
        same_bytes(c, f"the copy of {size} bytes", source, folder / "copy")
    # Blocks that fit nowhere: a short one at the end, and completions in any order.
    source = make_file(folder / "odd", 100_003)
    run_lesson(c, "copy", "--block-size", 1000, "--depth", 7, source, folder / "copy")
    c.equal("SHA-256 of a copy in blocks of 1000 bytes", sha256(source), sha256(folder / "copy"))

    version = Path("/proc/version")
    run_lesson(c, "copy", version, folder / "version")
    c.equal("/proc/version", (0, version.read_text()), (version.stat().st_size, (folder / "version").read_text()),
            usually="The size that stat gives was believed.")
    c.none("other files left behind", [path.name for path in folder.iterdir() if path.name.startswith(".")])
