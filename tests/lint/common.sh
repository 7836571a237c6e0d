# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What the lints written for the shell share. A lint ends with 0 (fine), 1 (not) or 77 (could not
# look).

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1

# The build directory: named by TOP_BUILDDIR, or where we are, or build/.
# shellcheck disable=SC2034 # for the lints
if [ -n "${TOP_BUILDDIR:-}" ]; then
    build=$(cd "$TOP_BUILDDIR" && pwd) || exit 1
elif [ -f config.status ]; then
    build=$(pwd)
else
    build=$top/build
fi

skip() {
    echo "skipped: $*"
    exit 77
}

need() {
    command -v "$1" >/dev/null 2>&1 || skip "$1 is not there"
}

c_files() {
    (cd "$top" && find daemon tests -name "*.[ch]" | LC_ALL=C sort)
}
