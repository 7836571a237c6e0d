if HAVE_CMOCKA

net_tests = \
	tests/unit/net/test_dial \
	tests/unit/net/test_dial_resources \
	tests/unit/net/test_io \
	tests/unit/net/test_queue \
	tests/unit/net/test_resolve \
	tests/unit/net/test_resolve_cache \
	tests/unit/net/test_sockopt \
	tests/unit/net/test_stream_direct \
	tests/unit/net/test_stream_plain \
	tests/unit/net/test_stream_splice \
	tests/unit/net/test_watch
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)

net_fixture = \
	tests/unit/net/dns_server.c \
	tests/unit/net/dns_server.h \
	tests/unit/net/net_fixture.c \
	tests/unit/net/net_fixture.h
dial_fixture = $(net_fixture) \
	tests/unit/net/dial_fixture.c \
	tests/unit/net/dial_fixture.h
direct_fixture = \
	tests/unit/net/direct_fixture.c \
	tests/unit/net/direct_fixture.h

tests_unit_net_test_dial_SOURCES = tests/unit/net/test_dial.c $(dial_fixture)
tests_unit_net_test_dial_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_dial_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_dial_resources_SOURCES = tests/unit/net/test_dial_resources.c $(dial_fixture)
tests_unit_net_test_dial_resources_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_dial_resources_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_io_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_io_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_queue_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_queue_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_resolve_SOURCES = tests/unit/net/test_resolve.c $(net_fixture)
tests_unit_net_test_resolve_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_resolve_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_resolve_cache_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_resolve_cache_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_sockopt_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_sockopt_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_stream_direct_SOURCES = tests/unit/net/test_stream_direct.c $(direct_fixture)
tests_unit_net_test_stream_direct_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_stream_direct_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_stream_plain_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_stream_plain_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_stream_splice_SOURCES = tests/unit/net/test_stream_splice.c $(direct_fixture)
tests_unit_net_test_stream_splice_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_stream_splice_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_watch_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_watch_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif

if HAVE_CMOCKA

lsock_tests = \
	tests/unit/net/test_lsock \
	tests/unit/net/test_lsock_gate \
	tests/unit/net/test_lsock_systemd \
	tests/unit/net/test_lsock_unix
check_PROGRAMS += $(lsock_tests)
TESTS += $(lsock_tests)

lsock_fixture = \
	tests/unit/net/lsock_fixture.c \
	tests/unit/net/lsock_fixture.h

tests_unit_net_test_lsock_SOURCES = tests/unit/net/test_lsock.c $(lsock_fixture)
tests_unit_net_test_lsock_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_lsock_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_lsock_gate_SOURCES = tests/unit/net/test_lsock_gate.c $(lsock_fixture)
tests_unit_net_test_lsock_gate_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_lsock_gate_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_lsock_systemd_SOURCES = tests/unit/net/test_lsock_systemd.c $(lsock_fixture)
tests_unit_net_test_lsock_systemd_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_lsock_systemd_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_net_test_lsock_unix_SOURCES = tests/unit/net/test_lsock_unix.c $(lsock_fixture)
tests_unit_net_test_lsock_unix_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_net_test_lsock_unix_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
