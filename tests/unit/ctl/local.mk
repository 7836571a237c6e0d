if HAVE_CMOCKA

ctl_tests = \
	tests/unit/ctl/test_format \
	tests/unit/ctl/test_top_keys \
	tests/unit/ctl/test_top_model \
	tests/unit/ctl/test_top_page
check_PROGRAMS += $(ctl_tests)
TESTS += $(ctl_tests)

ctl_model = daemon/ctl/format.c daemon/ctl/top_model.c daemon/ctl/top_page.c
ctl_polls = tests/unit/ctl/polls.c tests/unit/ctl/polls.h

tests_unit_ctl_test_format_SOURCES = tests/unit/ctl/test_format.c daemon/ctl/format.c
tests_unit_ctl_test_format_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ctl_test_format_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_ctl_test_top_keys_SOURCES = tests/unit/ctl/test_top_keys.c $(ctl_model) $(ctl_polls) \
	daemon/ctl/client.c daemon/ctl/top.c daemon/ctl/top_no_screen.c
tests_unit_ctl_test_top_keys_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ctl_test_top_keys_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_ctl_test_top_model_SOURCES = tests/unit/ctl/test_top_model.c $(ctl_model) $(ctl_polls)
tests_unit_ctl_test_top_model_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ctl_test_top_model_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_ctl_test_top_page_SOURCES = tests/unit/ctl/test_top_page.c $(ctl_model) $(ctl_polls)
tests_unit_ctl_test_top_page_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ctl_test_top_page_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
