# SPDX-License-Identifier: ISC
"""Another process in the daemon's place: legs whose TLS is the kernel's go there, too."""
import os

import pytest

from closing import KTLS, MB, DaemonPath, same, upgrade_when_full
from harness import service

pytestmark = pytest.mark.skipif(not KTLS, reason="SPLICED_KTLS does not say that this kernel has TLS")

TLS = "tls13" if "tls13" in KTLS else "tls12"
LEGS = [pytest.param((TLS, "plain"), id="client"), pytest.param(("plain", TLS), id="upstream"),
        pytest.param((TLS, TLS), id="both")]


def joined(w, legs, **kwargs):
    pair = DaemonPath(w, legs, **kwargs).open(legs, "client")
    return pair.daemon, pair.client, pair.upstream


def check_handshakes(record, legs):
    """What was agreed on is compared with the peers at the end; that it was, and how long it took, here."""
    for leg, tls, took in ((legs[0], record["tls"], record["handshake_ms"]),
                           (legs[1], record["connect_tls"], record["connect_tls"] and
                            record["connect_tls"]["handshake_ms"])):
        assert (tls is None) == (took is None) == (leg == "plain"), record
    if record["tls"]:
        assert record["tls"]["sni"] == "localhost" and record["tls"]["group"], record
    if record["connect_tls"]:
        assert record["connect_tls"]["peer"] and record["connect_tls"]["resumed"] is False, record


@pytest.mark.parametrize("legs", LEGS)
def test_in_the_middle_of_a_transfer(w, legs):
    """Both directions full to the brim: in pipes, in the kernel, a record taken in part."""
    d, client, upstream = joined(w, legs)
    record = upgrade_when_full(w, d, client, upstream)
    assert record["reason"] == "end" and record["path"] == "ktls"
    check_handshakes(record, legs)


def test_while_octets_flow(w):
    """Upgraded again and again in the midst of it, then half-closed, then again."""
    d, client, upstream = joined(w, (TLS, TLS))
    octets = os.urandom(6 * MB)
    client.send(octets)
    upstream.send(octets)
    for i in range(3):
        upstream.until_received((i + 1) * MB)
        d.upgrade()
    client.end()
    assert upstream.until_ended() == "end"
    d.upgrade()
    upstream.send(b"and more")
    upstream.end()
    assert client.until_ended() == "end"
    same(upstream.received, octets, "the upstream")
    same(client.received, octets + b"and more", "the client")
    d.until_alone()
    record = d.record_of(client)
    assert record["half_closed_ms"] > 0 and record["ended_by"] == "client"
    check_handshakes(record, (TLS, TLS))


@pytest.mark.parametrize("cut, reason", [("reset", "client-reset"), ("fin", "client-truncated")])
def test_cuts_stay_cuts(w, cut, reason):
    d, client, upstream = joined(w, (TLS, TLS))
    client.send(b"question")
    upstream.until_received(8)
    d.upgrade()
    upstream.send(b"answer")
    client.until_received(6)
    getattr(client, cut)()
    assert upstream.until_ended() == "reset"
    assert d.record_of(client)["reason"] == reason
    d.until_alone()


def test_a_leg_stays_what_it_is(w):
    """Its service speaks no TLS any more, listens elsewhere, and has nobody to forward to."""
    d, client, upstream = joined(w, (TLS, "plain"))
    client.send(b"before")
    upstream.until_received(6)
    d.write({"services": {"path": service(connect="echo")}})
    d.upgrade()
    d.until_alone()
    client.send(b", after")
    upstream.until_received(13)
    client.end()
    assert upstream.until_ended() == "end"
    upstream.end()
    assert client.until_ended() == "end"
    check_handshakes(d.record_of(client), (TLS, "plain"))


def test_with_a_leg_in_user_space_it_stays(w):
    server = w.listen(tls=w.certs.server(TLS))
    d = w.daemon(services={"mixed": {
        **service(connect=server.address),
        "listen-tls": {"certificate": w.certs.path("server.pem"), "ktls": "on"},
        "connect-tls": {"server-name": "localhost", "ca": w.certs.path("ca.pem")}}})
    client = d.connect("mixed", tls=w.certs.client(TLS))
    upstream = w.accept(server, client)
    client.send(b"question")
    upstream.until_received(8)
    d.upgrade()
    d.until_says(r"still here: 1 connection ")
    client.end()
    assert upstream.until_ended() == "end"
    upstream.end()
    assert client.until_ended() == "end"
    d.until_alone()
