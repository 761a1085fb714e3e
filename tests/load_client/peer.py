"""Servers that a test scripts: each accepted connection runs a function of the test in a thread of its own.

    def flipped(peer):
        for message in peer.messages(64):
            peer.send(bytes([message[0] ^ 1]) + message[1:])

    with Server(flipped) as server:
        ... server.target ...

Everything is bounded: no receive or send waits longer than LIFE_S, and close() ends all threads.
"""

import contextlib
import socket
import struct
import threading
import time

LIFE_S = 60
JOIN_LIMIT_S = 10


class Gone(Exception):
    """The client has closed the connection."""


class Peer:
    """One accepted connection, seen from the server."""

    def __init__(self, connection, number):
        connection.settimeout(LIFE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.number = number  # 0, 1, ... in the order of accepting
        self.received = 0  # bytes
        self.sent = 0
        self.answered = 0  # for the test's own use

    def receive_some(self, limit=1 << 16):
        data = self.socket.recv(limit)
        if not data:
            raise Gone
        self.received += len(data)
        return data

    def receive(self, size):
        """Exactly `size` bytes."""
        data = bytearray()
        while len(data) < size:
            data += self.receive_some(size - len(data))
        return bytes(data)

    def messages(self, size):
        while True:
            yield self.receive(size)

    def send(self, data):
        self.socket.sendall(data)
        self.sent += len(data)

    def is_quiet(self, seconds):
        """Whether nothing comes for so long."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(LIFE_S)

    def send_end(self):
        """FIN: nothing more comes from here. Reads on to the client's end, since closing with bytes
        unread would send a reset."""
        self.socket.shutdown(socket.SHUT_WR)
        while self.socket.recv(1 << 16):
            pass

    def reset(self):
        """RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_for_end(self):
        """Stays silent until the client has closed the connection."""
        while True:
            self.receive_some()


class Server:
    def __init__(self, talk, address="127.0.0.1", send_buffer=0, receive_buffer=0):
        self._talk = talk
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        # Accepted sockets inherit these; a buffer that was set is not grown by the kernel.
        if send_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((address, 0))
        self._listener.listen(512)
        self._threads = []
        self.peers = []
        self.failures = []  # what a talk raised and should not have
        host, self.port = self._listener.getsockname()[:2]
        self.target = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def accepted(self):
        return len(self.peers)

    def received(self):
        return sum(peer.received for peer in self.peers)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed
            peer = Peer(connection, len(self.peers))
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer):
        try:
            self._talk(peer)
        except (OSError, Gone):
            pass  # the end that every connection comes to
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(repr(error))
        finally:
            peer.socket.close()

    def stop_listening(self):
        """From here on the kernel refuses."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accept
        self._listener.close()

    def vanish(self):
        """As if the process had been killed."""
        self.stop_listening()
        for peer in list(self.peers):
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)

    def wait_for_ends(self, limit_s=5):
        """Until every connection has ended. A client that is gone has closed all, but the news of it may
        lag behind its end."""
        deadline = time.monotonic() + limit_s
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            time.sleep(0.005)

    def close(self):
        self.vanish()
        deadline = time.monotonic() + JOIN_LIMIT_S
        for thread in [self._acceptor, *self._threads]:
            thread.join(max(0, deadline - time.monotonic()))


def echo(peer):
    """The right answer."""
    while True:
        peer.send(peer.receive_some())


def unused_port():
    """A socket that holds a port on which nobody listens, for as long as it is open."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder
