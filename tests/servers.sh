#!/bin/sh
# Install what the browser tests and the real-parts tests drive, where it is missing and this user may.
# Debian's packages only; on other systems it says what is missing. The tests that cannot run say so at their end.
set -u

missing=""
need() { # package, then the names of any program of it that will do
    package=$1
    shift
    for name in "$@"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$name" >/dev/null 2>&1 && return
    done
    missing="$missing $package"
}
need chromium chromium chromium-browser google-chrome
need mariadb-server mariadbd mysqld
need rabbitmq-server rabbitmq-server
need victoria-metrics victoria-metrics
need influxdb influxd
need docker-compose docker-compose
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed here, and needed by some tests:$missing. They will be named at the end." >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "Not installed here, and needed by some tests: install them with: sudo apt-get install$missing" >&2
    exit 0
fi

echo "Installing for the tests (once):$missing"
# The tests start servers of their own: a package must not start one, which would take the standard port.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
fi
log=$(mktemp)
# shellcheck disable=SC2086 - a list of packages, and a command that may be empty
if $as_root apt-get update -qq >"$log" 2>&1 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
else
    echo "Could not be installed; the end of what apt-get said:" >&2
    tail -n 5 "$log" >&2
    rm -f "$log"
fi
exit 0
