# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# That the work is done as well under the unit's confinement as without.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

test_an_echo_of_megabytes() {
    configure_echo
    systemctl start spliced
    head -c 5000001 /dev/urandom | echoes 7007
}

# Ports below 1024 come by the drop-in, keys by the group.
test_tls_on_port_443_with_a_key_for_the_group() {
    allow_low_ports
    new_certificate test
    chown root:spliced /etc/spliced/test.key
    chmod 640 /etc/spliced/test.key
    configure <<'CONF'
services: {
    web: {
        listen     = "*:443"
        listen-tls: { certificate = "/etc/spliced/test.pem", key = "/etc/spliced/test.key" }
        connect    = "echo"
    }
}
CONF
    systemctl start spliced
    echoes_over_tls 443 test
}

# A key that only root may read reaches the daemon as a credential.
test_a_key_that_only_root_may_read() {
    new_certificate test
    chmod 600 /etc/spliced/test.key
    drop_in key <<'UNIT'
[Service]
LoadCredential=test.key:/etc/spliced/test.key
UNIT
    configure <<'CONF'
services: {
    web: {
        listen     = "127.0.0.1:8443"
        listen-tls: {
            certificate = "/etc/spliced/test.pem"
            key         = "/run/credentials/spliced.service/test.key"
        }
        connect    = "echo"
    }
}
CONF
    systemctl start spliced
    echoes_over_tls 8443 test
    systemctl reload spliced
    echoes_over_tls 8443 test
}

# The name is in a file only: what resolves it may read that, and nothing hangs.
test_a_forward_to_a_host_by_name() {
    echo "127.0.0.1 upstream.test" >>/etc/hosts
    configure <<'CONF'
services: { forward: { listen = "127.0.0.1:7008", connect = "upstream.test:7009" } }
CONF
    systemctl start spliced
    echo "the answer" | timeout $patience nc -N -l 127.0.0.1 7009 >$tmp/request &
    until_true listens 7009
    equal "the answer" "$(echo "the request" | timeout $patience nc -N 127.0.0.1 7008)" "the answer"
    wait $!
    equal "the request" "$(cat $tmp/request)" "the request"
}

test_a_unix_socket_in_run_spliced() {
    configure <<'CONF'
services: {
    loop: {
        listen        = "unix:/run/spliced/loop.sock"
        listen-socket: { mode = "0666" }
        connect       = "echo"
    }
}
CONF
    systemctl start spliced
    equal "the answer" "$(echo hello | timeout $patience nc -N -U /run/spliced/loop.sock)" hello
    equal "its mode" "$(stat -c %a /run/spliced/loop.sock)" 666
    systemctl stop spliced
    [ ! -e /run/spliced/loop.sock ]
}

test_one_that_stands_still_is_started_anew() {
    configure_echo
    drop_in watchdog <<'UNIT'
[Service]
WatchdogSec=2s
UNIT
    systemctl start spliced
    equal WatchdogUSec "$(property WatchdogUSec)" 2s
    exec 5<>/dev/tcp/127.0.0.1/7007
    local before
    before=$(property MainPID)
    sleep 2.5
    equal "MainPID, while all is well" "$(property MainPID)" "$before"
    holds "the status" "$(property StatusText)" "1 connection, 1 service"
    kill -STOP "$before"
    until_true is_other_than "$before"
    rm /run/systemd/system/spliced.service.d/watchdog.conf
    systemctl daemon-reload
}
