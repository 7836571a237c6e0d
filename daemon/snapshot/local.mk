libspliced_a_SOURCES += \
	daemon/snapshot/snapshot.c \
	daemon/snapshot/snapshot.h \
	daemon/snapshot/sockets.c \
	daemon/snapshot/sockets.h \
	daemon/snapshot/tally.h
