if HAVE_CMOCKA

check_PROGRAMS += tests/unit/options/test_options
TESTS += tests/unit/options/test_options

tests_unit_options_test_options_SOURCES = tests/unit/options/test_options.c \
	daemon/options.c daemon/options.h
tests_unit_options_test_options_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) \
	-DDEFAULT_CONFIG='"/default/spliced.conf"'
tests_unit_options_test_options_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
