# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# Sockets that systemd holds, taken by name.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

test_the_first_connection_starts_the_daemon_and_is_served() {
    activate
    equal "ActiveState before" "$(property ActiveState)" inactive
    echo hello | echoes 8443
    equal "ActiveState after" "$(property ActiveState)" active
    until_true recorded SPLICED_REASON=end SPLICED_LISTEN=127.0.0.1:8443
}

# spliced.socket as it is installed, on its low port, and another: each service gets its own by
# name.
test_several_services_take_their_sockets_by_name() {
    activate
    systemctl start spliced.socket
    configure <<'CONF'
services: {
    web: { listen = "systemd:web", connect = "echo" }
    https: { listen = "systemd:https", connect = "echo" }
}
CONF
    echo hello | echoes 443
    echo hello | echoes 8443
    equal CapEff "$(of_process CapEff)" 0000000000000000
    until_true recorded SPLICED_SERVICE=https SPLICED_REASON=end
    until_true recorded SPLICED_SERVICE=web SPLICED_REASON=end
}

test_no_connection_is_lost_while_the_daemon_restarts() {
    activate
    for _ in 1 2 3; do
        systemctl restart spliced
    done &
    local restarts=$! i=0
    while kill -0 $restarts 2>/dev/null || [ $i -lt 10 ]; do
        i=$((i + 1))
        echo "number $i" | echoes 8443
    done
    wait $restarts
    note "$i connections during 3 restarts"
}
