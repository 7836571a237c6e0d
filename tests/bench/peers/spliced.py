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
        if work.busy_poll and not self._busy_poll_text():
            return "this spliced has no busy-poll"
        return super().cannot(work)

    def _busy_poll_text(self):
        """What the program takes for it, which may be older than the directive; "" when nothing."""
        if self._busy_poll is None:
            both = 'listen-socket: { busy-poll = "50us" } connect-socket: { busy-poll = "50us" }'
            tried = (both, both.partition(" connect")[0])
            self._busy_poll = next(filter(self._takes, tried), "")
        return self._busy_poll

    def _takes(self, directives):
        text = 'services: { a: { listen = "127.0.0.1:7"; connect = "127.0.0.1:9"; ' + directives + " } }"
        run = subprocess.run([self.found[0], "-t", "-e", text], capture_output=True, timeout=10)
        return run.returncode == 0

    def command(self, setup):
        tls = ""
        if setup.tls:
            tls = (f'listen-tls: {{ certificate = "{setup.certificate}"; min-version = "1.3"; '
                   'ciphersuites = "TLS_AES_128_GCM_SHA256"; groups = "X25519" }')
        upstream = "{}:{}".format(*setup.upstream)
        busy_poll = self._busy_poll_text() if setup.busy_poll else ""
        services = "\n".join(
            f'    s{i}: {{ listen = "{address}:{setup.listen[1]}"; connect = "{upstream}"; '
            f"{tls} {busy_poll} }}"
            for i, address in enumerate(setup.listens()))
        conf = setup.write("spliced.conf", f"""workers = {setup.workers}
log: {{ level = "error"; target = "stderr"; access = "off" }}
services: {{
{services}
}}
""")
        return [self.found[0], "-c", conf]
