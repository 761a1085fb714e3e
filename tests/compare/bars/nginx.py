"""nginx as a child of ours: one process, a configuration and a folder of its own, a free port of
the loopback interface. The system's service and its configuration are not touched."""

import os
import shutil
import socket
from pathlib import Path

from . import servers
from .failed import Failed

# One process does what a worker does. Everything that costs time and that the comparison does not
# need is off; files stay open for the whole run; no connection is closed after some number of
# requests.
CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 16384;
events {{
  use epoll;
  worker_connections 12000;
  multi_accept on;
}}
http {{
  access_log off;
  server_tokens off;
  etag off;
  default_type application/octet-stream;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  tcp_nodelay on;
  sendfile {sendfile};
  tcp_nopush {nopush};
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  open_file_cache_min_uses 1;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {root};
  }}
}}
"""

# name -> (sendfile, tcp_nopush). tcp_nopush does nothing without sendfile.
FORMS = {
    "nginx_sendfile": ("on", "off"),
    "nginx_sendfile_nopush": ("on", "on"),
    "nginx_read": ("off", "off"),
}

PORT_TRIES = 5


def program():
    """Debian has it where only root looks."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if found is None:
        raise Failed("nginx is not installed")
    return found


def start(name, folder, root, cpu):
    """The form FORMS[name], serving what is below `root`; its own files are in `folder`."""
    said = ""
    for _ in range(PORT_TRIES):
        port = free_port()
        child = launch_on(port, name, folder, root, cpu)
        with servers.stopped_unless_started(child):
            servers.wait_until(lambda: accepts(port) or child.poll() is not None, servers.START_TIMEOUT_S)
            if child.poll() is None and accepts(port):
                return servers.Server(name, child, f"127.0.0.1:{port}")
            said = servers.last_words(child)
        if "Address already in use" not in said:
            break
    raise Failed(f"{name} did not start: {said}")


def launch_on(port, name, folder, root, cpu):
    sendfile, nopush = FORMS[name]
    own = Path(folder) / name
    own.mkdir(exist_ok=True)
    configuration = own / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(
        folder=own, root=root, port=port, sendfile=sendfile, nopush=nopush))
    return servers.launch(servers.pinned(
        cpu, [program(), "-e", "stderr", "-p", own, "-c", configuration]))


def free_port():
    """Somebody may take it before nginx does; start() then tries another one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
