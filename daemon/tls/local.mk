libspliced_a_SOURCES += \
	daemon/tls/alpn.c daemon/tls/alpn.h \
	daemon/tls/cause.c daemon/tls/cause.h \
	daemon/tls/certificate.c daemon/tls/certificate.h \
	daemon/tls/context.c daemon/tls/context.h \
	daemon/tls/context_connect.c \
	daemon/tls/context_internal.h \
	daemon/tls/context_listen.c \
	daemon/tls/error.c daemon/tls/error.h \
	daemon/tls/info.c daemon/tls/info.h \
	daemon/tls/keypair.c daemon/tls/keypair.h \
	daemon/tls/ktls.c daemon/tls/ktls.h \
	daemon/tls/ktls_record.c daemon/tls/ktls_record.h \
	daemon/tls/memory.c daemon/tls/memory.h \
	daemon/tls/names.c daemon/tls/names.h \
	daemon/tls/profile.c daemon/tls/profile.h \
	daemon/tls/record_bio.c daemon/tls/record_bio.h \
	daemon/tls/records.c daemon/tls/records.h \
	daemon/tls/shutdown.c daemon/tls/shutdown.h \
	daemon/tls/sni.c daemon/tls/sni.h \
	daemon/tls/stream_ktls.c daemon/tls/stream_ktls.h \
	daemon/tls/stream_tls.c daemon/tls/stream_tls.h \
	daemon/tls/stream_tls_direct.c daemon/tls/stream_tls_direct.h \
	daemon/tls/stream_tls_direct_internal.h \
	daemon/tls/stream_tls_direct_send.c \
	daemon/tls/verify.c daemon/tls/verify.h
