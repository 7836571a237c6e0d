# SPDX-License-Identifier: ISC
"""A forwarder made of two scripted peers, right or wrong on purpose.

The right one shows that the closing table can be passed; each wrong one that a row catches it.
"""
import closing

HIGH_WATER = 256 * 1024

FLAWS = ("rst-becomes-end", "cut-loses-tail", "end-loses-tail", "first-end-closes-both", "end-is-not-passed-on",
         "truncation-becomes-end", "no-close-notify", "close-notify-without-fin", "no-back-pressure",
         "changes-an-octet", "drops-an-octet", "doubles-an-octet", "cut-waits-for-ever", "alert-becomes-end",
         "holds-back-small-writes")


class Leg:
    def __init__(self, peer):
        self.peer = peer
        self.taken = 0
        self.passed_on = False

    def backlog(self):
        return sum(len(i) for i in self.peer._todo if not callable(i)) + self.peer._wire_left

    def gone(self):
        return self.peer.sock.fileno() < 0

    def delivered(self):
        return self.gone() or self.peer.cut or (self.backlog() == 0 and not self.peer._todo and self.peer.outq == 0)

    def cut_seen(self):
        """A cut of this leg, or None."""
        if self.peer.tls_end not in (None, "close_notify"):
            return self.peer.tls_end
        if self.peer.ended in (None, "end") and not self.peer.cut:
            return None
        return self.peer.ended if self.peer.ended not in (None, "end") else "reset"


class Forwarder:
    """One connection, glued anew at every step of the net."""

    def __init__(self, client, upstream, flaw, settings):
        self.client, self.upstream = Leg(client), Leg(upstream)
        self.flaw, self.settings = flaw, settings
        self.over = False

    def step(self):
        if self.over:
            return
        self.move(self.client, self.upstream)
        self.move(self.upstream, self.client)
        self.pass_on(self.client, self.upstream)
        self.pass_on(self.upstream, self.client)
        if not self.over and self.client.passed_on and self.upstream.passed_on:
            if self.client.delivered() and self.upstream.delivered():
                self.finish(reset=False)

    def move(self, a, b):
        data = bytes(a.peer.received[a.taken:])
        a.taken += len(data)
        if data and self.flaw == "holds-back-small-writes" and len(data) < 100 and a.peer.ended is None:
            a.taken -= len(data)
            return
        if data and self.flaw == "changes-an-octet":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if data and self.flaw == "drops-an-octet":
            data = data[:-1]
        if data and self.flaw == "doubles-an-octet":
            data += data[-1:]
        if data and not b.gone() and not b.peer.cut:
            b.peer.send(data)
        a.peer.reading = self.flaw == "no-back-pressure" or b.backlog() < HIGH_WATER or b.peer.cut

    def pass_on(self, a, b):
        if self.over:
            return
        cut = a.cut_seen()
        if a.passed_on and not a.peer.cut:
            return
        if cut == "truncated" and (self.settings.get("truncation") == "forward"
                                   or self.flaw == "truncation-becomes-end"):
            cut = None
        if cut and self.flaw == "rst-becomes-end" and cut == "reset":
            self.end(a, b)
        elif cut and self.flaw == "alert-becomes-end" and cut.startswith(("alert", "error")):
            self.end(a, b)
        elif cut:
            self.cut(a, b)
        elif a.peer.ended:
            self.end(a, b)

    def end(self, a, b):
        how = self.settings.get("half-close", "propagate")
        if self.flaw == "end-is-not-passed-on":
            how = "hold"
        if self.flaw == "first-end-closes-both":
            how = "close"
        if how == "hold" and not b.peer.ended:
            return
        if self.flaw == "end-loses-tail" and b.backlog():
            b.peer._todo.clear()
        a.passed_on = True
        self.say_end(b.peer)
        if how == "close" and not b.passed_on:
            b.passed_on = True
            self.say_end(a.peer)

    def say_end(self, peer):
        if peer.cut or peer.sock.fileno() < 0:
            return
        if self.flaw == "no-close-notify":
            peer.fin()
        elif self.flaw == "close-notify-without-fin" and peer.tls is not None:
            peer.close_notify()
        else:
            peer.end()

    def cut(self, a, b):
        if self.flaw == "cut-waits-for-ever":
            return
        if self.flaw != "cut-loses-tail" and not b.delivered():
            return
        if a.cut_seen() == "truncated" and not (a.delivered() and (b.gone() or b.peer.unread == 0)):
            return
        if a.peer.tls is not None and a.peer._wire_left and not a.peer.cut:
            return  # an alert on its way
        self.finish(reset=True)

    def finish(self, reset):
        self.over = True
        for leg in (self.client, self.upstream):
            if reset:
                leg.peer.reset()
            else:
                leg.peer.close()


class ReferencePath:
    """The pair is joined by a forwarder in this process."""
    flaw = None

    def __init__(self, w, kinds, row_settings=(), small_buffers=False, by="client"):
        self.w, self.settings = w, dict(row_settings)
        certs = w.certs
        client, upstream = kinds
        self.rcvbuf = {"client": None, "upstream": None}
        if small_buffers:
            self.rcvbuf["upstream" if by == "client" else "client"] = closing.SMALL
        self.upstream_listener = w.listen(tls=None if upstream == "plain" else certs.server(upstream),
                                          rcvbuf=self.rcvbuf["upstream"], sndbuf=closing.SENDING)
        self.listener = w.listen(tls=None if client == "plain" else certs.server())
        self.client_tls = None if client == "plain" else certs.client(client)
        self.upstream_tls = None if upstream == "plain" else certs.client()

    def open(self, kinds, by):
        net = self.w.net
        client = net.connect(self.listener.address, tls=self.client_tls, rcvbuf=self.rcvbuf["client"],
                             sndbuf=closing.SENDING)
        legs = [self.listener.accept(), net.connect(self.upstream_listener.address, tls=self.upstream_tls)]
        legs[0].name, legs[1].name = "forwarder's client leg", "forwarder's upstream leg"
        upstream = self.upstream_listener.accept()
        for peer in (client, upstream, *legs):
            peer.until_established()
        net.idle_hooks.append(Forwarder(*legs, self.flaw, self.settings).step)
        return closing.Pair(self, client, upstream, by, kinds)


def wrong(flaw):
    assert flaw in FLAWS
    return type("WrongPath", (ReferencePath,), {"flaw": flaw})


class DirectPath(ReferencePath):
    """Nothing in between: the client is connected to the upstream. Legs of one kind only."""

    def __init__(self, w, kinds, row_settings=(), small_buffers=False, by="client"):
        super().__init__(w, kinds, row_settings, small_buffers, by)
        assert kinds[0] == kinds[1]

    def open(self, kinds, by):
        client = self.w.net.connect(self.upstream_listener.address, tls=self.client_tls, rcvbuf=self.rcvbuf["client"],
                             sndbuf=closing.SENDING)
        upstream = self.upstream_listener.accept()
        client.until_established()
        upstream.until_established()
        return closing.Pair(self, client, upstream, by, kinds)
