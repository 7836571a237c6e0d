libspliced_a_SOURCES += \
	daemon/upstream/upstream.c \
	daemon/upstream/upstream.h
