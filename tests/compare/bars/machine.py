"""What a reader must know of the machine to read the numbers."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("libuv1-dev", "libevent-dev", "libasio-dev", "liburing-dev", "nginx")


def cpu_model():
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def versions():
    """Of what is compared with, where a package manager tells them."""
    if shutil.which("dpkg-query") is None:
        return ""
    known = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${Version}, ", *PACKAGES],
        capture_output=True, text=True, check=False).stdout  # fmt: skip
    return known.strip(", ")


def line():
    return f"Linux {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs ({cpu_model()})"


def load_average():
    return os.getloadavg()[0]
