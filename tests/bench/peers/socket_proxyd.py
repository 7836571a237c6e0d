# SPDX-License-Identifier: ISC
from peers.peer import DESCRIPTORS, BasePeer


class Peer(BasePeer):
    """systemd-socket-proxyd, which takes its socket from a service manager."""
    name = "socket-proxyd"
    programs = ("/lib/systemd/systemd-socket-proxyd", "systemd-socket-activate")
    most_workers = 1
    version_flag = "--version"

    def cannot(self, work):
        # Two sockets, and a pipe for each direction.
        if work.links * 6 + 100 > DESCRIPTORS:
            return f"needs six descriptors a connection, and has {DESCRIPTORS}"
        return super().cannot(work)

    def command(self, setup):
        return [self.found[1], "-l", "{}:{}".format(*setup.listen),
                self.found[0], "-c", "9000", "{}:{}".format(*setup.upstream)]
