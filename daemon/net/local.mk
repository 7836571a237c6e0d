libspliced_a_SOURCES += \
	daemon/net/direct.c \
	daemon/net/direct.h \
	daemon/net/fdpass.c \
	daemon/net/fdpass.h \
	daemon/net/hangup.c \
	daemon/net/hangup.h \
	daemon/net/io.c \
	daemon/net/io.h \
	daemon/net/queue.c \
	daemon/net/queue.h \
	daemon/net/sockopt.c \
	daemon/net/sockopt.h \
	daemon/net/stream.c \
	daemon/net/stream.h \
	daemon/net/stream_direct.c \
	daemon/net/stream_direct.h \
	daemon/net/stream_plain.c \
	daemon/net/stream_plain.h \
	daemon/net/watch.c \
	daemon/net/watch.h

libspliced_a_SOURCES += \
	daemon/net/addrset.c \
	daemon/net/addrset.h \
	daemon/net/ares_loop.c \
	daemon/net/ares_loop.h \
	daemon/net/dial.c \
	daemon/net/dial.h \
	daemon/net/dial_attempts.c \
	daemon/net/dial_attempts.h \
	daemon/net/dial_socket.c \
	daemon/net/dial_socket.h \
	daemon/net/resolve.c \
	daemon/net/resolve.h \
	daemon/net/resolve_cache.c \
	daemon/net/resolve_cache.h \
	daemon/net/resolve_internal.h

libspliced_a_SOURCES += \
	daemon/net/lsock.c daemon/net/lsock.h \
	daemon/net/lsock_gate.c daemon/net/lsock_gate.h \
	daemon/net/lsock_host.c \
	daemon/net/lsock_internal.h \
	daemon/net/lsock_set.c daemon/net/lsock_set.h \
	daemon/net/lsock_systemd.c \
	daemon/net/lsock_unix.c
