#!/bin/sh
# Install Debian's Chromium for the browser tests, if it is missing and this user may.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if ! command -v apt-get >/dev/null 2>&1; then
    echo "No Chromium here: the browser tests will not run. Install it, then run make test again." >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "No Chromium here: the browser tests will not run. Install it with: sudo apt-get install chromium" >&2
    exit 0
fi
echo "Installing Chromium for the browser tests (once)"
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
    || echo "Chromium could not be installed: the browser tests will not run." >&2
exit 0
