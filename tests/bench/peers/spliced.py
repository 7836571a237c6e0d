# SPDX-License-Identifier: ISC
import subprocess

from peers.peer import BasePeer


class Peer(BasePeer):
    name = "spliced"
    tls = True
    version_flag = "-V"
    many_services = True

    def __init__(self, program):
        self.programs = (str(program),)
        super().__init__()
        self._busy_poll = None

    def why_not(self):
        missing = super().why_not()
        return missing and missing.replace("not installed", "not built (see --spliced)")

    def cannot(self, work):
        if work.busy_poll and not self._can_busy_poll():
            return "this spliced has no busy-poll"
        return super().cannot(work)

    def _can_busy_poll(self):
        """Asks the program, which may be older than the directive."""
        if self._busy_poll is None:
            text = ('services: { a: { listen = "127.0.0.1:7"; connect = "echo"; '
                    + self._sockets(True) + " } }")
            run = subprocess.run([self.found[0], "-t", "-e", text], capture_output=True, timeout=10)
            self._busy_poll = run.returncode == 0
        return self._busy_poll

    @staticmethod
    def _sockets(busy_poll):
        return 'listen-socket: { busy-poll = "50us" }' if busy_poll else ""

    def command(self, setup):
        tls = ""
        if setup.tls:
            tls = (f'listen-tls: {{ certificate = "{setup.certificate}"; min-version = "1.3"; '
                   'ciphersuites = "TLS_AES_128_GCM_SHA256"; groups = "X25519" }')
        upstream = "{}:{}".format(*setup.upstream)
        services = "\n".join(
            f'    s{i}: {{ listen = "{address}:{setup.listen[1]}"; connect = "{upstream}"; '
            f"{tls} {self._sockets(setup.busy_poll)} }}"
            for i, address in enumerate(setup.listens()))
        conf = setup.write("spliced.conf", f"""workers = {setup.workers}
log: {{ level = "error"; target = "stderr"; access = "off" }}
services: {{
{services}
}}
""")
        return [self.found[0], "-c", conf]
