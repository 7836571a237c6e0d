if HAVE_CMOCKA

upstream_tests = \
	tests/unit/upstream/test_builtin \
	tests/unit/upstream/test_builtin_relay \
	tests/unit/upstream/test_upstream
check_PROGRAMS += $(upstream_tests)
TESTS += $(upstream_tests)

tests_unit_upstream_test_builtin_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_upstream_test_builtin_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_upstream_test_builtin_relay_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_upstream_test_builtin_relay_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_upstream_test_upstream_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_upstream_test_upstream_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
