# SPDX-License-Identifier: ISC
"""splicectl certificates: what is in use, until when, and by whom."""
import datetime
import shutil

import pytest

from certs import openssl
from control import NEEDS_SPLICECTL, ask, daemon, lines
from harness import service

pytestmark = NEEDS_SPLICECTL


def signed(w, name, days):
    """A certificate for NAME.example that is valid for so many days from now; negative: no more."""
    pem, request = w.dir / f"{name}.pem", w.dir / f"{name}.csr"
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-addext",
            f"subjectAltName=DNS:{name}.example", "-keyout", w.dir / f"{name}.key", "-out", request)
    now = datetime.datetime.now(datetime.timezone.utc)
    stamps = [(now + datetime.timedelta(days=n, hours=1)).strftime("%Y%m%d%H%M%SZ") for n in (-60, days)]
    settings = w.dir / f"{name}.conf"
    for file in ("index", "index.attr"):
        (w.dir / f"{name}.{file}").write_text("")
    settings.write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={w.dir}/{name}.index\nnew_certs_dir={w.dir}\n"
                        f"rand_serial=yes\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n"
                        "[p]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-notext", "-config", settings, "-cert", w.certs.path("ca.pem"), "-keyfile",
            w.certs.path("ca.key"), "-in", request, "-out", pem, "-startdate", stamps[0], "-enddate", stamps[1])
    pem.write_text(pem.read_text() + (w.dir / f"{name}.key").read_text())
    return str(pem)


def test_each_once_with_all_who_use_it(w):
    server, client = str(w.certs.path("server.pem")), str(w.certs.path("client.pem"))
    d = daemon(w, services={
        "a": {**service(connect="echo"), "listen-tls": {"certificate": [server, str(w.certs.path("b.pem"))]}},
        "b": {**service(connect="127.0.0.1:1"), "listen-tls": {"certificate": server},
              "connect-tls": {"certificate": client, "verify": False}},
        "plain": service(connect="echo")})
    found = {line["file"]: line for line in lines(w, d, "certificates")}
    assert len(found) == 3
    one = found[server]
    assert one["used_by"] == [{"service": "a", "as": "listen"}, {"service": "b", "as": "listen"}]
    assert (one["names"], one["subject"], one["issuer"], one["key"], one["state"]) == (
        ["localhost", "127.0.0.1"], "CN=server", "CN=ca", "EC P-256", "valid")
    assert one["days_left"] in (29, 30) and len(one["sha256"]) == 64
    assert found[client]["used_by"] == [{"service": "b", "as": "connect"}]
    text = ask(w, d, "certificates").out
    assert text.startswith("NAMES") and "a:listen b:listen" in text and "*.b.example" in text
    assert "expires-soon" not in text


def test_none(w):
    d = daemon(w, services={"x": service(connect="echo")})
    assert lines(w, d, "certificates") == []


@pytest.mark.parametrize("days, left, state", [(13, 13, "expires-soon"), (15, 15, "valid"), (-3, -3, "expired")])
def test_what_expires_is_visible(w, days, left, state):
    pem = signed(w, "old", days)
    d = daemon(w, services={"x": {**service(connect="echo"), "listen-tls": {"certificate": pem}}})
    one, = lines(w, d, "certificates")
    assert (one["days_left"], one["state"], one["key"]) == (left, state, "RSA 2048")
    assert (state in ask(w, d, "certificates").out) == (state != "valid")


def test_what_is_used_is_shown_not_what_the_file_has(w):
    """A file that was exchanged for rubbish: the daemon goes on with what it has read."""
    pem = w.dir / "server.pem"
    shutil.copy(w.certs.path("server.pem"), pem)
    d = daemon(w, services={"x": {**service(connect="echo"), "listen-tls": {"certificate": str(pem)}}})
    before = lines(w, d, "certificates")
    pem.write_text("rubbish")
    d.until_says("go on with those they have")
    assert lines(w, d, "certificates") == before
    shutil.copy(w.certs.path("a.pem"), pem)
    w.until(lambda: lines(w, d, "certificates")[0]["names"] == ["a.example"], "the other certificate")
