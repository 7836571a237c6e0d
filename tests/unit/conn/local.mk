if HAVE_CMOCKA

conn_tests = \
	tests/unit/conn/test_conn \
	tests/unit/conn/test_reason \
	tests/unit/conn/test_left_out \
	tests/unit/conn/test_recent \
	tests/unit/conn/test_record \
	tests/unit/conn/test_record_fields
check_PROGRAMS += $(conn_tests)
TESTS += $(conn_tests)

conn_records = tests/unit/conn/records.c tests/unit/conn/records.h
conn_sample  = tests/unit/conn/sample.c tests/unit/conn/sample.h
conn_rig = \
	tests/unit/conn/peer.c tests/unit/conn/peer.h \
	tests/unit/conn/rig.c tests/unit/conn/rig.h

tests_unit_conn_test_conn_SOURCES = tests/unit/conn/test_conn.c $(conn_rig) $(conn_records) \
	$(dial_fixture) $(snapshot_made) $(test_certs)
tests_unit_conn_test_conn_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conn_test_conn_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_conn_test_reason_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) \
	-DTOP_SRCDIR='"$(abs_top_srcdir)"'
tests_unit_conn_test_reason_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_conn_test_record_SOURCES = tests/unit/conn/test_record.c \
	$(conn_records) $(conn_sample)
tests_unit_conn_test_record_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conn_test_record_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_conn_test_record_fields_SOURCES = tests/unit/conn/test_record_fields.c $(conn_sample)
tests_unit_conn_test_record_fields_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conn_test_record_fields_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_conn_test_record_fields_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=log_record -Wl,--wrap=log_wants_fields

tests_unit_conn_test_left_out_SOURCES = tests/unit/conn/test_left_out.c $(conn_records)
tests_unit_conn_test_left_out_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conn_test_left_out_LDADD = $(LDADD) $(CMOCKA_LIBS)

tests_unit_conn_test_recent_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conn_test_recent_LDADD = $(LDADD) $(CMOCKA_LIBS)

endif
