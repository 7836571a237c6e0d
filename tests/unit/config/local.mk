EXTRA_DIST += tests/unit/config/attempt.h

if HAVE_CMOCKA

config_tests = \
	tests/unit/config/test_changes \
	tests/unit/config/test_check \
	tests/unit/config/test_dump \
	tests/unit/config/test_files \
	tests/unit/config/test_kinds \
	tests/unit/config/test_read \
	tests/unit/config/test_rows \
	tests/unit/config/test_scan
check_PROGRAMS += $(config_tests)
TESTS += $(config_tests)

config_test_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
config_test_ldadd = $(LDADD) $(CMOCKA_LIBS)

tests_unit_config_test_changes_SOURCES  = tests/unit/config/test_changes.c tests/unit/config/attempt.c
tests_unit_config_test_changes_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_changes_LDADD    = $(config_test_ldadd)
tests_unit_config_test_check_SOURCES  = tests/unit/config/test_check.c tests/unit/config/attempt.c
tests_unit_config_test_check_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_check_LDADD    = $(config_test_ldadd)
tests_unit_config_test_dump_SOURCES  = tests/unit/config/test_dump.c tests/unit/config/attempt.c
tests_unit_config_test_dump_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_dump_LDADD    = $(config_test_ldadd)
tests_unit_config_test_files_SOURCES  = tests/unit/config/test_files.c tests/unit/config/attempt.c
tests_unit_config_test_files_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_files_LDADD    = $(config_test_ldadd)
tests_unit_config_test_kinds_SOURCES  = tests/unit/config/test_kinds.c tests/unit/config/attempt.c
tests_unit_config_test_kinds_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_kinds_LDADD    = $(config_test_ldadd)
tests_unit_config_test_read_SOURCES  = tests/unit/config/test_read.c tests/unit/config/attempt.c
tests_unit_config_test_read_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_read_LDADD    = $(config_test_ldadd)
tests_unit_config_test_rows_SOURCES  = tests/unit/config/test_rows.c tests/unit/config/attempt.c
tests_unit_config_test_rows_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_rows_LDADD    = $(config_test_ldadd)
tests_unit_config_test_scan_SOURCES  = tests/unit/config/test_scan.c tests/unit/config/attempt.c
tests_unit_config_test_scan_CPPFLAGS = $(config_test_cppflags)
tests_unit_config_test_scan_LDADD    = $(config_test_ldadd)

endif
