# SPDX-License-Identifier: ISC
"""The programs that people use, through spliced: each gets every octet and its own idea of an end."""
import hashlib
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

import harness
from closing import noise
from harness import service

MB = 1 << 20


def need(*programs):
    missing = [p for p in programs if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def is_openbsd_nc():
    if not shutil.which("nc"):
        return False
    return b"OpenBSD" in subprocess.run(["nc", "-h"], capture_output=True, stdin=subprocess.DEVNULL).stderr


nc = pytest.mark.skipif(not is_openbsd_nc(), reason="OpenBSD's netcat is not installed")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def listening_port(w, p):
    """The TCP port that a program listens on, from the kernel."""
    def look():
        inodes = set()
        for pid in [p.process.pid, *children(p.process.pid)]:
            try:
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    target = os.readlink(f"/proc/{pid}/fd/{fd}")
                    if target.startswith("socket:["):
                        inodes.add(target[8:-1])
            except OSError:
                continue
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in pathlib.Path(table).read_text().splitlines()[1:]:
                f = line.split()
                if f[3] == "0A" and f[9] in inodes:
                    return int(f[1].rsplit(":", 1)[1], 16)
        assert p.process.poll() is None, f"{p.name} ended: {p.err.read_text(errors='replace')}"
        return None
    return w.until(look, f"{p.name} to listen")


def children(pid):
    try:
        return [int(x) for x in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def forward(w, connect, tls=None, connect_tls=None, **settings):
    s = service(connect=connect, **settings)
    if tls:
        s["listen-tls"] = {"certificate": w.certs.path("server.pem"), **(tls if isinstance(tls, dict) else {})}
    if connect_tls:
        s["connect-tls"] = {"server-name": "localhost", "ca": w.certs.path("ca.pem")}
    d = w.daemon(services={"path": s})
    d.strangers = True
    host, port = d.at("path").rsplit(":", 1)
    return d, host, port


def stdin_of(w, data):
    path = w.dir / f"stdin-{len(list(w.dir.glob('stdin-*')))}"
    path.write_bytes(data)
    return open(path, "rb")


def only_record(w, d, reason="end", up=None, down=None, ended_by=None):
    records = w.until(d.records, "a record")
    assert len(records) == 1, records
    r = records[0]
    assert r["reason"] == reason, r
    if up is not None:
        assert r["bytes_up"] == up, r
    if down is not None:
        assert r["bytes_down"] == down, r
    if ended_by is not None:
        assert r["ended_by"] == ended_by, r
    return r


# -- netcat ------------------------------------------------------------------------------------------


@nc
@pytest.mark.smoke
def test_nc_N_as_client(w):
    """It ends first and still gets the whole answer."""
    listener = w.listen()
    d, host, port = forward(w, listener.address)
    client = w.run("nc", "-N", host, port, stdin=stdin_of(w, noise(MB)))
    upstream = listener.accept()
    assert upstream.until_ended() == "end"
    assert upstream.received == noise(MB)
    upstream.send(noise(3 * MB, 1)).end()
    assert client.until_exit() == 0
    assert client.output() == noise(3 * MB, 1)
    only_record(w, d, up=MB, down=3 * MB, ended_by="client")


@nc
def test_nc_without_N_as_client(w):
    """Its standard input ends, its connection does not; the upstream ends it."""
    listener = w.listen()
    d, host, port = forward(w, listener.address)
    client = w.run("nc", host, port, stdin=stdin_of(w, b"question"))
    upstream = listener.accept().until_received(8)
    upstream.send(noise(MB)).end()
    assert client.until_exit() == 0
    assert client.output() == noise(MB)
    upstream.until_ended()
    only_record(w, d, up=8, down=MB, ended_by="upstream")


@nc
@pytest.mark.parametrize("flags", [["-l", "-N"], ["-l"]], ids="".join)
def test_nc_l_as_upstream(w, flags):
    """nc -l leaves when its client ends; what it sent before still arrives."""
    answer = noise(MB, 1)
    server = w.run("nc", *flags, "-v", "-n", "127.0.0.1", "0", stdin=stdin_of(w, answer))
    d, host, port = forward(w, f"127.0.0.1:{listening_port(w, server)}")
    client = d.connect("path")
    client.until_received(len(answer))
    client.send(noise(2 * MB)).end()
    assert client.until_ended() == "end"
    assert client.received == answer
    assert server.until_exit() == 0
    assert server.output() == noise(2 * MB)
    only_record(w, d, up=2 * MB, down=MB)


@nc
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "through-two-spliced-with-tls"])
def test_nc_to_nc(w, tls):
    """Files both ways between two netcats: directly forwarded, or through TLS between two daemons."""
    server = w.run("nc", "-l", "-N", "-n", "127.0.0.1", "0", stdin=stdin_of(w, noise(3 * MB, 1)), name="nc-server")
    upstream = f"127.0.0.1:{listening_port(w, server)}"
    if tls:
        far, far_host, far_port = forward(w, upstream, tls=True)
        near, host, port = forward(w, f"{far_host}:{far_port}", connect_tls=True)
    else:
        near, host, port = forward(w, upstream)
    # nc -l leaves as soon as the client has ended, whatever it has still to send.
    sending, answer = w.dir / "sending", w.dir / "answer"
    sending.write_bytes(noise(2 * MB))
    until_answered = f"for i in $(seq 2000); do [ $(stat -c %s {answer}) -lt {3 * MB} ] || break; sleep .02; done"
    client = w.run("sh", "-c", f"(cat {sending}; {until_answered}) | nc -N {host} {port} >{answer}",
                   name="nc-client")
    assert client.until_exit() == 0 and server.until_exit() == 0
    assert sha(answer.read_bytes()) == sha(noise(3 * MB, 1)) and sha(server.output()) == sha(noise(2 * MB))
    for d in w.daemons:
        only_record(w, d, up=2 * MB, down=3 * MB)


@nc
def test_nc_U(w):
    path = w.dir / "s"
    d = w.daemon(services={"path": service(f"unix:{path}", connect="echo")})
    d.strangers = True
    client = w.run("nc", "-N", "-U", path, stdin=stdin_of(w, noise(MB)))
    assert client.until_exit() == 0
    assert client.output() == noise(MB)
    only_record(w, d, up=MB, down=MB)


# -- socat -------------------------------------------------------------------------------------------


@need("socat")
@pytest.mark.smoke
@pytest.mark.parametrize("version", ["TLS1.2", "TLS1.3"])
def test_socat_openssl_to_echo(w, version):
    d, host, port = forward(w, "echo", tls=True)
    client = w.run("socat", "-t20", "-", f"OPENSSL:localhost:{port},cafile={w.certs.path('ca.pem')},"
                   f"openssl-min-proto-version={version},openssl-max-proto-version={version},pf=ip4",
                   stdin=stdin_of(w, noise(500_000)))
    assert client.until_exit() == 0, client.err.read_text()
    assert client.output() == noise(500_000)
    r = only_record(w, d, up=500_000, down=500_000)
    assert r["tls"]["version"] == version.replace("TLS", "TLSv")


@need("socat")
def test_socat_openssl_as_upstream(w):
    """A server of socat's, in front of a program that answers when its input ends."""
    server = w.run("socat", "-t20", f"OPENSSL-LISTEN:0,bind=127.0.0.1,cert={w.certs.path('server.pem')},verify=0",
                   "EXEC:sha256sum")
    d, host, port = forward(w, f"127.0.0.1:{listening_port(w, server)}", connect_tls=True)
    client = d.connect("path").send(noise(2 * MB)).end()
    assert client.until_ended() == "end"
    assert client.received.decode().split()[0] == sha(noise(2 * MB))
    record = d.record_of(client)
    assert record["reason"] in ("end", "upstream-truncated"), record


@need("socat")
def test_socat_unix_server(w):
    """A Unix-socket server published on a port."""
    path = w.dir / "up.sock"
    w.run("socat", "-t20", f"UNIX-LISTEN:{path},fork", "EXEC:sha256sum")
    w.until(path.exists, "socat's socket")
    d, host, port = forward(w, f"unix:{path}")
    for size in (0, 1, 3 * MB):
        client = d.connect("path").send(noise(size)).end()
        assert client.until_ended() == "end"
        assert client.received.decode().split()[0] == sha(noise(size))
        assert d.record_of(client)["reason"] == "end"


# -- openssl s_client, s_server ------------------------------------------------------------------------


def s_client(w, host, port, *flags, stdin=None, name="s_client"):
    return w.run("openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost", "-CAfile",
                 w.certs.path("ca.pem"), "-verify_return_error", *flags, stdin=stdin, name=name)


@need("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client_quiet(w, version):
    """-quiet goes on when its input ends; the upstream ends the connection."""
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    client = s_client(w, host, port, version, "-quiet", stdin=stdin_of(w, b"question"))
    upstream = listener.accept().until_received(8)
    upstream.send(noise(MB)).end()
    assert client.until_exit() == 0
    assert client.output() == noise(MB)
    upstream.until_ended()
    only_record(w, d, up=8, down=MB, ended_by="upstream")


@need("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client_that_leaves_at_the_end_of_its_input(w, version):
    """-no_ign_eof: close_notify, and gone. The upstream gets everything and the end."""
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    s_client(w, host, port, version, "-quiet", "-no_ign_eof", stdin=stdin_of(w, noise(300_000)))
    upstream = listener.accept()
    assert upstream.until_ended() == "end"
    assert upstream.received == noise(300_000)
    upstream.end()
    only_record(w, d, up=300_000, down=0, ended_by="client")


@need("openssl")
@pytest.mark.parametrize("letter", ["K", "k"])
def test_s_client_changes_its_keys(w, letter):
    """TLS 1.3's KeyUpdate in the middle: K asks us for one, too."""
    d, host, port = forward(w, "echo", tls=True)
    client = s_client(w, host, port, "-tls1_3")
    client.feed(b"before\n", end=False).until_says("(?m)^before$")
    client.feed(letter.encode() + b"\n", end=False).until_says("KEYUPDATE")
    client.feed(b"after\n", end=False).until_says("(?m)^after$")
    client.feed(b"Q\n")
    assert client.until_exit() == 0
    only_record(w, d, up=13, down=13, ended_by="client")


@need("openssl")
def test_s_client_that_is_killed(w):
    """TLS that ends without close_notify is a cut, whoever made it."""
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    client = s_client(w, host, port, "-quiet")
    client.feed(b"half a mess", end=False)
    upstream = listener.accept().until_received(11)
    client.process.kill()
    assert upstream.until_ended() == "reset"
    assert bytes(upstream.received) == b"half a mess"
    r = w.until(d.records, "a record")[0]
    # a process that is killed resets if it had not read everything, and truncates otherwise
    assert r["reason"] in ("client-truncated", "client-reset") and r["bytes_up"] == 11, r


@need("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_server_rev(w, version):
    server = w.run("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", w.certs.path("server.pem"), version,
                   "-rev", "-quiet")
    d, host, port = forward(w, f"127.0.0.1:{listening_port(w, server)}", connect_tls=True)
    client = d.connect("path")
    for line in (b"hello\n", b"spliced\n"):
        before = len(client.received)
        client.send(line).until_received(before + len(line))
        assert bytes(client.received[before:]) == line.strip()[::-1] + b"\n"
    client.end()
    client.until_ended()
    record = d.record_of(client)
    assert record["connect_tls"]["version"] == {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}[version]
    assert record["reason"] in ("end", "upstream-truncated", "upstream-reset"), record  # s_server does as it likes


@need("openssl")
def test_s_client_checks_the_chain(w):
    d, host, port = forward(w, "daytime", tls=True)
    client = s_client(w, host, port, "-brief", "-ign_eof")
    assert client.until_exit() == 0
    assert "Verification: OK" in client.err.read_text()
    only_record(w, d)


# -- gnutls --------------------------------------------------------------------------------------------


@need("gnutls-cli")
@pytest.mark.parametrize("priority", ["NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"],
                         ids=["tls12", "tls13"])
def test_gnutls_cli(w, priority):
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    client = w.run("gnutls-cli", "--x509cafile", w.certs.path("ca.pem"), "--logfile=/dev/null", "--priority", priority,
                   "--port", port, "--verify-hostname=localhost", host)
    client.feed(b"question\n", end=False)
    upstream = listener.accept().until_received(9)
    upstream.send(b"answer\n" * 1000)
    client.until_says("(answer\n){1000}")
    upstream.end()
    client.until_exit()
    assert bytes(upstream.received) == b"question\n"
    # it answers a close_notify with its own, or just leaves
    r = w.until(d.records, "a record")[0]
    assert r["reason"] in ("end", "client-truncated", "client-reset") and r["bytes_down"] == 7000, r


@need("gnutls-serv")
def test_gnutls_serv(w):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    sock.close()  # it cannot be asked to choose a port itself
    server = w.run("gnutls-serv", "--echo", "--port", port, "--x509certfile", w.certs.path("server.crt"),
                   "--x509keyfile", w.certs.path("server.key"))
    assert listening_port(w, server) == port
    d, host, _ = forward(w, f"127.0.0.1:{port}", connect_tls=True)
    client = d.connect("path")
    client.send(b"hello gnutls\n").until_received(13)
    assert bytes(client.received) == b"hello gnutls\n"
    client.end()
    client.until_ended()
    assert d.record_of(client)["connect_tls"]["version"] == "TLSv1.3"


# -- curl through nginx ----------------------------------------------------------------------------------


@pytest.fixture
def web(w):
    """nginx on a Unix socket: HTTP/1.1, and HTTP/2 for those who say so at once."""
    root = w.dir / "www"
    root.mkdir()
    (root / "big").write_bytes(noise(8 * MB))
    (root / "small").write_text("hello\n")
    conf = w.dir / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(f'''{user}
daemon off; master_process off; worker_processes 1; pid {w.dir}/nginx.pid; error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {w.dir}/t1; proxy_temp_path {w.dir}/t2; fastcgi_temp_path {w.dir}/t3;
    uwsgi_temp_path {w.dir}/t4; scgi_temp_path {w.dir}/t5;
    server {{ listen unix:{w.dir}/h1.sock; root {root}; }}
    server {{ listen unix:{w.dir}/h2.sock http2; root {root}; }}
}}
''')
    w.run(program("nginx"), "-e", "stderr", "-c", conf, name="nginx")
    w.until(lambda: (w.dir / "h1.sock").exists() and (w.dir / "h2.sock").exists(), "nginx's sockets")
    return w


def curl(w, port, *args):
    return w.run("curl", "-sS", "--cacert", w.certs.path("ca.pem"), "--max-time", "60", "--resolve",
                 f"localhost:{port}:127.0.0.1", *args, name="curl")


@need("nginx", "curl")
@pytest.mark.smoke
@pytest.mark.parametrize("version", [["--tls-max", "1.2"], ["--tlsv1.3"]], ids=["tls12", "tls13"])
def test_curl_https(web, version):
    w = web
    d, host, port = forward(w, f"unix:{w.dir}/h1.sock", tls={"alpn": ["http/1.1"]})
    c = curl(w, port, *version, f"https://localhost:{port}/big")
    assert c.until_exit() == 0, c.err.read_text()
    assert sha(c.output()) == sha(noise(8 * MB))
    r = only_record(w, d)
    assert r["tls"]["alpn"] == "http/1.1" and r["bytes_down"] > 8 * MB and r["upstream"] == f"unix:{w.dir}/h1.sock"


@need("nginx", "curl")
def test_curl_keeps_a_connection(web):
    w = web
    d, host, port = forward(w, f"unix:{w.dir}/h1.sock", tls=True)
    url = f"https://localhost:{port}/small"
    c = curl(w, port, "--http1.1", *[url] * 20)
    assert c.until_exit() == 0, c.err.read_text()
    assert c.output() == b"hello\n" * 20
    only_record(w, d)


@need("nginx", "curl")
def test_curl_http2(web):
    """alpn = h2 here, HTTP/2 without TLS behind it."""
    w = web
    if "HTTP2" not in subprocess.run(["curl", "-V"], capture_output=True, text=True).stdout:
        pytest.skip("this curl has no HTTP/2")
    d, host, port = forward(w, f"unix:{w.dir}/h2.sock", tls={"alpn": ["h2"]})
    url = f"https://localhost:{port}"
    c = curl(w, port, "--http2", "-w", "%{http_version}\n", f"{url}/small", f"{url}/small")
    assert c.until_exit() == 0, c.err.read_text()
    assert c.output() == b"hello\n2\nhello\n2\n"
    c = curl(w, port, "--http2", f"{url}/big")
    assert c.until_exit() == 0 and sha(c.output()) == sha(noise(8 * MB))


@need("nginx", "curl")
def test_curl_in_parallel(web):
    w = web
    d, host, port = forward(w, f"unix:{w.dir}/h1.sock", tls=True)
    runs = [curl(w, port, "--http1.1", f"https://localhost:{port}/big") for _ in range(6)]
    for c in runs:
        assert c.until_exit() == 0, c.err.read_text()
        assert sha(c.output()) == sha(noise(8 * MB))
    w.until(lambda: len(d.records()) == 6, "six records")
    assert {r["reason"] for r in d.records()} == {"end"}


@need("curl")
def test_curl_gets_a_cut_as_a_cut(w):
    """An answer that is cut short is an error for curl, not a short page: without a length only the
    reset can tell."""
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    c = curl(w, port, "--http1.1", f"https://localhost:{port}/")
    upstream = listener.accept().until_received(10)
    upstream.send(b"HTTP/1.0 200 OK\r\n\r\nhalf of the pa").drain().reset()
    assert c.until_exit() != 0
    only_record(w, d, "upstream-reset", ended_by="upstream")


@need("curl")
def test_curl_gets_an_end_as_an_end(w):
    listener = w.listen()
    d, host, port = forward(w, listener.address, tls=True)
    c = curl(w, port, "--http1.1", f"https://localhost:{port}/")
    upstream = listener.accept().until_received(10)
    upstream.send(b"HTTP/1.0 200 OK\r\n\r\nthe whole page").end()
    assert c.until_exit() == 0, c.err.read_text()
    assert c.output() == b"the whole page"
    upstream.until_ended()
    only_record(w, d, ended_by="upstream")


# -- ssh -----------------------------------------------------------------------------------------------


class Sshd:
    """A real sshd for one connection after the other, its own keys and configuration, no port of its
    own: each accepted socket is its standard input and output."""

    def __init__(self, w):
        self.w, self.dir = w, w.dir / "ssh"
        self.dir.mkdir(mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / name], check=True,
                           capture_output=True)
        (self.dir / "authorized_keys").write_bytes((self.dir / "user.pub").read_bytes())
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        (self.dir / "sshd_config").write_text(f'''
HostKey {self.dir}/host
AuthorizedKeysFile {self.dir}/authorized_keys
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
''')
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen()
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.servers = []
        w.net.idle_hooks.append(self.serve)

    def serve(self):
        try:
            s, _ = self.sock.accept()
        except BlockingIOError:
            return
        s.setblocking(True)
        with s, open(self.w.dir / f"sshd{len(self.servers)}.err", "wb") as err:
            self.servers.append(subprocess.Popen([program("sshd"), "-i", "-e", "-f", self.dir / "sshd_config"],
                                                 stdin=s, stdout=s, stderr=err))

    def options(self, port_flag, port):
        return [port_flag, port, "-i", self.dir / "user", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o",
                "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o",
                "IdentitiesOnly=yes"]

    def close(self):
        self.sock.close()
        for s in self.servers:
            if s.poll() is None:
                s.terminate()
            s.wait(20)


@pytest.fixture
def sshd(w):
    s = Sshd(w)
    yield s
    s.close()


@need("sshd", "ssh")
def test_ssh(w, sshd):
    """The server speaks first. A command, its input, its output and its exit status."""
    d, host, port = forward(w, sshd.address)
    client = w.run("ssh", *sshd.options("-p", port), host, "sha256sum; exit 7", stdin=stdin_of(w, noise(4 * MB)))
    assert client.until_exit() == 7, client.err.read_text()
    assert client.output().decode().split()[0] == sha(noise(4 * MB))
    r = only_record(w, d)
    assert r["bytes_up"] > 4 * MB


@need("sshd", "ssh", "scp")
def test_scp(w, sshd):
    d, host, port = forward(w, sshd.address)
    (w.dir / "original").write_bytes(noise(6 * MB))
    for source, target in ((w.dir / "original", f"{host}:{w.dir}/there"), (f"{host}:{w.dir}/there", w.dir / "back")):
        client = w.run("scp", *sshd.options("-P", port), source, target)
        assert client.until_exit() == 0, client.err.read_text()
    assert sha((w.dir / "back").read_bytes()) == sha(noise(6 * MB))
    w.until(lambda: len(d.records()) == 2, "two records")
    assert {r["reason"] for r in d.records()} == {"end"}


@need("sshd", "ssh", "rsync")
def test_rsync(w, sshd):
    d, host, port = forward(w, sshd.address)
    (w.dir / "tree").mkdir()
    for i in range(20):
        (w.dir / "tree" / f"f{i}").write_bytes(noise(i * 10_007, i))
    remote = " ".join(str(x) for x in ["ssh", *sshd.options("-p", port)])
    client = w.run("rsync", "-a", "-e", remote, f"{w.dir}/tree/", f"{host}:{w.dir}/copy/")
    assert client.until_exit() == 0, client.err.read_text()
    for i in range(20):
        assert (w.dir / "copy" / f"f{i}").read_bytes() == noise(i * 10_007, i)


@need("sshd", "ssh")
def test_ssh_in_tls(w, sshd):
    """ssh inside TLS between two daemons."""
    far, far_host, far_port = forward(w, sshd.address, tls=True)
    near, host, port = forward(w, f"{far_host}:{far_port}", connect_tls=True)
    client = w.run("ssh", *sshd.options("-p", port), host, "cat", stdin=stdin_of(w, noise(2 * MB)))
    assert client.until_exit() == 0, client.err.read_text()
    assert client.output() == noise(2 * MB)
    for d in (far, near):
        only_record(w, d)


def test_the_daemon_itself_is_there():
    assert os.access(harness.SPLICED, os.X_OK), f"no {harness.SPLICED}: build it, or set SPLICED"
