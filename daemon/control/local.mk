libspliced_a_SOURCES += \
	daemon/control/command.c \
	daemon/control/command.h \
	daemon/control/commands.def \
	daemon/control/control.c \
	daemon/control/control.h \
	daemon/control/inquiry.c \
	daemon/control/inquiry.h \
	daemon/control/reply.c \
	daemon/control/reply.h \
	daemon/control/server.c \
	daemon/control/server.h \
	daemon/control/daemon.c \
	daemon/control/daemon.h \
	daemon/control/given.c \
	daemon/control/given.h \
	daemon/control/notify.c \
	daemon/control/notify.h \
	daemon/control/privileges.c \
	daemon/control/privileges.h \
	daemon/control/reload.c \
	daemon/control/reload.h \
	daemon/control/retired.c \
	daemon/control/retired.h \
	daemon/control/renewal.c \
	daemon/control/renewal.h
