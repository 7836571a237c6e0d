# SPDX-License-Identifier: ISC
"""What a daemon that runs has given up, seen from outside. Every other test runs inside of it too: see SANDBOX in
harness.py."""
import base64
import os
import pathlib
import pwd
import re
import shutil
import socket
import sys

import pytest

from control import NEEDS_SPLICECTL, ask
from harness import INSTRUMENTED, WRAPPER, conf_text, echoes, ends_well, service

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="a wrapper makes calls of its own")


def of_threads(d, field):
    """The values of a field in the status of each of its threads."""
    found = set()
    for task in pathlib.Path(f"/proc/{d.pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found.update(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))
    return found


def is_confined(d):
    if "files are not confined" in d.messages():
        pytest.skip("there is no Landlock")
    return "sandbox: files by Landlock" in d.messages()


ECHO = {"loop": service(connect="echo")}


@pytest.mark.smoke
def test_it_is_on_by_default_in_every_thread(w):
    d = w.daemon({"workers": 3}, services=ECHO, start=False)
    d.conf.write_text(d.conf.read_text().replace('sandbox = "strict"\n', ""))
    assert "sandbox" not in d.conf.read_text()
    d.start()
    assert is_confined(d)
    assert len(os.listdir(f"/proc/{d.pid}/task")) == 4
    assert of_threads(d, "Seccomp") == {"2"}
    assert of_threads(d, "NoNewPrivs") == {"1"}
    assert re.search(r"Max core file size +0 +0 ", pathlib.Path(f"/proc/{d.pid}/limits").read_text())
    client = d.connect("loop")
    echoes(client)
    ends_well(client)


def test_off_is_off(w):
    d = w.daemon({"sandbox": "off"}, services=ECHO)
    assert of_threads(d, "Seccomp") <= {pathlib.Path("/proc/self/status").read_text().split("Seccomp:")[1].split()[0]}
    assert "sandbox:" not in d.messages()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_nobody_of_the_same_user_looks_into_its_memory(w):
    uid = pwd.getpwnam("nobody").pw_uid
    os.chmod(w.dir, 0o755)
    d = w.daemon({"user": "nobody", "log": {"target": "stderr"}}, services=ECHO)
    assert d.status("Uid").split() == [str(uid)] * 4
    assert os.stat(f"/proc/{d.pid}/mem").st_uid == 0
    assert int(d.status("CapEff"), 16) == int(d.status("CapPrm"), 16) == 0
    client = d.connect("loop")
    echoes(client)
    d.reload(services=ECHO)
    ends_well(client)


def memory(pid):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                mem.seek(start)
                yield mem.read(min(end - start, 16 << 20)) or b""  # the rest is in reserve


@pytest.mark.skipif(os.geteuid() != 0 or INSTRUMENTED, reason="for root, and no sanitizer's terabytes of memory")
def test_of_a_key_no_copy_stays_but_the_one_in_use(w):
    lines = [line for line in w.certs.path("server.key").read_text().splitlines() if "-----" not in line]
    der = base64.b64decode("".join(lines))
    secret = der[der.index(b"\x04\x20") + 2:][:32]
    tls = {"certificate": w.certs.path("server.crt"), "key": w.certs.path("server.key")}
    d = w.daemon(services={"web": service(connect="echo", listen_tls=tls)})
    everything = b"\0".join(memory(d.pid))
    # OpenSSL's numbers begin with their lowest octet, where the machine's do.
    assert everything.count(secret if sys.byteorder == "big" else secret[::-1]) == 1
    if sys.byteorder == "little":
        assert secret not in everything
    for copy in (lines[0].encode()[20:60], lines[1].encode()[:40], der[:60]):
        assert copy not in everything


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_root_keeps_few_of_its_rights(w):
    d = w.daemon(services=ECHO)
    # To bind, to set a socket's options, to own files and sockets, and for large pipes: nothing that loads modules,
    # mounts, traces, becomes another user or ignores a file's owner when it signals.
    allowed = {"CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "NET_BIND_SERVICE": 10,
               "NET_ADMIN": 12, "NET_RAW": 13, "SYS_RESOURCE": 24}
    assert int(d.status("CapEff"), 16) & ~sum(1 << n for n in allowed.values()) == 0
    assert d.status("CapPrm") == d.status("CapEff")


# -- a reload inside of it ---------------------------------------------------------------------------


def fails_to_reload(d, settings):
    before = d.messages().count("nothing is reloaded")
    d.reload(settings)
    assert d.messages().count("nothing is reloaded") == before + 1


def test_a_certificate_elsewhere_takes_a_restart(w):
    d = w.daemon(services=ECHO)
    assert is_confined(d)
    elsewhere = w.dir / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(w.certs.path("server.crt"), elsewhere / "site.pem")
    shutil.copy(w.certs.path("server.key"), elsewhere / "site.key")
    tls = {"certificate": elsewhere / "site.pem", "key": elsewhere / "site.key"}
    web = {"services": {"web": service(connect="echo", listen_tls=tls)}}
    fails_to_reload(d, web)
    line = 1 + d.conf.read_text().splitlines().index(f'            certificate = "{elsewhere}/site.pem"')
    d.until_says(rf'spliced.conf:{line}: certificate "{elsewhere}/site.pem": .*sandbox.*{elsewhere}; restart it')
    client = d.connect("loop")
    echoes(client)
    ends_well(client)
    d.stop()
    assert w.daemon(web).at("web")


def test_files_beside_those_it_has_need_none(w):
    directory = w.dir / "certs"
    directory.mkdir()
    shutil.copy(w.certs.path("server.crt"), directory / "one.pem")
    shutil.copy(w.certs.path("server.key"), directory / "one.key")

    def web(name):
        tls = {"certificate": directory / f"{name}.pem", "key": directory / f"{name}.key"}
        return {"web": service(connect="echo", listen_tls=tls)}
    d = w.daemon(services=web("one"))
    shutil.copy(w.certs.path("server.crt"), directory / "two.pem")
    shutil.copy(w.certs.path("server.key"), directory / "two.key")
    d.reload(services=web("two"))
    d.until_says("reloaded: 1 service")


def test_an_include_elsewhere_takes_a_restart(w):
    elsewhere = w.dir / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "more.conf").write_text(conf_text({"services": {"more": service(connect="echo")}}))
    d = w.daemon(services=ECHO)
    assert is_confined(d)
    fails_to_reload(d, d.conf.read_text() + f'include = "{elsewhere}/more.conf"\n')
    d.until_says(r"Permission denied")
    d.until_says(r"denied by the running daemon's sandbox.*restart")


def test_a_log_and_sockets_elsewhere_take_a_restart(w):
    elsewhere = w.dir / "elsewhere"
    elsewhere.mkdir()
    d = w.daemon(services=ECHO)
    assert is_confined(d)
    fails_to_reload(d, {"log": {"target": elsewhere / "log"}, "services": ECHO})
    d.until_says(rf'log.target "{elsewhere}/log": .*restart it')
    assert not (elsewhere / "log").exists()
    fails_to_reload(d, {"services": {"unix": service(f"unix:{elsewhere}/socket", connect="echo")}})
    d.until_says(rf'listen "unix:{elsewhere}/socket": .*restart it')


# -- ports -------------------------------------------------------------------------------------------


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def on_ports(w, services, **settings):
    """The settings of a daemon kept to its ports."""
    return {"control": str(w.dir / "daemon1" / "ctl"), "sandbox-ports": "configured", **settings, "services": services}


def keeps_to_ports(d):
    if "TCP ports are not confined" in d.messages():
        pytest.skip("there is no Landlock 4")
    return "sandbox: files and TCP ports by Landlock" in d.messages()


def forwards(d, listener, name="loop"):
    client = d.connect(name)
    peer = listener.accept()
    client.send(b"to")
    peer.until_received(2)
    return client, peer


def both_end(client, peer):
    client.end()
    peer.until_ended()
    peer.end()
    assert client.until_ended() == "end"


def refused_at(d, word):
    """The line that the last refusal points at has this word."""
    line = re.findall(r"spliced\.conf:(\d+): [^\n]* sandbox-ports keeps it to that", d.messages())[-1]
    return word in d.conf.read_text().splitlines()[int(line) - 1]


@NEEDS_SPLICECTL
def test_it_is_kept_to_the_ports_it_was_started_with(w):
    first, second, third = w.listen(), w.listen(), w.listen()
    ports = [unused_port() for _ in range(3)]

    def loop(listen, *targets):
        return {"loop": service(f"127.0.0.1:{listen}", connect=[t.address for t in targets])}
    admin = {"admin": f"127.0.0.1:{ports[1]}"}
    d = w.daemon(on_ports(w, loop(ports[0], first, second), workers=2, **admin))
    assert keeps_to_ports(d)
    held = forwards(d, first)

    # Not those that are new.
    fails_to_reload(d, on_ports(w, loop(ports[0], third), **admin))
    d.until_says(rf'connect "{third.address}": .* connects to no port {third.port}, .*; restart it .* upgrade it')
    assert refused_at(d, "connect")
    fails_to_reload(d, on_ports(w, loop(ports[2], first), **admin))
    d.until_says(rf'listen "127.0.0.1:{ports[2]}": .* listens on no port {ports[2]}, .*; restart it')
    assert refused_at(d, "listen")
    assert "Permission denied" not in d.messages()
    said = ask(w, d, "reload", "--dry-run")
    assert said.status == 1 and f"listens on no port {ports[2]}" in said.err
    fails_to_reload(d, {**on_ports(w, loop(ports[2], first), **admin), "sandbox-ports": "any"})

    # Those it had, gone and back.
    d.reload(on_ports(w, {"other": service(connect=first.address, listen=f"unix:{w.dir}/daemon1/other")}, workers=2))
    d.reload(on_ports(w, loop(ports[0], second), workers=2, **admin))
    both_end(*forwards(d, second))
    with socket.create_connection(("127.0.0.1", ports[1]), 20) as s:
        s.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        assert b" 200 " in s.recv(4096)

    # A successor has its own.
    d.write(on_ports(w, loop(ports[2], third), **admin))
    d.upgrade()
    assert d.messages().count("sandbox: files and TCP ports by Landlock") == 2
    both_end(*held)
    client = d.connect("loop", address=f"127.0.0.1:{ports[2]}")
    both_end(client, third.accept())
    d.until_alone()


def test_with_port_0_it_binds_any(w):
    target = w.listen()
    d = w.daemon(on_ports(w, {"loop": service(connect=target.address)}, workers=3))
    assert keeps_to_ports(d)
    d.reload(on_ports(w, {"loop": service(connect=target.address), "more": service(connect=target.address)}, workers=3))
    both_end(*forwards(d, target, "more"))


def test_off_keeps_to_no_ports(w):
    d = w.daemon({**on_ports(w, ECHO), "sandbox": "off"})
    assert 'sandbox-ports = "configured" restricts nothing' in d.stderr.read_text()
    d.reload(on_ports(w, {"loop": service(connect=w.listen().address)}, sandbox="off"))
    d.until_says("reloaded: 1 service")
