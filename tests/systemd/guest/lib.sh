# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What the tests in checks/ share. Each test is a function test_WHAT_IT_PROMISES, and runs in a
# process of its own under set -e: the first command that fails ends it, and is shown.

conf=/etc/spliced/spliced.conf
tmp=/run/spliced-tests # empty at the start of each test
patience=20           # seconds until something that should happen has not

fail() {
    echo "$*"
    exit 1
}

# The test cannot be made here.
skip() {
    echo "$*"
    exit 77
}

# needs_systemd VERSION WHY
needs_systemd() {
    local version
    version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
    [ "$version" -ge "$1" ] || skip "systemd $version has no $2"
}

# Shown even when the test passes.
note() {
    echo "note: $*"
}

# until_true COMMAND…: ask again and again.
until_true() {
    local deadline=$((SECONDS + patience))
    until "$@"; do
        [ $SECONDS -le $deadline ] || fail "in vain for $patience s: $*"
        sleep 0.05
    done
}

# equal WHAT GOT WANTED
equal() {
    [ "$2" = "$3" ] || fail "$1 is \"$2\", not \"$3\""
}

# holds WHAT TEXT PATTERN: bash's pattern, anywhere in the text.
holds() {
    # shellcheck disable=SC2053 # it is a pattern
    [[ $2 == *$3* ]] || fail "$1 has no \"$3\": $2"
}

# ---- the daemon as a unit

# The configuration, from standard input.
configure() {
    rm -f $conf
    cat >$conf
}

# configure_echo [LINE]: an echo on 127.0.0.1:7007, and this line at top level.
configure_echo() {
    configure <<CONF
${1-}
services: { loop: { listen = "127.0.0.1:7007", connect = "echo" } }
CONF
}

# drop_in NAME: more settings of the unit, from standard input.
drop_in() {
    mkdir -p /run/systemd/system/spliced.service.d
    cat >/run/systemd/system/spliced.service.d/"$1".conf
    systemctl daemon-reload
}

# One of those that come with the daemon: example NAME
example() {
    drop_in "$1" <"/usr/share/doc/spliced/examples/$1.conf"
}

allow_low_ports() {
    example low-ports
}

# new_certificate NAME: NAME.pem and NAME.key in /etc/spliced, for localhost.
new_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -keyout "/etc/spliced/$1.key" -out "/etc/spliced/$1.pem" 2>&1
}

# echoes_over_tls PORT NAME: what s_client finds wrong with the certificate it says on standard
# error, and ends.
echoes_over_tls() {
    coproc openssl s_client -quiet -connect "127.0.0.1:$1" -servername localhost \
        -verify_hostname localhost -verify_return_error -CAfile "/etc/spliced/$2.pem"
    echo "over TLS" >&"${COPROC[1]}"
    local answer
    read -r -t $patience -u "${COPROC[0]}" answer
    equal "the answer" "$answer" "over TLS"
}

# A service on a socket that systemd holds; its first connection starts the daemon.
activate() {
    configure <<'CONF'
services: { web: { listen = "systemd:web", connect = "echo" } }
CONF
    cp /given/units/spliced-web.socket /run/systemd/system/
    systemctl daemon-reload
    systemctl start spliced-web.socket
}

property() {
    systemctl show --value --property="$1" "${2-spliced.service}"
}

# is_other_than PID: another process is the service.
is_other_than() {
    local now
    now=$(property MainPID)
    [ "$now" != "$1" ] && [ "$now" != 0 ]
}

is() {
    [ "$(property "$1")" = "$2" ]
}

# What the daemon's process says about itself: of_process Uid
of_process() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$(property MainPID)/status"
}

stopped_well() {
    until_true is ActiveState inactive
    equal Result "$(property Result)" success
    equal "the exit status" "$(property ExecMainStatus)" 0
}

# ---- clients

# What is sent (standard input) must come back: echoes PORT
echoes() {
    local sent=$tmp/sent.$1 got=$tmp/got.$1
    cat >"$sent"
    timeout $patience nc -N 127.0.0.1 "$1" <"$sent" >"$got"
    cmp "$sent" "$got"
}

listens() {
    grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " \
        /proc/net/tcp /proc/net/tcp6
}

# ---- the journal since this test began

journal() {
    journalctl --sync
    journalctl --no-pager --unit=spliced.service --since="@$BEGAN" "$@"
}

said() {
    journal --output=cat | grep -qF -- "$1"
}

# The last record that fits, as journalctl writes JSON: record SPLICED_REASON=end
record() {
    journal --output=json "$@" | tail -n 1
}

recorded() {
    [ -n "$(record "$@")" ]
}

# has JSON NAME VALUE
has() {
    holds "the entry in the journal" "$1" "\"$2\":\"$3\""
}
