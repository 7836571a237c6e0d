# SPDX-License-Identifier: ISC
import os

from peers.peer import BasePeer


class Peer(BasePeer):
    name = "hitch"
    programs = ("hitch",)
    plain = False
    tls = True
    version_flag = "--version"

    def command(self, setup):
        user = 'user = "nobody"' if os.geteuid() == 0 else ""  # root must become somebody else
        conf = setup.write("hitch.conf", f"""frontend = {{
    host = "{setup.listen[0]}"
    port = "{setup.listen[1]}"
}}
backend = "[{setup.upstream[0]}]:{setup.upstream[1]}"
pem-file = "{setup.certificate}"
workers = {setup.workers}
{user}
daemon = off
quiet = on
syslog = off
tls-protos = TLSv1.3
ciphersuites = "TLS_AES_128_GCM_SHA256"
ecdh-curve = "X25519"
""")
        return [self.found[0], f"--config={conf}"]
