# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# What `systemctl start spliced` promises.
# shellcheck disable=SC2119 # these functions take arguments of their own
# shellcheck source=tests/systemd/guest/lib.sh
. ./lib.sh

blocked_on_its_configuration() {
    [ "$(readlink "/proc/$(property MainPID)/exe")" = /usr/sbin/spliced ]
}

# Its configuration is a pipe: the daemon gets no further until somebody has written it.
test_start_waits_for_the_daemon_to_be_ready() {
    rm -f $conf && mkfifo -m 644 $conf
    systemctl start --no-block spliced
    until_true blocked_on_its_configuration
    equal ActiveState "$(property ActiveState)" activating
    echo 'workers = 2, services: { loop: { listen = "127.0.0.1:7007", connect = "echo" } }' >$conf
    until_true is ActiveState active
    holds "systemctl status" "$(systemctl status spliced)" 'Status: "1 service, 2 workers"'
}

test_a_mistake_fails_the_start_with_file_and_line() {
    configure <<'CONF'
services: {
    loop: {
        lissten = "127.0.0.1:7007"
        connect = "echo"
    }
}
CONF
    ! systemctl start spliced || fail "it started"
    equal ActiveState "$(property ActiveState)" failed
    equal "the exit status" "$(property ExecMainStatus)" 1
    equal "restarts" "$(property NRestarts)" 0
    until_true said "$conf:3: "
    holds "systemctl status" "$(systemctl status spliced || [ $? -eq 3 ])" \
        "$conf:3: *listen"
    holds "the errors in the journal" "$(journal --priority=err --output=cat)" "$conf:3: "
}

test_the_sample_starts_as_it_is_installed() {
    cp /usr/share/doc/spliced/examples/spliced.conf $conf
    cmp $conf /given/installed/$conf
    systemctl start spliced
    echo hello | echoes 7007
}

test_the_process_is_not_root_and_has_no_capability() {
    configure_echo
    systemctl start spliced
    equal CapEff "$(of_process CapEff)" 0000000000000000
    equal CapBnd "$(of_process CapBnd)" 0000000000000000
    [ "$(users_of self)" != "$(users_of "$(property MainPID)")" ]
}

users_of() {
    readlink "/proc/$1/ns/user"
}

test_the_process_that_binds_low_ports_has_one_capability() {
    allow_low_ports
    configure_echo
    systemctl start spliced
    local uid
    uid=$(id -u spliced)
    equal "the user spliced" "$(( uid > 0 && uid < 1000 ))" 1
    equal Uid "$(of_process Uid)" "$uid"$'\t'"$uid"$'\t'"$uid"$'\t'"$uid"
    equal Groups "$(of_process Groups | tr -d ' ')" "$(id -g spliced)"
    # CAP_NET_BIND_SERVICE is number 10.
    equal CapEff "$(of_process CapEff)" 0000000000000400
    equal CapBnd "$(of_process CapBnd)" 0000000000000400
    equal NoNewPrivs "$(of_process NoNewPrivs)" 1
    equal Seccomp "$(of_process Seccomp)" 2
}

# Its own sandbox, within the unit's.
test_it_confines_itself_too() {
    configure_echo
    systemctl start spliced
    until_true said "sandbox: "
    local said
    said=$(journal --output=cat | grep -F "sandbox: ")
    [[ $said == *"calls by seccomp"* || $said == *"since there is no Landlock" ]] || fail "$said"
    note "$said"
}

test_the_user_may_be_in_the_configuration_as_well() {
    configure_echo 'user = "spliced", group = "spliced"'
    systemctl start spliced
    echo hello | echoes 7007
}

test_many_descriptors_are_allowed() {
    configure_echo
    systemctl start spliced
    # As many as the unit says, or as this machine has to give.
    local allowed most
    allowed=$(awk '/^Max open files/ { print $4 }' "/proc/$(property MainPID)/limits")
    most=$(ulimit -Hn)
    equal "open files: soft limit" "$allowed" "$((most < 524288 ? most : 524288))"
}

# Oftener than systemd allows by itself (5 starts in 10 s).
test_a_daemon_that_was_killed_comes_back() {
    configure_echo
    systemctl start spliced
    local i
    for i in {1..6}; do
        systemctl kill --signal=KILL spliced
        until_true is NRestarts "$i"
        until_true is ActiveState active
    done
    echo hello | echoes 7007
}

# For a daemon that is started by other means.
test_tmpfiles_makes_its_directories() {
    systemctl stop spliced
    rm -rf /run/spliced /var/log/spliced
    systemd-tmpfiles --create spliced.conf
    equal /run/spliced "$(stat -c "%U %G %a" /run/spliced)" "spliced spliced 755"
    equal /var/log/spliced "$(stat -c "%U %G %a" /var/log/spliced)" "spliced spliced 755"
    rm -r /run/spliced
    configure_echo
    systemctl start spliced
    echo hello | echoes 7007
    systemctl stop spliced
    [ ! -e /run/spliced ]
}
