"""What we have built, by name."""

from dataclasses import dataclass
from pathlib import Path

from .failed import Failed


@dataclass
class Programs:
    build: Path

    @property
    def epoll_reference(self):
        return self._built("docs/epoll_reference/epoll_reference", "epoll_reference")

    @property
    def file_server(self):
        return self._built("m2_file_server/m2_file_server", "m2_file_server")

    @property
    def network_server(self):
        return self._built("m3_network_server/m3_network_server", "m3_network_server")

    @property
    def load_client(self):
        return self._built("checkpoints/load_client/load_client", "load_client")

    def library(self, name):
        return self._built(f"tests/compare/echo_{name}", "compare")

    def _built(self, path, goal):
        if not (self.build / path).is_file():
            raise Failed(f"{self.build / path} is not built: ninja -C {self.build} {goal} "
                         "(tests/compare/README.md names the packages)")
        return self.build / path
