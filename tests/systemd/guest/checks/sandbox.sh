# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What the unit leaves to whoever gets hold of the process: tried by a probe in the daemon's place.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

# What guest/probe finds as the unit's program, line by line.
probe() {
    cp /given/probe /usr/local/bin/spliced-probe
    chmod 755 /usr/local/bin/spliced-probe
    drop_in probe <<'UNIT'
[Service]
Type=oneshot
ExecStart=
ExecStart=/usr/local/bin/spliced-probe
UNIT
    configure_echo
    systemctl start spliced || fail "$(journal --output=cat)"
    until_true said "probed: all"
    journal --output=cat | grep "^probed: " >"$tmp/probed"
}

# found WHAT WANTED: it is an extended regular expression.
found() {
    local got
    got=$(sed -n "s|^probed: $1: ||p" "$tmp/probed")
    [[ $got =~ ^($2)$ ]] || fail "$1: \"$got\", not \"$2\""
}

test_it_reaches_few_files() {
    echo secret >/root/secret
    echo secret >/tmp/secret
    probe
    local path
    for path in /etc/new /usr/new /var/lib/new /etc/spliced/new /boot/new /root/new; do
        found "write $path" no
    done
    found "write /run/spliced/new" yes
    found "write /var/log/spliced/new" yes
    found "read /etc/spliced/spliced.conf" yes
    found "read /root/secret" no
    found "read /tmp/secret" no # its own /tmp
    found "read /etc/shadow" no
    found "read /proc/1/cmdline" no
    found "read /proc/sys/kernel/osrelease" no
    found "read /dev/kmsg" no
    found "write /proc/sysrq-trigger" no
}

test_it_may_call_little() {
    probe
    found "socket AF_INET" yes
    found "socket AF_UNIX" yes
    found "socket AF_NETLINK" EAFNOSUPPORT
    found "socket AF_PACKET" EAFNOSUPPORT
    found "unshare of users" EPERM
    found "mount" EPERM
    found "ptrace" EPERM
    found "reboot" EPERM
    found "writable and executable memory" "EPERM|EACCES"
    found "a setuid file" EPERM
    found "realtime" EPERM
    found "landlock" "yes|ENOSYS|EOPNOTSUPP" # as the kernel has it
}

# The daemon itself, as its unit starts it.
test_nobody_of_its_user_looks_into_it() {
    allow_low_ports # its user is the machine's then, too
    configure_echo
    systemctl start spliced
    local pid
    pid=$(property MainPID)
    equal "whose /proc it is" "$(stat -c %U "/proc/$pid/environ")" root
    ! setpriv --reuid=spliced --regid=spliced --clear-groups cat "/proc/$pid/environ" 2>&1 ||
        fail "its environment was read"
    equal "its memory dumps" \
        "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" "0 0"
}

# A call that its own sandbox has not would end it.
test_strict_is_enough_for_all_it_does() {
    configure_echo 'sandbox = "strict"'
    systemctl start spliced
    echo hello | echoes 7007
    systemctl reload spliced
    splicectl status >"$tmp/status"
    exec 5<>/dev/tcp/127.0.0.1/7007
    systemctl restart spliced
    until_true said "taken over: 1 connection"
    exec 5>&-
    until_true recorded SPLICED_REASON=end
    systemctl kill --signal=USR1 spliced
    systemctl stop spliced
    stopped_well
    until_true said stopped
}

test_what_it_was_not_started_with_takes_a_restart() {
    configure_echo
    systemctl start spliced
    mkdir -p /opt/keys
    new_certificate test
    cat /etc/spliced/test.key /etc/spliced/test.pem >/opt/keys/test.pem
    chown spliced /opt/keys/test.pem
    configure <<'CONF'
services: {
    web: {
        listen     = "127.0.0.1:8443"
        listen-tls: { certificate = "/opt/keys/test.pem" }
        connect    = "echo"
    }
}
CONF
    local said
    said=$(systemctl reload spliced 2>&1) && fail "a file elsewhere was read: $said"
    until_true said "restart"
    systemctl restart spliced
    echoes_over_tls 8443 test
}
