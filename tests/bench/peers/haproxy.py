# SPDX-License-Identifier: ISC
from peers.peer import BasePeer


class Peer(BasePeer):
    name = "haproxy"
    programs = ("haproxy",)
    tls = True
    many_services = True

    def command(self, setup):
        tls = ""
        if setup.tls:
            tls = (f" ssl crt {setup.certificate} ssl-min-ver TLSv1.3"
                   " ciphersuites TLS_AES_128_GCM_SHA256 curves X25519")
        # "splice-auto" never engages here; with small messages splicing costs more than it saves.
        splice = "option splice-request\n    option splice-response" if setup.bulk else ""
        # Two descriptors a connection, and with splicing half a one for pipes.
        connections = (setup.descriptors - setup.services) * 35 // 100
        services = "\n".join(f"""listen s{i}
    bind {address}:{setup.listen[1]}{tls}
    server up {setup.upstream[0]}:{setup.upstream[1]}"""
                             for i, address in enumerate(setup.listens()))
        conf = setup.write("haproxy.cfg", f"""global
    nbthread {setup.workers}
    maxconn {connections}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    {splice}
{services}
""")
        return [self.found[0], "-db", "-f", conf]
