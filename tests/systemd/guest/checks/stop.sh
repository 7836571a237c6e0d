# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What `systemctl stop spliced` does to those who are connected.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

is_refused() {
    ! nc -z 127.0.0.1 "$1"
}

# connected_client: a connection to 127.0.0.1:7007 by netcat, which reads what it sends from
# descriptor 7 and writes what it gets to $tmp/got; its process is $client.
connected_client() {
    mkfifo $tmp/sends
    timeout $patience nc -N 127.0.0.1 7007 <$tmp/sends >$tmp/got &
    client=$!
    exec 7>$tmp/sends
    echo before >&7
    until_true grep -q before $tmp/got
}

test_stop_waits_for_connections_that_are_open() {
    configure_echo
    systemctl start spliced
    connected_client
    systemctl stop --no-block spliced
    until_true is ActiveState deactivating
    until_true is StatusText "draining, 1 connection"
    until_true is_refused 7007

    head -c 3000001 /dev/urandom >$tmp/rest
    cat $tmp/rest >&7
    exec 7>&-
    wait "$client"
    (echo before && cat $tmp/rest) | cmp - $tmp/got
    stopped_well
    until_true recorded SPLICED_REASON=end SPLICED_BYTES_DOWN=3000008
}

# They had connected, and been heard by the kernel, when the daemon stood still.
test_stop_serves_those_who_wait_in_the_backlog() {
    configure_echo
    systemctl start spliced
    local pid i clients=()
    pid=$(property MainPID)
    kill -STOP "$pid"
    for i in {1..20}; do
        echo "number $i" | timeout $patience nc -N 127.0.0.1 7007 >"$tmp/got.$i" &
        clients+=($!)
    done
    until_true established 20 7007
    systemctl stop spliced # which wakes it, too
    wait "${clients[@]}"
    for i in {1..20}; do
        equal "what client $i got" "$(cat "$tmp/got.$i")" "number $i"
    done
    stopped_well
}

# established COUNT PORT: so many clients are connected to it.
established() {
    [ "$(grep -c "^ *[0-9]*: [0-9A-F]*:[0-9A-F]* 0100007F:$(printf %04X "$2") 0[145] " \
        /proc/net/tcp)" -eq "$1" ]
}

# Nobody asked systemd to stop the unit: that it is deactivating is the daemon's own word.
test_a_signal_by_hand_is_announced_as_stopping() {
    configure_echo
    systemctl start spliced
    connected_client
    systemctl kill --signal=TERM spliced
    until_true is ActiveState deactivating
    exec 7>&-
    wait "$client"
    stopped_well
}

# cut_by SIGNALLING-COMMAND…: it ends the daemon, and the client is told by a reset.
is_cut_by() {
    exec 7<>/dev/tcp/127.0.0.1/7007
    echo hello >&7
    read -r -t $patience -u 7 _
    "$@"
    stopped_well
    local told
    told=$(LC_ALL=C cat <&7 2>&1) || true
    holds "what the client was told" "$told" "reset by peer"
}

test_the_drain_timeout_cuts_what_is_left() {
    configure_echo 'drain-timeout = "300ms"'
    systemctl start spliced
    is_cut_by systemctl stop spliced
    until_true recorded SPLICED_REASON=drained SPLICED_ENDED_BY=spliced
}

told_twice() {
    systemctl stop --no-block spliced
    until_true is StatusText "draining, 1 connection"
    systemctl kill --signal=TERM spliced
}

# The unit's own patience is for a daemon that does not answer.
test_the_drain_timeout_decides_and_not_systemd() {
    mkdir /run/systemd/system/spliced.service.d
    printf '[Service]\nTimeoutStopSec=100ms\n' >/run/systemd/system/spliced.service.d/impatient.conf
    systemctl daemon-reload
    configure_echo 'drain-timeout = "30s"'
    systemctl start spliced
    connected_client
    systemctl stop --no-block spliced
    until_true is StatusText "draining, 1 connection"
    sleep 0.5 # systemd's time is over
    echo after >&7
    exec 7>&-
    wait "$client"
    equal "the answer" "$(cat $tmp/got)" "$(printf 'before\nafter')"
    stopped_well
}

test_told_twice_it_stops_at_once() {
    configure_echo
    systemctl start spliced
    is_cut_by told_twice
    until_true recorded SPLICED_REASON=shutdown SPLICED_ENDED_BY=spliced
}
