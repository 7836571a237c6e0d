# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What run, suite, tree and boot share: a signal ends them at once, and with them what they run.

running=() # process numbers

# in_background COMMAND…: a shell looks at signals only while it waits.
in_background() {
    "$@" &
    running=($!)
    wait "${running[0]}"
    local status=$?
    running=()
    return $status
}

# What still runs is asked to end, and waited for.
end_running() {
    [ ${#running[@]} -eq 0 ] || { kill "${running[@]}"; wait "${running[@]}"; } 2>/dev/null
}
trap 'exit 1' HUP INT TERM
