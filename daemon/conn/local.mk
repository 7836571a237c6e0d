libspliced_a_SOURCES += \
	daemon/conn/recent.c \
	daemon/conn/recent.h \
	daemon/conn/conn.c \
	daemon/conn/conn.h \
	daemon/conn/conn_record.c \
	daemon/conn/left_out.c \
	daemon/conn/left_out.h \
	daemon/conn/parcel.c \
	daemon/conn/parcel.h \
	daemon/conn/parcel_members.c \
	daemon/conn/parcel_members.h \
	daemon/conn/reason.c \
	daemon/conn/reason.h \
	daemon/conn/reasons.def \
	daemon/conn/record.c \
	daemon/conn/record.h \
	daemon/conn/record_members.c \
	daemon/conn/record_members.h \
	daemon/conn/stage.h \
	daemon/conn/stage_client_tls.c \
	daemon/conn/stage_dial.c \
	daemon/conn/stage_relay.c \
	daemon/conn/stage_upstream_tls.c
