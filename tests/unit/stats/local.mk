if HAVE_CMOCKA

stats_tests = \
	tests/unit/stats/test_metrics \
	tests/unit/stats/test_stats
check_PROGRAMS += $(stats_tests)
TESTS += $(stats_tests)

tests_unit_stats_test_metrics_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_stats_test_metrics_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_stats_test_stats_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_stats_test_stats_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
