# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What systemd-analyze thinks of the unit.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

# It ends with 0 on settings it does not know: every line it prints counts.
test_systemd_takes_the_units_without_a_remark() {
    local unit
    for unit in "$(property FragmentPath)" /given/units/*.socket; do
        equal "what it says of $unit" "$(systemd-analyze verify --man=no "$unit" 2>&1)" ""
    done
}

# In tenths, as it is now: it may get better, not worse. 1.3 is about what a service comes to that
# binds ports below 1024 itself and may talk to any address.
test_the_exposure_does_not_grow() {
    local unit
    unit=$(property FragmentPath)
    systemd-analyze security --offline=yes --no-pager --threshold=14 "$unit" >$tmp/security ||
        fail "$(cat $tmp/security)"
    note "$(tail -n 1 $tmp/security)"
}
