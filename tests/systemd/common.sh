# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What run, tree and boot share: a signal ends them at once, and with them what they run.

running=

# in_background COMMAND…: a shell looks at signals only while it waits.
in_background() {
    "$@" &
    running=$!
    wait "$running"
    local status=$?
    running=
    return $status
}

# What still runs is asked to end, and waited for.
end_running() {
    [ -z "$running" ] || { kill "$running" && wait "$running"; } 2>/dev/null
}
trap 'exit 1' HUP INT TERM
