"""Gets <linux/io_uring.h> of several ages: Debian's package linux-libc-dev of a suite, unpacked and not installed."""

import pathlib
import subprocess
import tempfile

import tables

DOWNLOADS = tables.REPO / 'build/downloads/linux-libc-dev'
FETCH = tables.REPO / 'tests/debian_fetch'


class Unavailable(Exception):
    """The reason, as a sentence."""


def include_dir(suite):
    """The directory to give to the compiler; kept, so that the second call needs no network."""
    outdir = DOWNLOADS / suite
    result = subprocess.run([str(FETCH), suite, 'linux-libc-dev', str(outdir)], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise Unavailable(result.stderr.strip().splitlines()[-1] if result.stderr.strip()
                          else f'tests/debian_fetch failed for {suite}')
    package = pathlib.Path(result.stdout.strip())
    unpacked = outdir / package.stem
    if not unpacked.exists():
        # Under another name first, so that an interrupted run leaves nothing that looks complete.
        with tempfile.TemporaryDirectory(dir=outdir) as directory:
            subprocess.run(['dpkg-deb', '-x', str(package), directory + '/package'], check=True)
            pathlib.Path(directory, 'package').rename(unpacked)
    return unpacked / 'usr/include'
