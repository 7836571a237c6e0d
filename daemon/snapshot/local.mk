libspliced_a_SOURCES += \
	daemon/snapshot/snapshot.c \
	daemon/snapshot/snapshot.h \
	daemon/snapshot/tally.h
