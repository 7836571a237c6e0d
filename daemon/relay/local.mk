libspliced_a_SOURCES += \
	daemon/relay/pump.c \
	daemon/relay/pump.h \
	daemon/relay/pump_buffer.c \
	daemon/relay/pump_direct.c \
	daemon/relay/relay.c \
	daemon/relay/relay.h
