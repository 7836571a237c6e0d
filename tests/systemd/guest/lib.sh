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
