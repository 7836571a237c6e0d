# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# The journal's fields, and the other places a log can go to.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

test_the_record_is_in_the_journal_field_by_field() {
    configure_echo
    systemctl start spliced
    echo hello | echoes 7007
    until_true recorded SPLICED_REASON=end
    local entry
    entry=$(record SPLICED_REASON=end)
    has "$entry" SPLICED_SERVICE loop
    has "$entry" SPLICED_LISTEN 127.0.0.1:7007
    has "$entry" SPLICED_CLIENT '127.0.0.1:*'
    has "$entry" SPLICED_UPSTREAM echo
    has "$entry" SPLICED_BYTES_UP 6
    has "$entry" SPLICED_BYTES_DOWN 6
    has "$entry" PRIORITY 6
    has "$entry" SYSLOG_IDENTIFIER spliced
    has "$entry" _TRANSPORT journal
    has "$entry" _PID "$(property MainPID)"
    has "$entry" MESSAGE 'loop: 127.0.0.1:* end by *'
}

# Closing with octets unread resets the connection.
test_a_cut_is_more_than_information() {
    configure <<'CONF'
services: { noise: { listen = "127.0.0.1:7019", connect = "chargen" } }
CONF
    systemctl start spliced
    exec 7<>/dev/tcp/127.0.0.1/7019
    read -r -u 7 _
    exec 7>&-
    until_true recorded SPLICED_REASON=client-reset
    local entry
    entry=$(record SPLICED_REASON=client-reset)
    has "$entry" SPLICED_SERVICE noise
    has "$entry" SPLICED_ENDED_BY client
    has "$entry" PRIORITY 5
}

test_usr1_opens_a_log_file_again() {
    local log=/var/log/spliced/spliced.log
    configure_echo "log: { target = \"$log\" }"
    systemctl start spliced
    echo first | echoes 7007
    until_true grep -q '"reason":"end"' $log
    mv $log $log.1
    systemctl kill --signal=USR1 spliced
    until_true test -e $log
    echo second | echoes 7007
    until_true grep -q '"reason":"end"' $log
    equal "records in the old file" "$(grep -c '"reason":"end"' $log.1)" 1
    equal "the owner" "$(stat -c %U $log)" spliced
}

test_every_target_takes_the_log() {
    local target
    for target in auto journal syslog stderr; do
        configure_echo "log: { target = \"$target\" }"
        systemctl start spliced
        # What the fields of the journal are for is said in words elsewhere.
        until_true recorded "SYSLOG_IDENTIFIER=spliced" "_PID=$(property MainPID)" PRIORITY=6
        systemctl stop spliced
    done
}
