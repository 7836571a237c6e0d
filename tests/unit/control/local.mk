if HAVE_CMOCKA

control_tests = \
	tests/unit/control/test_admin_request \
	tests/unit/control/test_daemon \
	tests/unit/control/test_heritage \
	tests/unit/control/test_heritage_tls \
	tests/unit/control/test_privileges \
	tests/unit/control/test_renewal \
	tests/unit/control/test_sandbox \
	tests/unit/control/test_sandbox_ports
check_PROGRAMS += $(control_tests)
TESTS += $(control_tests)

tests_unit_control_test_admin_request_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_admin_request_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_daemon_SOURCES = tests/unit/control/test_daemon.c \
	$(conn_records) $(snapshot_made)
tests_unit_control_test_daemon_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_daemon_LDADD = $(LDADD) $(CMOCKA_LIBS)

control_moving = \
	tests/unit/control/moving.c tests/unit/control/moving.h \
	$(conn_rig) $(conn_records) $(dial_fixture) $(snapshot_made) $(test_certs)

tests_unit_control_test_heritage_SOURCES = tests/unit/control/test_heritage.c $(control_moving)
tests_unit_control_test_heritage_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_heritage_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_heritage_tls_SOURCES = tests/unit/control/test_heritage_tls.c \
	$(control_moving)
tests_unit_control_test_heritage_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_heritage_tls_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_privileges_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_privileges_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_renewal_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_renewal_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_sandbox_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_sandbox_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_control_test_sandbox_ports_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_control_test_sandbox_ports_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
