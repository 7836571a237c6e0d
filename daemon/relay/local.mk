libspliced_a_SOURCES += \
	daemon/relay/pump.c \
	daemon/relay/pump.h \
	daemon/relay/relay.c \
	daemon/relay/relay.h
