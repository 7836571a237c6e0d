if HAVE_CMOCKA

base_tests = \
	tests/unit/base/test_addr \
	tests/unit/base/test_cidr \
	tests/unit/base/test_clock \
	tests/unit/base/test_diag \
	tests/unit/base/test_log \
	tests/unit/base/test_log_system \
	tests/unit/base/test_mailbox \
	tests/unit/base/test_pulse \
	tests/unit/base/test_memory \
	tests/unit/base/test_text \
	tests/unit/base/test_throttle
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)

tests_unit_base_test_addr_CPPFLAGS    = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_addr_LDADD       = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_cidr_CPPFLAGS    = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_cidr_LDADD       = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_clock_CPPFLAGS   = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_clock_LDADD      = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_diag_CPPFLAGS    = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_diag_LDADD       = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_log_CPPFLAGS     = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_log_LDADD        = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_log_system_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_log_system_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_mailbox_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_mailbox_LDADD    = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_pulse_CPPFLAGS   = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_pulse_LDADD      = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_memory_CPPFLAGS  = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_memory_LDADD     = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_text_CPPFLAGS    = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_text_LDADD       = $(LDADD) $(CMOCKA_LIBS)
tests_unit_base_test_throttle_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_base_test_throttle_LDADD   = $(LDADD) $(CMOCKA_LIBS)

endif
