# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What run, machine and boot share: a signal ends them at once, and with them what they run.

running=

# waiting_for COMMAND…: a shell looks at signals only while it waits.
waiting_for() {
    "$@" &
    running=$!
    wait "$running"
    local status=$?
    running=
    return $status
}

end_running() {
    [ -z "$running" ] || { kill "$running" && wait "$running"; } 2>/dev/null
}
trap 'exit 1' HUP INT TERM

fail() {
    echo "$*" >&2
    exit 1
}
