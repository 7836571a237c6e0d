libspliced_a_SOURCES += \
	daemon/net/hangup.c \
	daemon/net/hangup.h \
	daemon/net/stream.c \
	daemon/net/stream.h \
	daemon/net/stream_plain.c \
	daemon/net/stream_plain.h
