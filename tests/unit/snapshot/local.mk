EXTRA_DIST += tests/unit/child.h

if HAVE_CMOCKA

snapshot_tests = \
	tests/unit/snapshot/test_snapshot \
	tests/unit/snapshot/test_successor \
	tests/unit/snapshot/test_tally
check_PROGRAMS += $(snapshot_tests)
TESTS += $(snapshot_tests)

snapshot_made = tests/unit/snapshot/made.c tests/unit/snapshot/made.h
test_certs = tests/unit/tls/cert.c tests/unit/tls/cert.h

tests_unit_snapshot_test_snapshot_SOURCES = tests/unit/snapshot/test_snapshot.c \
	$(snapshot_made) $(test_certs)
tests_unit_snapshot_test_snapshot_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_snapshot_test_snapshot_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_snapshot_test_successor_SOURCES = tests/unit/snapshot/test_successor.c \
	$(snapshot_made) $(test_certs)
tests_unit_snapshot_test_successor_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_snapshot_test_successor_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_snapshot_test_tally_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_snapshot_test_tally_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
