# SPDX-License-Identifier: ISC
"""The load generator: building it, its server, its clients."""
import json
import pathlib
import select
import subprocess

import procs

SOURCE = pathlib.Path(__file__).parent / "load"


class Failed(Exception):
    """A work that did not end as it must; there is no number for it."""


def build(directory):
    program = directory / "load"
    subprocess.run(["cc", "-std=gnu17", "-O2", "-D_GNU_SOURCE", "-Wall", "-o", program,
                    *sorted(SOURCE.glob("*.c")), "-lssl", "-lcrypto"], check=True)
    return program


class Server:
    def __init__(self, program, cpus):
        self.process = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=procs.pin(cpus))
        self.port = int(self.process.stdout.readline().split()[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Client:
    """One run of a work. It says when it is ready and waits, so that preparing is not measured."""

    def __init__(self, program, cpus, kind, to, source, at_most, **options):
        words = [program, kind, "--to", f"{to[0]}:{to[1]}", "--from", source, "--at-most", at_most]
        for name, value in options.items():
            if value is True:
                words.append(f"--{name}")
            elif value is not None and value is not False:
                words += [f"--{name}", value]
        self.at_most = at_most
        self.process = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=procs.pin(cpus))

    def answer(self):
        """The next line it says."""
        if not select.select([self.process.stdout], [], [], self.at_most + 5)[0]:
            raise Failed(f"the clients said nothing for {self.at_most} s")
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {"failed": "the clients are gone"}
        if "failed" in said:
            raise Failed(said["failed"])
        return said

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.kill()
        self.process.communicate()
