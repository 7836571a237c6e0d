# SPDX-License-Identifier: ISC
import os
import re
import subprocess

from peers.peer import BasePeer

MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


class Peer(BasePeer):
    name = "nginx"
    programs = ("nginx",)
    tls = True
    many_services = True

    def why_not(self):
        if super().why_not() or os.path.exists(MODULE) or self._stream_inside():
            return super().why_not()
        return "nginx's stream module not installed"

    def _stream_inside(self):
        run = subprocess.run([self.found[0], "-V"], capture_output=True, text=True, timeout=10)
        return re.search(r"--with-stream(\s|$)", run.stderr)

    def command(self, setup):
        load = f"load_module {MODULE};" if os.path.exists(MODULE) else ""
        tls = ""
        if setup.tls:
            tls = (f"ssl_certificate {setup.certificate}; ssl_certificate_key {setup.certificate};"
                   " ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;"
                   " ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;")
        # "reuseport" is for spreading over workers; nginx makes a socket a worker for each address.
        flags = (" ssl" if setup.tls else "") + (" reuseport" if setup.services == 1 else "")
        services = "\n".join(f"""    server {{
        listen {address}:{setup.listen[1]}{flags};
        proxy_pass {setup.upstream[0]}:{setup.upstream[1]};
        {tls}
    }}""" for address in setup.listens())
        conf = setup.write("nginx.conf", f"""{load}
daemon off;
pid {setup.directory}/nginx.pid;
error_log {setup.directory}/error.log crit;
worker_processes {setup.workers};
worker_rlimit_nofile {setup.descriptors};
events {{ worker_connections {setup.descriptors - 1000}; }}
stream {{
    access_log off;
    proxy_buffer_size 64k;
    proxy_timeout 1h;
{services}
}}
""")
        return [self.found[0], "-p", setup.directory, "-e", setup.directory / "start.log", "-c", conf]
