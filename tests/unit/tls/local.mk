if HAVE_CMOCKA

tls_tests = \
	tests/unit/tls/test_stream_tls
check_PROGRAMS += $(tls_tests)
TESTS += $(tls_tests)

tls_support = \
	tests/unit/tls/cert.c tests/unit/tls/cert.h \
	tests/unit/tls/rig.c tests/unit/tls/rig.h
tls_matrix = tests/unit/tls/matrix.c tests/unit/tls/matrix.h

tests_unit_tls_test_stream_tls_SOURCES  = tests/unit/tls/test_stream_tls.c $(tls_support) $(tls_matrix)
tests_unit_tls_test_stream_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_stream_tls_LDADD    = $(LDADD) $(CMOCKA_LIBS)

endif
