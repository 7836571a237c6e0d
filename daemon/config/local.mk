libspliced_a_SOURCES += \
	daemon/config/bare.c daemon/config/bare.h \
	daemon/config/changes.c \
	daemon/config/changes.h \
	daemon/config/check.c daemon/config/check.h \
	daemon/config/check_listen.c \
	daemon/config/config.c daemon/config/config.h \
	daemon/config/dump.c \
	daemon/config/files.c \
	daemon/config/files.h \
	daemon/config/file.c daemon/config/file.h \
	daemon/config/grammar.c daemon/config/grammar.h \
	daemon/config/kind.c daemon/config/kind.h \
	daemon/config/kinds.def daemon/config/kinds.h \
	daemon/config/list.c daemon/config/list.h \
	daemon/config/read.c daemon/config/read.h \
	daemon/config/rows.c daemon/config/rows.h \
	daemon/config/scan.c daemon/config/scan.h \
	daemon/config/source.c daemon/config/source.h \
	daemon/config/tree.c daemon/config/tree.h \
	daemon/config/unknown.c daemon/config/unknown.h \
	daemon/config/value.c \
	daemon/config/value_read.c \
	daemon/config/directives/connect_socket.def \
	daemon/config/directives/connect_tls.def \
	daemon/config/directives/global.def \
	daemon/config/directives/listen_socket.def \
	daemon/config/directives/listen_tls.def \
	daemon/config/directives/log.def \
	daemon/config/directives/service.def
