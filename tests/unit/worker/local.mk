if HAVE_CMOCKA

worker_tests = \
	tests/unit/worker/test_acceptor \
	tests/unit/worker/test_acceptor_change \
	tests/unit/worker/test_batch \
	tests/unit/worker/test_budget \
	tests/unit/worker/test_crew \
	tests/unit/worker/test_worker
check_PROGRAMS += $(worker_tests)
TESTS += $(worker_tests)

acceptor_fixture = \
	tests/unit/worker/acceptor_fixture.c \
	tests/unit/worker/acceptor_fixture.h

tests_unit_worker_test_acceptor_SOURCES = tests/unit/worker/test_acceptor.c \
	$(acceptor_fixture) $(snapshot_made)
tests_unit_worker_test_acceptor_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_acceptor_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_worker_test_acceptor_change_SOURCES = tests/unit/worker/test_acceptor_change.c \
	$(acceptor_fixture) $(snapshot_made)
tests_unit_worker_test_acceptor_change_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_acceptor_change_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_worker_test_budget_SOURCES = tests/unit/worker/test_budget.c $(snapshot_made)
tests_unit_worker_test_budget_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_budget_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_worker_test_batch_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_batch_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_worker_test_crew_SOURCES = tests/unit/worker/test_crew.c $(snapshot_made)
tests_unit_worker_test_crew_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_crew_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_worker_test_worker_SOURCES = tests/unit/worker/test_worker.c \
	$(conn_records) $(snapshot_made)
tests_unit_worker_test_worker_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_worker_test_worker_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
