libspliced_a_SOURCES += \
	daemon/base/clock.c daemon/base/clock.h \
	daemon/base/own.c daemon/base/own.h \
	daemon/base/ref.h
