# SPDX-License-Identifier: ISC
from peers.peer import BasePeer


class Peer(BasePeer):
    name = "stunnel"
    programs = ("stunnel",)
    plain = False  # it always has TLS on one side
    tls = True
    version_flag = "-version"

    def command(self, setup):
        conf = setup.write("stunnel.conf", f"""foreground = yes
pid =
debug = 0
syslog = no
[bench]
accept = {setup.listen[0]}:{setup.listen[1]}
connect = {setup.upstream[0]}:{setup.upstream[1]}
cert = {setup.certificate}
sslVersion = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
curves = X25519
""")
        return [self.found[0], conf]
