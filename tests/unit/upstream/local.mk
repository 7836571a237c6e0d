if HAVE_CMOCKA

check_PROGRAMS += tests/unit/upstream/test_builtin
TESTS += tests/unit/upstream/test_builtin

tests_unit_upstream_test_builtin_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_upstream_test_builtin_LDADD    = $(LDADD) $(CMOCKA_LIBS)

endif
