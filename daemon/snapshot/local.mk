libspliced_a_SOURCES += \
	daemon/snapshot/admin_sockets.c \
	daemon/snapshot/admin_sockets.h \
	daemon/snapshot/counts.c \
	daemon/snapshot/counts.h \
	daemon/snapshot/service.c \
	daemon/snapshot/service.h \
	daemon/snapshot/snapshot.c \
	daemon/snapshot/snapshot.h \
	daemon/snapshot/sockets.c \
	daemon/snapshot/sockets.h \
	daemon/snapshot/tally.h
