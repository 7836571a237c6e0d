check_PROGRAMS += tests/unit/relay/test_relay
tests_unit_relay_test_relay_SOURCES = tests/unit/relay/test_relay.c \
	tests/unit/relay/script.c tests/unit/relay/script.h
tests_unit_relay_test_relay_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_relay_test_relay_LDADD = $(LDADD) $(CMOCKA_LIBS)
TESTS += tests/unit/relay/test_relay

check_PROGRAMS += tests/unit/relay/test_relay_memory
tests_unit_relay_test_relay_memory_SOURCES = tests/unit/relay/test_relay_memory.c \
	tests/unit/relay/script.c tests/unit/relay/script.h
tests_unit_relay_test_relay_memory_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_relay_test_relay_memory_LDADD = $(LDADD) $(CMOCKA_LIBS)
TESTS += tests/unit/relay/test_relay_memory

check_PROGRAMS += tests/unit/relay/test_pump_direct
tests_unit_relay_test_pump_direct_SOURCES = tests/unit/relay/test_pump_direct.c \
	tests/unit/relay/script.c tests/unit/relay/script.h
tests_unit_relay_test_pump_direct_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_relay_test_pump_direct_LDADD = $(LDADD) $(CMOCKA_LIBS)
TESTS += tests/unit/relay/test_pump_direct
