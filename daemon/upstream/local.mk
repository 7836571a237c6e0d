libspliced_a_SOURCES += \
	daemon/upstream/builtin.c daemon/upstream/builtin.h \
	daemon/upstream/upstream.c \
	daemon/upstream/upstream.h
