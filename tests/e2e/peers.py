# SPDX-License-Identifier: ISC
"""Scripted peers: plain TCP, Unix and TLS, as client or server, in one thread.

A `Net` steps every peer's socket; nothing moves unless the test waits in `Net.until()`, so that a
test reads as a sequence and failures surface where they happen. A `Peer` reports exactly what it
got: `received` and `ended`, which is

    None         the other side has not ended yet
    'end'        FIN on a plain leg; close_notify and then FIN on a TLS leg
    'truncated'  FIN without close_notify (TLS)
    'reset'      RST
    'alert NAME' a fatal TLS alert, `tcp_end` says what followed it
    'error NAME' octets that are no valid TLS

`cut` says that an RST was seen at all, also one that came after the end.
"""
import bisect
import collections
import errno
import fcntl
import hashlib
import re
import select
import socket
import ssl
import struct
import termios
import time

READ_SIZE = 256 * 1024
RECORD = 16384
SIOCOUTQ = termios.TIOCOUTQ


def address_text(address, family=socket.AF_INET):
    """An address as spliced writes it."""
    if family == socket.AF_UNIX:
        if not address:
            return "unix:"
        if isinstance(address, bytes):
            return "unix:@" + address[1:].decode()
        return "unix:" + address
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(text):
    """The opposite: (family, what connect() takes)."""
    if text.startswith("unix:@"):
        return socket.AF_UNIX, "\0" + text[6:]
    if text.startswith("unix:"):
        return socket.AF_UNIX, text[5:]
    host, port = text.rsplit(":", 1)
    if host.startswith("["):
        return socket.AF_INET6, (host[1:-1], int(port))
    return socket.AF_INET, (host, int(port))


class Net:
    """Steps all peers and listeners of a test."""

    def __init__(self, deadline=20.0):
        self.deadline = deadline
        self.epoll = select.epoll()
        self.members = {}      # fd -> member
        self.masks = {}        # fd -> what epoll knows
        self.everyone = []     # for messages
        self.idle_hooks = []   # called every step, e.g. a forwarder's glue

    def add(self, member):
        self.members[member.fileno()] = member
        self.everyone.append(member)

    def forget(self, member, fd):
        if self.members.get(fd) is member:
            del self.members[fd]
            if self.masks.pop(fd, None) is not None:
                self.epoll.unregister(fd)

    def close(self):
        for member in list(self.members.values()):
            member.close()
        self.epoll.close()

    def _register(self):
        for fd, member in self.members.items():
            want = member.interest()
            have = self.masks.get(fd)
            if want == have:
                continue
            if want is None:
                self.epoll.unregister(fd)
                del self.masks[fd]
                continue
            if have is None:
                self.epoll.register(fd, want)
            else:
                self.epoll.modify(fd, want)
            self.masks[fd] = want

    def step(self, timeout=0.01):
        for hook in self.idle_hooks:
            hook()
        self._register()
        for fd, events in self.epoll.poll(timeout):
            member = self.members.get(fd)
            if member is not None:
                member.ready(events)

    def until(self, condition, what, deadline=None):
        """Move everybody until condition() is true. What it returned is returned."""
        limit = time.monotonic() + (self.deadline if deadline is None else deadline)
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < limit, f"waited in vain for: {what}\n{self.describe()}"
            self.step(0.002 if any(m.slow for m in self.members.values()) else 0.01)

    def until_still(self, senders, deadline=None):
        """Wait until nothing of theirs has moved for a while."""
        seen = [None, time.monotonic()]

        def still():
            now = [(s.wire_sent, s.outq) for s in senders]
            if now != seen[0]:
                seen[:] = [now, time.monotonic()]
            return all(s.wire_sent > 0 for s in senders) and time.monotonic() - seen[1] > 0.25
        self.until(still, "senders to be still", deadline)

    def until_blocked(self, senders, deadline=None):
        """Wait until the other side takes no more, though there is more."""
        self.until_still(senders, deadline)
        for s in senders:
            assert s._todo or s._wire_left, f"everything was taken: {s}"

    def run(self, seconds):
        """Move everybody for a while: only to measure over a window or to look for what must not be."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.step(min(0.01, max(0.0, limit - time.monotonic())))

    def describe(self):
        return "\n".join(str(m) for m in self.everyone)

    # -- makers ------------------------------------------------------------

    def listen(self, address="127.0.0.1:0", tls=None, rcvbuf=None, sndbuf=None, backlog=4096):
        return Listener(self, address, tls, rcvbuf, sndbuf, backlog)

    def connect(self, address, tls=None, name="client", server_name="localhost", rcvbuf=None,
                sndbuf=None, source=None, session=None):
        family, where = split_address(address)
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        if rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if sndbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        if source:
            sock.bind((source, 0))
        error = sock.connect_ex(where)
        if error not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(error, f"connect {address}: {errno.errorcode[error]}")
        return Peer(self, sock, tls=tls, server=False, name=name, server_name=server_name,
                    session=session)


class Listener:
    slow = False

    def __init__(self, net, address, tls, rcvbuf, sndbuf, backlog):
        self.net, self.tls = net, tls
        family, where = split_address(address)
        self.family = family
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        if family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if sndbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(where)
        self.sock.listen(backlog)
        self.address = address_text(self.sock.getsockname(), family)
        self.accepting = True
        self.waiting = collections.deque()
        net.add(self)

    @property
    def port(self):
        return self.sock.getsockname()[1]

    def fileno(self):
        return self.sock.fileno()

    def interest(self):
        return select.EPOLLIN if self.accepting else None

    def ready(self, _events):
        try:
            sock, _ = self.sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.waiting.append(Peer(self.net, sock, tls=self.tls, server=True, name="upstream"))

    def accept(self, deadline=None):
        """The next connection, as a Peer (its TLS handshake may still be under way)."""
        self.net.until(lambda: self.waiting, f"a connection to {self.address}", deadline)
        return self.waiting.popleft()

    def close(self):
        fd = self.fileno()
        if fd >= 0:
            self.net.forget(self, fd)
            self.sock.close()

    def __str__(self):
        return f"  listener {self.address if self.fileno() >= 0 else 'closed'}: {len(self.waiting)} waiting"


class Peer:
    def __init__(self, net, sock, tls=None, server=False, name="peer", server_name=None, session=None):
        self.net, self.sock, self.name, self.server = net, sock, name, server
        sock.setblocking(False)
        self.family = sock.family
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connected = server
        self.reading = True
        self.rate = None           # (octets, seconds): a slow reader
        self._read_at = 0.0
        self.drip = None           # at most so many octets in one write
        self.received = bytearray()
        self.sent = 0              # octets of plaintext queued by the test
        self.self_reset = False
        self.self_ended = False
        self.tcp_end = None        # 'fin' | 'reset'
        self.tls_end = None        # 'close_notify' | 'alert …' | 'error …'
        self.cut = False
        self.after_end = 0         # octets of plaintext or garbage after an end: must stay 0
        self._send_error = False
        self.dropped = False       # something queued could not be sent
        self._todo = collections.deque()
        self._wire = collections.deque()
        self._wire_left = 0
        self.wire_sent = 0
        self._records = [(0, 0)]   # (wire offset, plaintext offset) after each record
        self._plain_made = 0
        self._wire_made = 0
        self.address = None
        self.remote = None
        self.partner = None        # at the other end of the forwarder
        self.context = tls
        self.tls = None
        if tls is not None:
            self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = tls.wrap_bio(self._in, self._out, server_side=server,
                                    server_hostname=None if server else server_name, session=session)
        self.established = tls is None
        self.tls_version = self.tls_cipher = self.tls_alpn = None
        if server:
            self._learn_addresses()
        net.add(self)

    def _learn_addresses(self):
        self.address = address_text(self.sock.getsockname(), self.family)
        try:
            self.remote = address_text(self.sock.getpeername(), self.family)
        except OSError:
            pass  # reset already

    # -- what happened -------------------------------------------------------

    @property
    def ended(self):
        if self.tls is None:
            return {"fin": "end", "reset": "reset"}.get(self.tcp_end)
        if self.tls_end and self.tls_end != "close_notify":
            return self.tls_end if self.tcp_end else None
        if self.tcp_end == "fin":
            return "end" if self.tls_end == "close_notify" else "truncated"
        if self.tcp_end == "reset":
            return "reset" if self.tls_end is None else "end, then reset before FIN"
        return None

    @property
    def sha256(self):
        return hashlib.sha256(self.received).hexdigest()

    @property
    def outq(self):
        """Octets in the kernel that the other side's kernel has not acknowledged."""
        return struct.unpack("i", fcntl.ioctl(self.sock, SIOCOUTQ, b"\0" * 4))[0]

    @property
    def unread(self):
        """Octets in the kernel that this peer has not read."""
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.FIONREAD, b"\0" * 4))[0]

    @property
    def arrived(self):
        """How many octets of plaintext have certainly arrived in the other side's kernel, in records
        that it can read."""
        acknowledged = self.wire_sent - self.outq
        if self.tls is None:
            return acknowledged
        at = bisect.bisect_right(self._records, (acknowledged, float("inf"))) - 1
        return self._records[at][1]

    @property
    def handed(self):
        """Octets of plaintext that were given to the kernel, at most."""
        if self.tls is None:
            return self.wire_sent
        at = bisect.bisect_left(self._records, (self.wire_sent, -1))
        return self._records[min(at, len(self._records) - 1)][1]

    def __str__(self):
        state = [f"  {self.name} {self.address}<->{self.remote}"]
        if self.tls is not None:
            state.append(f"{self.tls_version} established={self.established} tls_end={self.tls_end}")
        state.append(f"received={len(self.received)} queued={self.sent} handed={self.handed} "
                     f"todo={len(self._todo)} wire_left={self._wire_left} tcp_end={self.tcp_end} "
                     f"cut={self.cut} reading={self.reading} ended={self.ended}")
        return " ".join(state)

    # -- what to do ------------------------------------------------------------

    def send(self, data):
        self.sent += len(data)
        self._todo.append(memoryview(bytes(data)))
        return self

    def end(self):
        """FIN (plain), close_notify and then FIN (TLS), after everything queued."""
        self._todo.append(self._do_end)
        return self

    def close_notify(self):
        """close_notify without FIN."""
        self._todo.append(self._do_close_notify)
        return self

    def fin(self):
        """FIN; on TLS without close_notify."""
        self._todo.append(self._do_fin)
        return self

    def send_with_end(self, data):
        """Data and end in as few segments as can be: both are there in one wakeup."""
        self.sent += len(data)

        def both():
            if self.tls is not None:
                self._encrypt(data)
                self._do_close_notify()
            else:
                self._put(data)
            pending = b"".join(bytes(v) for v in self._wire)
            self._wire.clear()
            self._wire_left = 0
            sent = self.sock.send(pending, socket.MSG_MORE)
            assert sent == len(pending), "meant for small data"
            self.wire_sent += sent
            self._do_fin()
        self._todo.append(both)
        return self

    def alert(self):
        """A fatal alert (bad_record_mac, since that is what our TLS library can be made to send)."""
        self._todo.append(self._do_alert)
        return self

    def raw(self, data):
        """Octets on the wire as they are, beneath TLS."""
        self._todo.append(lambda: self._put(data))
        return self

    def bad_record(self):
        """A record that is well-formed and does not verify."""
        return self.raw(b"\x17\x03\x03\x00\x40" + bytes(range(64)))

    def reset(self):
        """RST now; what the kernel had not sent is lost."""
        self.self_reset = True
        if self.sock.fileno() >= 0:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        fd = self.sock.fileno()
        if fd >= 0:
            self.net.forget(self, fd)
            self.sock.close()

    def pause(self):
        self.reading = False
        return self

    def resume(self, rate=None):
        self.reading, self.rate = True, rate
        return self

    # -- waiting -----------------------------------------------------------------

    def until_established(self, deadline=None):
        self.net.until(lambda: self.established or self.ended, f"{self.name}: handshake", deadline)
        assert self.established, f"handshake failed: {self}"
        return self

    def until_received(self, n, deadline=None):
        self.net.until(lambda: len(self.received) >= n or self.ended or self.cut,
                       f"{self.name}: {n} octets", deadline)
        assert len(self.received) >= n, f"ended before {n} octets: {self}"
        return self

    def until_ended(self, deadline=None):
        self.net.until(lambda: self.ended, f"{self.name}: an end", deadline)
        return self.ended

    def until_cut(self, deadline=None):
        self.net.until(lambda: self.cut, f"{self.name}: an RST", deadline)

    def flush(self, deadline=None):
        """Wait until everything queued is in the kernel's hands."""
        self.net.until(lambda: self.connected and self.established and not self._todo
                       and not self._wire_left or self.cut or self.dropped, f"{self.name}: everything sent", deadline)
        assert not self.dropped, f"cut before everything was sent: {self}"
        return self

    def drain(self, deadline=None):
        """Wait until everything queued has arrived in the other side's kernel."""
        self.flush(deadline)
        self.net.until(lambda: self.outq == 0, f"{self.name}: everything acknowledged", deadline)
        return self

    def until_blocked(self, deadline=None):
        """Wait until the other side does not take more: nothing moved for a while."""
        self.net.until_blocked([self], deadline)
        return self

    # -- the works -----------------------------------------------------------------

    @property
    def slow(self):
        return self.rate is not None

    def fileno(self):
        return self.sock.fileno()

    def _wants_write(self):
        return bool(self._wire_left or (self.established and self._todo))

    def interest(self):
        if not self.connected:
            return select.EPOLLOUT
        mask = 0
        if self.tcp_end is None and self.reading and time.monotonic() >= self._read_at:
            mask |= select.EPOLLIN
        if self._wants_write() and not self._send_error:
            mask |= select.EPOLLOUT
        if mask:
            return mask
        if self.tcp_end == "fin" and not self.cut and self.sock.fileno() >= 0 and not self._hung_up:
            return 0  # EPOLLERR alone: an RST that comes after the end
        return None

    _hung_up = False

    def ready(self, events):
        if not self.connected:
            self._finish_connect()
            return
        if self.tcp_end == "fin":
            if events & select.EPOLLERR:
                self._note_cut()
            elif events & select.EPOLLHUP:
                self._hung_up = True
        elif self.reading and events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._read()
        if events & select.EPOLLOUT and self.sock.fileno() >= 0:
            self._write()

    def _finish_connect(self):
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.connected = True
        self._learn_addresses()
        if error in (errno.ECONNRESET, errno.EPIPE):
            self._note_cut()  # connected, and reset before we looked: what came before it is read
            return
        if error:
            self.tcp_end, self.cut = "reset", True
            self.connect_error = errno.errorcode[error]
            return
        if self.tls is not None:
            self._handshake()
        self._write()

    connect_error = None

    def _note_cut(self):
        self.cut = True
        self._send_error = True
        self._drop()
        self.dropped = self.dropped or self._wire_left > 0
        self._wire.clear()
        self._wire_left = 0

    def _drop(self):
        """What is queued will never be sent."""
        self.dropped = self.dropped or bool(self._todo)
        self._todo.clear()

    def _read(self):
        size = self.rate[0] if self.rate else READ_SIZE
        if self.rate:
            self._read_at = time.monotonic() + self.rate[1]
        try:
            data = self.sock.recv(size)
        except BlockingIOError:
            return
        except OSError:
            self.tcp_end = "reset"
            self._note_cut()
            return
        if not data:
            # a failed send took the socket's error with it; after that a reset reads like an end
            self.tcp_end = "reset" if self._send_error else "fin"
            return
        if self.tls is None:
            self.received += data
        else:
            self._decrypt(data)

    def _handshake(self):
        try:
            self.tls.do_handshake()
            self.established = True
            self.tls_version, self.tls_cipher = self.tls.version(), self.tls.cipher()[0]
            self.tls_alpn = self.tls.selected_alpn_protocol()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as e:
            self._tls_failed(e)
        self._collect()

    def _decrypt(self, data):
        if self.tls_end is not None:
            self.after_end += len(data)
            return
        self._in.write(data)
        if not self.established:
            self._handshake()
            if not self.established:
                return
        try:
            while self.tls_end is None:
                some = self.tls.read(READ_SIZE)
                self.received += some
                if not some:
                    raise ssl.SSLZeroReturnError
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.tls_end = "close_notify"
            self.after_end += self._in.pending
        except ssl.SSLError as e:
            self._tls_failed(e)
        self._collect()

    def _tls_failed(self, e):
        self._drop()
        # Python has no name for some alerts; OpenSSL's text has.
        text = re.sub(r"^\[[^]]*\] *| *\(_ssl\.c:\d+\)$", "", str(e))
        reason = (e.reason or text.replace(" ", "_")).upper()
        for prefix in ("TLSV1_ALERT_", "SSLV3_ALERT_", "TLSV13_ALERT_", "TLSV1_"):
            if reason.startswith(prefix):
                self.tls_end = "alert " + reason[len(prefix):].lower()
                return
        self.tls_end = "error " + reason.lower()

    def _put(self, data):
        if data:
            self._wire.append(memoryview(data))
            self._wire_left += len(data)
            self._wire_made += len(data)

    def _collect(self):
        if self._out.pending:
            self._put(self._out.read())

    def _encrypt(self, data):
        self.tls.write(data)
        self._collect()
        self._plain_made += len(data)
        self._records.append((self._wire_made, self._plain_made))

    def _advance(self):
        """Turn the next thing to do into octets on the wire."""
        item = self._todo[0]
        if callable(item):
            self._todo.popleft()
            item()
        elif self.tls is None:
            self._todo.popleft()
            self._put(item)
        else:
            self._encrypt(item[:RECORD])
            if len(item) > RECORD:
                self._todo[0] = item[RECORD:]
            else:
                self._todo.popleft()

    def _write(self):
        while self._wants_write():
            if not self._wire_left:
                self._advance()
                continue
            piece = self._wire[0]
            try:
                sent = self.sock.send(piece[:self.drip])
            except BlockingIOError:
                return
            except OSError:
                self._note_cut()
                return
            self.wire_sent += sent
            self._wire_left -= sent
            if sent == len(piece):
                self._wire.popleft()
            else:
                self._wire[0] = piece[sent:]

    def _do_close_notify(self):
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        self._collect()

    def _do_fin(self):
        self.self_ended = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._note_cut()

    def _do_end(self):
        if self.tls is not None:
            self._do_close_notify()
            self._todo.appendleft(self._do_fin)
        else:
            self._do_fin()

    def _do_alert(self):
        # Our TLS library is shown a record that does not verify, and complains to the other side.
        self._in.write(b"\x17\x03\x03\x40\x00" + b"\x55" * 0x4000 + b"\x17\x03\x03\x40\x00" + b"\x55" * 0x4000)
        try:
            while some := self.tls.read(READ_SIZE):
                self.received += some
        except ssl.SSLError:
            pass
        made = self._out.read()
        assert made, "no alert was made"
        self._put(made)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()  # this session is over
        self.tls_end = "alert sent"
