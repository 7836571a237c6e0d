# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# Another process in its place: connections go on.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

has_bus() {
    systemctl is-active --quiet dbus.socket || systemctl start dbus.socket
}

# An ssh server on 127.0.0.1:2022, and who may log in.
start_sshd() {
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N "" -f "$tmp/host"
    ssh-keygen -q -t ed25519 -N "" -f "$tmp/key"
    /usr/sbin/sshd -D -e -f /dev/null -p 2022 -h "$tmp/host" -o ListenAddress=127.0.0.1 \
        -o "AuthorizedKeysFile $tmp/key.pub" -o PermitRootLogin=yes -o StrictModes=no \
        -o UsePAM=no 2>"$tmp/sshd.log" &
    until_true nc -z 127.0.0.1 2022
}

# ssh to port $1, into a session that answers each line: descriptors 6 (to it) and 7 (from it).
log_in() {
    mkfifo "$tmp/to" "$tmp/from"
    ssh -p "$1" -i "$tmp/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o LogLevel=ERROR root@127.0.0.1 'while read -r line; do echo "got $line"; done' \
        <"$tmp/to" >"$tmp/from" &
    exec 6>"$tmp/to" 7<"$tmp/from"
}

says_back() {
    local line
    echo "$1" >&6
    read -r -t 10 line <&7
    equal "what the session says" "$line" "got $1"
}

configure_ssh() {
    configure <<'CONF'
services: {
    ssh: { listen = "127.0.0.1:7022", connect = "127.0.0.1:2022" }
    loop: { listen = "127.0.0.1:7007", connect = "echo" }
    bulk: { listen = "127.0.0.1:7009", connect = "127.0.0.1:9009" }
}
CONF
}

test_an_ssh_session_lives_on() {
    has_bus
    start_sshd
    configure_ssh
    systemctl start spliced
    log_in 7022
    says_back "before"
    local before
    before=$(property MainPID)
    systemctl restart spliced
    says_back "after a restart"
    is_other_than "$before" || fail "nothing was restarted"
    before=$(property MainPID)
    splicectl upgrade
    until_true is_other_than "$before"
    says_back "after an upgrade"
    systemctl restart spliced
    says_back "after both"
    until_true is NFileDescriptorStore 0
    exec 6>&- 7<&-
    until_true recorded SPLICED_SERVICE=ssh SPLICED_REASON=end
    systemctl stop spliced
    stopped_well
}

# The client has said all it will, and waits for the answer.
test_a_half_closed_connection_gets_its_answer() {
    has_bus
    configure_ssh
    systemctl start spliced
    mkfifo "$tmp/go"
    # Netcat as a server would take the end of the question for the end of all.
    perl -MIO::Socket::INET -e '
        my $one = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9009", Listen => 1)->accept;
        print while <$one>;
        close STDOUT;
        <STDIN>;
        print $one "the answer\n";' <"$tmp/go" >"$tmp/question" &
    local server=$! client
    exec 6<>"$tmp/go"
    until_true listening 9009
    echo "the question" | nc -N 127.0.0.1 7009 >"$tmp/got" &
    client=$!
    until_true grep -q question "$tmp/question"
    systemctl restart spliced
    until_true said "taken over: 1 connection"
    echo >&6
    wait "$client" "$server"
    equal "what the client got" "$(cat "$tmp/got")" "the answer"
    until_true recorded SPLICED_SERVICE=bulk SPLICED_REASON=end SPLICED_BYTES_UP=13 \
        SPLICED_BYTES_DOWN=11
}

# A gigabyte through a forward, its process replaced twice meanwhile.
test_a_gigabyte_arrives() {
    has_bus
    configure_ssh
    systemctl start spliced
    nc -l -N 127.0.0.1 9009 </dev/null | openssl dgst -sha256 -r >"$tmp/arrived" &
    local server=$!
    until_true listening 9009
    openssl enc -aes-128-ctr -nosalt -pass pass:x -pbkdf2 </dev/zero 2>/dev/null | head -c 1G |
        tee >(openssl dgst -sha256 -r >"$tmp/sent") | nc -N 127.0.0.1 7009 >/dev/null &
    local client=$!
    sleep 0.5
    systemctl restart spliced
    sleep 0.2
    splicectl upgrade
    kill -0 "$client" || fail "it was over before anything happened to it"
    wait "$client" "$server"
    until_true test -s "$tmp/sent"
    equal "the sum of what arrived" "$(cat "$tmp/arrived")" "$(cat "$tmp/sent")"
    until_true recorded SPLICED_SERVICE=bulk SPLICED_REASON=end SPLICED_BYTES_UP=1073741824
}

listening() {
    grep -q "^ *[0-9]*: 0100007F:$(printf %04X "$1") 00000000:0000 0A " /proc/net/tcp
}

test_nobody_is_refused_meanwhile() {
    has_bus
    configure_echo
    systemctl start spliced
    (
        while [ ! -e "$tmp/enough" ]; do
            [ "$(echo hello | nc -N -w 10 127.0.0.1 7007)" = hello ] || echo no >>"$tmp/refused"
        done
    ) &
    local clients=$!
    for _ in 1 2 3; do
        systemctl restart spliced
        splicectl upgrade
    done
    touch "$tmp/enough"
    wait "$clients"
    [ ! -e "$tmp/refused" ] || fail "refused: $(wc -l <"$tmp/refused")"
}

test_a_stop_is_no_restart() {
    has_bus
    configure_echo 'drain-timeout = "200ms"'
    systemctl start spliced
    exec 5<>/dev/tcp/127.0.0.1/7007
    echo hello >&5
    read -r -t 5 <&5
    systemctl stop spliced
    until_true recorded SPLICED_REASON=drained
    stopped_well
}

# ---- a restart with a mistake

# A connection to the echo, as descriptor 5, through a restart that fails: refused_restart CONF
refused_restart() {
    has_bus
    configure_echo
    systemctl start spliced
    exec 5<>/dev/tcp/127.0.0.1/7007
    echo before >&5
    read -r -t 5 <&5
    configure <<<"$1"
    ! systemctl restart spliced || fail "it was not refused"
    until_true said "$conf:"
    until_true said "sockets and connections of the process before"
}

test_a_restart_with_a_mistake_cuts_loudly() {
    refused_restart 'workerz = 2'
    equal ActiveState "$(property ActiveState)" failed
    local told
    told=$(LC_ALL=C timeout 5 cat <&5 2>&1) || true
    holds "what the client was told" "$told" "reset by peer"
    configure_echo
    systemctl start spliced
    echo hello | echoes 7007
}

mended() {
    echo waiting | timeout $patience nc -N 127.0.0.1 7007 >"$tmp/waited" &
    local waits=$! line
    sleep 0.3
    configure_echo
    until_true said "taken over: 1 connection"
    echo after >&5
    read -r -t 5 line <&5
    equal "what came back" "$line" after
    wait $waits
    equal "what came back to one who waited" "$(cat "$tmp/waited")" waiting
    until_true is ActiveState active
    until_true is NFileDescriptorStore 0
}

test_connections_wait_until_a_mistake_is_mended() {
    example keep-connections
    refused_restart 'workerz = 2'
    mended
}

# Found only once the keys are read.
test_connections_wait_until_a_key_is_there() {
    example keep-connections
    refused_restart 'services: { loop: { listen = "127.0.0.1:7007", connect = "echo",
        listen-tls: { certificate = "/etc/spliced/none.pem" } } }'
    mended
}

test_stop_ends_the_waiting() {
    example keep-connections
    refused_restart 'workerz = 2'
    systemctl stop spliced
    local told
    told=$(LC_ALL=C timeout 5 cat <&5 2>&1) || true
    holds "what the client was told" "$told" "reset by peer"
    ! nc -z 127.0.0.1 7007
}
