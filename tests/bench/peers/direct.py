# SPDX-License-Identifier: ISC
from peers.peer import BasePeer


class Peer(BasePeer):
    """No proxy: the clients talk to the server, which says how fast the load itself can be."""
    name = "direct"
    proxy = False
    many_services = True

    def version(self):
        return "no proxy"

    def cannot(self, work):
        return "nothing to measure" if work.kind == "hold" else super().cannot(work)
