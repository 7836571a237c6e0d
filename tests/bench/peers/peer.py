# SPDX-License-Identifier: ISC
import dataclasses
import os
import pathlib
import re
import resource
import shutil
import subprocess
DESCRIPTORS = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20000)  # a process may have


@dataclasses.dataclass
class Setup:
    """What a proxy is to do."""
    directory: pathlib.Path  # its own, empty
    listen: tuple            # (address, port); service i listens on the i-th address from it on
    upstream: tuple
    certificate: pathlib.Path  # P-256, chain and key in one file
    tls: bool = False        # on the listening side
    workers: int = 1
    services: int = 1
    bulk: bool = False       # what moves is large
    busy_poll: bool = False
    descriptors: int = DESCRIPTORS

    def listens(self):
        """The addresses of all services."""
        first = int.from_bytes(map(int, self.listen[0].split(".")), "big")
        for i in range(self.services):
            yield ".".join(map(str, (first + i).to_bytes(4, "big")))

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path


class BasePeer:
    name = ""
    programs = ()        # that must be there
    plain = True
    tls = False
    version_flag = "-v"
    most_workers = 64
    many_services = False
    proxy = True         # false for "direct"

    def __init__(self):
        self.found = [self._find(p) for p in self.programs]

    @staticmethod
    def _find(program):
        if "/" in program:
            return program if os.access(program, os.X_OK) else None
        return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def why_not(self):
        missing = [p for p, found in zip(self.programs, self.found) if not found]
        return f"{', '.join(missing)} not installed" if missing else None

    def cannot(self, work):
        """Why this peer has no part in a work, or None."""
        if work.tls and not self.tls or not work.tls and not self.plain:
            return "not for " + ("TLS" if work.tls else "plain connections")
        if work.workers > self.most_workers:
            return "has one worker"
        if work.services > 1 and not self.many_services:
            return "not looked at"
        return None

    def version(self):
        run = subprocess.run([self.found[0], self.version_flag], capture_output=True, text=True, timeout=10)
        number = re.search(r"\b\d+\.\d[\w.+~-]*|systemd \d+ \([^)]*\)", run.stdout + run.stderr)
        return f"{self.name} {number[0]}" if number else self.name

    def command(self, setup):
        """Writes the configuration; returns the command line."""
        raise NotImplementedError
