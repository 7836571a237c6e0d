# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What systemd-analyze thinks of the unit.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

# It ends with 0 on settings it does not know: every line it prints counts.
test_systemd_takes_the_units_without_a_remark() {
    local unit installed
    installed=$(property FragmentPath)
    for unit in "$installed" "${installed%.service}.socket" /given/units/*.socket; do
        equal "what it says of $unit" "$(systemd-analyze verify --man=no "$unit" 2>&1)" ""
    done
}

# In tenths. 1.1 is about what a service comes to that may talk to any address, 1.4 one that binds
# ports below 1024 besides.
exposed() {
    systemd-analyze security --no-pager --threshold="$1" spliced.service >$tmp/security ||
        fail "$(cat $tmp/security)"
    note "$(tail -n 1 $tmp/security)"
}

# As it is installed, before anything is running.
test_the_exposure_is_small_on_paper() {
    systemd-analyze security --offline=true --no-pager --threshold=11 "$(property FragmentPath)" \
        >$tmp/security || fail "$(cat $tmp/security)"
    note "$(tail -n 1 $tmp/security)"
}

test_systemd_takes_low_ports_without_a_remark() {
    allow_low_ports
    takes_the_unit
}

test_systemd_takes_keep_connections_without_a_remark() {
    example keep-connections
    takes_the_unit
}

test_systemd_takes_notify_reload_without_a_remark() {
    needs_systemd 253 "Type=notify-reload"
    example notify-reload
    takes_the_unit
}

takes_the_unit() {
    equal "what it says" "$(systemd-analyze verify --man=no spliced.service 2>&1)" ""
}

test_the_exposure_is_small() {
    exposed 11
    allow_low_ports
    exposed 14
}
