# check_PROGRAMS += tests/unit/base/test_text
# tests_unit_base_test_text_SOURCES = tests/unit/base/test_text.c
# tests_unit_base_test_text_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
# tests_unit_base_test_text_LDADD = $(LDADD) $(CMOCKA_LIBS)
