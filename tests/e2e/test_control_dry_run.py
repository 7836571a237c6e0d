# SPDX-License-Identifier: ISC
"""splicectl reload --dry-run: what a reload would do, and nothing of it done."""
import os
import socket

import pytest

from control import NEEDS_SPLICECTL, SPLICECTL, ask, daemon, lines
from harness import echoes, ends_well, service

pytestmark = NEEDS_SPLICECTL


def dry_run(w, d, services):
    """Its answer, which is that of a reload; and nothing has changed by it."""
    before, logged, fds = lines(w, d, "services"), d.messages(), sorted(os.listdir(f"/proc/{d.pid}/fd"))
    d.write({"control": str(d.dir / "ctl"), "services": services})
    said = ask(w, d, "reload", "--dry-run")
    w.until(lambda: sorted(os.listdir(f"/proc/{d.pid}/fd")) == fds, "the same descriptors as before")
    assert lines(w, d, "services") == before and d.messages() == logged
    return said


def test_what_would_change(w):
    d = daemon(w, {"workers": 2}, services={"x": service(connect="echo")})
    client = d.connect("x")
    echoes(client)
    services = {"x": service(connect="echo", idle_timeout="1h"), "y": service(connect="echo"),
                "z": service(listen=f"unix:{d.dir}/new", connect="echo")}
    said = dry_run(w, d, services)
    assert said.status == 0, said.err
    assert 'service "x": idle-timeout changed\n' in said.out and 'service "y": added\n' in said.out
    assert not (d.dir / "new").exists()
    assert ask(w, d, "reload").out == said.out
    echoes(client, b"goes on")
    ends_well(client)


def test_mistakes(w):
    d = daemon(w, services={"x": service(connect="echo")})
    said = dry_run(w, d, {"x": service(connect="echo", idle_tmeout="1h")})
    assert said.status == 1 and f"{d.conf}:" in said.err and "idle-tmeout" in said.err
    assert "would change nothing" in said.err
    said = dry_run(w, d, {"x": {**service(connect="echo"), "listen-tls": {"certificate": str(d.dir / "none.pem")}}})
    assert said.status == 1 and "none.pem" in said.err


@pytest.mark.parametrize("kind", ["tcp", "unix", "directory"])
def test_an_address_that_cannot_be_had(w, kind):
    d = daemon(w, services={"x": service(connect="echo")})
    if kind == "tcp":
        other = socket.create_server(("127.0.0.1", 0))
        address, message = f"127.0.0.1:{other.getsockname()[1]}", "another program or service listens there"
    elif kind == "unix":
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(d.dir / "taken"))
        other.listen()
        address, message = f"unix:{d.dir}/taken", "in use by another process"
    else:
        other = None
        address, message = f"unix:{d.dir}/none/x", "does not exist"
    said = dry_run(w, d, {"x": service(connect="echo"), "y": service(listen=address, connect="echo")})
    assert said.status == 1 and message in said.err, said.err
    if other is not None:
        other.close()


def test_a_new_address_accepts_nobody(w):
    """It is bound for a moment, which whoever tries to connect meanwhile cannot tell."""
    d = daemon(w, services={"x": service(connect="echo")})
    with socket.create_server(("127.0.0.1", 0)) as s:
        address = s.getsockname()
    d.write({"control": str(d.dir / "ctl"), "services": {
        "x": service(connect="echo"), "y": service(listen=f"127.0.0.1:{address[1]}", connect="echo")}})
    program = w.run("sh", "-c", f"for i in 1 2 3 4 5; do {SPLICECTL} -s {d.dir}/ctl reload --dry-run || exit 1; done")
    tries = 0
    while program.process.poll() is None or tries == 0:
        with socket.socket() as s:
            assert s.connect_ex(address) != 0
        tries += 1
    assert program.until_exit() == 0
