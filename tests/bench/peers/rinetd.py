# SPDX-License-Identifier: ISC
from peers.peer import BasePeer


class Peer(BasePeer):
    name = "rinetd"
    programs = ("rinetd",)
    most_workers = 1
    many_services = True

    def command(self, setup):
        conf = setup.write("rinetd.conf", "\n".join(
            f"{address} {setup.listen[1]} {setup.upstream[0]} {setup.upstream[1]}"
            for address in setup.listens()) + "\n")
        return [self.found[0], "-f", "-c", conf]
