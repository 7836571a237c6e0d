# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# Another configuration without a restart.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

test_a_reload_serves_what_was_added_on_a_low_port_too() {
    allow_low_ports
    configure_echo
    systemctl start spliced
    local pid
    pid=$(property MainPID)
    exec 5<>/dev/tcp/127.0.0.1/7007
    configure <<'CONF'
services: {
    loop: { listen = "127.0.0.1:7007", connect = "echo", idle-timeout = "1h" }
    low: { listen = "127.0.0.1:81", connect = "echo" }
}
CONF
    systemctl reload spliced
    until_true said "reloaded: 2 services"
    echo hello | echoes 81
    echo hello | echoes 7007
    echo "through the reload" >&5
    read -r -t 5 line <&5
    equal "what came back" "$line" "through the reload"
    equal MainPID "$(property MainPID)" "$pid"
    equal ActiveState "$(property ActiveState)" active
}

# Whoever asks has the new configuration when the answer comes: nothing here waits.
# serves_at_once [LINE]: with this line at top level.
serves_at_once() {
    local port pid
    pid=$(property MainPID)
    for port in 7101 7102 7103; do
        configure <<CONF
${1-}
services: { loop: { listen = ["127.0.0.1:7007", "127.0.0.1:$port"], connect = "echo" } }
CONF
        systemctl reload spliced
        echo hello | echoes $port
        equal ActiveState "$(property ActiveState)" active
    done
    equal MainPID "$(property MainPID)" "$pid"
}

test_the_new_configuration_serves_when_reload_returns() {
    configure_echo
    systemctl start spliced
    serves_at_once
}

test_a_mistake_is_in_the_journal_and_changes_nothing() {
    configure_echo
    systemctl start spliced
    echo 'services: { loop: {' >$conf
    systemctl reload spliced && fail "systemctl did not notice"
    until_true said "spliced.conf:1: "
    until_true said "nothing is reloaded"
    until_true is ActiveState active
    echo hello | echoes 7007
}

test_sockets_of_systemd_are_kept() {
    activate
    echo hello | echoes 8443
    configure <<'CONF'
services: { other: { listen = "systemd:web", connect = "echo" } }
CONF
    systemctl reload spliced
    until_true said "1 service added, 0 changed, 1 removed"
    echo hello | echoes 8443
    until_true recorded SPLICED_SERVICE=other SPLICED_LISTEN=127.0.0.1:8443
}

test_root_asks_by_splicectl_and_others_may_not() {
    configure_echo
    systemctl start spliced
    echo hello | echoes 7007
    holds "the status" "$(splicectl status)" "pid                      $(property MainPID)"
    holds "the services" "$(splicectl services)" "127.0.0.1:7007"
    local said
    said=$(setpriv --reuid=65534 --regid=65534 --clear-groups splicectl status 2>&1) &&
        fail "a stranger was answered: $said"
    holds "what a stranger hears" "$said" "this user may not ask"
}

# ---- systemd's own kind of reload, for a daemon that has no control socket

without_control() {
    needs_systemd 253 "Type=notify-reload"
    example notify-reload
    configure_echo 'control = "off"'
    systemctl start spliced
}

test_it_does_without_a_control_socket() {
    without_control
    [ ! -e /run/spliced/control ]
    serves_at_once 'control = "off"'
    echo hello | echoes 7007
    until_true said "reloaded: 1 service"
    equal "how often it was read" "$(journal --output=cat | grep -c "^reloading: ")" 3
}

test_a_mistake_is_in_the_journal_without_a_control_socket_too() {
    without_control
    echo 'services: { loop: {' >$conf
    systemctl reload spliced
    until_true said "$conf:1: "
    until_true said "nothing is reloaded"
    equal ActiveState "$(property ActiveState)" active
    echo hello | echoes 7007
    configure_echo 'control = "off"'
    systemctl reload spliced
    until_true said "reloaded: 1 service"
}
