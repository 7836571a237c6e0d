libspliced_a_SOURCES += \
	daemon/tls/cause.c daemon/tls/cause.h \
	daemon/tls/error.c daemon/tls/error.h \
	daemon/tls/info.c daemon/tls/info.h \
	daemon/tls/stream_tls.c daemon/tls/stream_tls.h
