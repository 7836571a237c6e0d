if HAVE_CMOCKA

tls_tests = \
	tests/unit/tls/test_certificate \
	tests/unit/tls/test_context_connect \
	tests/unit/tls/test_context_listen \
	tests/unit/tls/test_context_mistakes \
	tests/unit/tls/test_error \
	tests/unit/tls/test_handshake \
	tests/unit/tls/test_ktls \
	tests/unit/tls/test_ktls_receive \
	tests/unit/tls/test_ktls_record \
	tests/unit/tls/test_ktls_send \
	tests/unit/tls/test_memory \
	tests/unit/tls/test_names \
	tests/unit/tls/test_stream_ktls \
	tests/unit/tls/test_stream_tls \
	tests/unit/tls/test_stream_tls_direct \
	tests/unit/tls/test_stream_tls_flow
check_PROGRAMS += $(tls_tests)
TESTS += $(tls_tests)

tls_certs  = tests/unit/tls/cert.c tests/unit/tls/cert.h
tls_rig    = tests/unit/tls/rig.c tests/unit/tls/rig.h $(tls_certs)
tls_ktls   = tests/unit/tls/ktls_rig.c tests/unit/tls/ktls_rig.h $(tls_rig)
tls_files  = tests/unit/tls/files.c tests/unit/tls/files.h $(tls_certs)
tls_matrix = tests/unit/tls/matrix.c tests/unit/tls/matrix.h
tls_shake  = tests/unit/tls/shake.c tests/unit/tls/shake.h

tests_unit_tls_test_certificate_SOURCES  = tests/unit/tls/test_certificate.c $(tls_certs)
tests_unit_tls_test_certificate_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_certificate_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_context_connect_SOURCES  = tests/unit/tls/test_context_connect.c \
	$(tls_rig) $(tls_shake)
tests_unit_tls_test_context_connect_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_context_connect_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_context_listen_SOURCES  = tests/unit/tls/test_context_listen.c \
	$(tls_files) $(tls_shake)
tests_unit_tls_test_context_listen_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_context_listen_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_context_mistakes_SOURCES  = tests/unit/tls/test_context_mistakes.c \
	$(tls_files) $(tls_shake)
tests_unit_tls_test_context_mistakes_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_context_mistakes_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_error_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_error_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_handshake_SOURCES  = tests/unit/tls/test_handshake.c $(tls_rig) $(tls_matrix)
tests_unit_tls_test_handshake_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_handshake_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_ktls_SOURCES  = tests/unit/tls/test_ktls.c $(tls_ktls)
tests_unit_tls_test_ktls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_ktls_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_ktls_receive_SOURCES  = tests/unit/tls/test_ktls_receive.c $(tls_ktls)
tests_unit_tls_test_ktls_receive_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_ktls_receive_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_ktls_send_SOURCES  = tests/unit/tls/test_ktls_send.c $(tls_ktls)
tests_unit_tls_test_ktls_send_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_ktls_send_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_ktls_record_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_ktls_record_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_memory_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_memory_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_names_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_names_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_stream_ktls_SOURCES  = tests/unit/tls/test_stream_ktls.c \
	$(tls_rig) $(tls_matrix)
tests_unit_tls_test_stream_ktls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_stream_ktls_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_stream_tls_SOURCES  = tests/unit/tls/test_stream_tls.c $(tls_rig) $(tls_matrix)
tests_unit_tls_test_stream_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_stream_tls_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_stream_tls_flow_SOURCES  = tests/unit/tls/test_stream_tls_flow.c \
	$(tls_rig) $(tls_matrix)
tests_unit_tls_test_stream_tls_flow_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_stream_tls_flow_LDADD    = $(LDADD) $(CMOCKA_LIBS)

tests_unit_tls_test_stream_tls_direct_SOURCES  = tests/unit/tls/test_stream_tls_direct.c \
	$(tls_rig) $(tls_matrix)
tests_unit_tls_test_stream_tls_direct_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_tls_test_stream_tls_direct_LDADD    = $(LDADD) $(CMOCKA_LIBS)

endif
