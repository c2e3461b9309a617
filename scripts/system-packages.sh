#!/bin/sh
# Installs the system packages that pip can't: `system-packages.sh app` for the app, `… tests` for the tests too.
# Where it may not, it prints the command that somebody with the right to must run. Does nothing outside Debian.
set -eu

command -v apt-get >/dev/null 2>&1 || exit 0

missing=""
need() { missing="$missing $1"; }
has_library() { /sbin/ldconfig -p 2>/dev/null | grep -q "$1"; }

has_library 'libGL\.so\.1' || need libgl1
has_library 'libgthread-2\.0\.so\.0' || need libglib2.0-0
has_library 'libxcb\.so\.1' || need libxcb1
has_library 'libpangoft2-1\.0\.so\.0' || need libpangoft2-1.0-0
"${PYTHON:-python3}" -c 'import ensurepip' >/dev/null 2>&1 || need python3-venv
if [ "${1:-app}" = tests ]; then
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || need chromium
    command -v ffmpeg >/dev/null 2>&1 || need ffmpeg
    command -v turnserver >/dev/null 2>&1 || need coturn
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
    as_root="sudo"
else
    echo "Some system packages are missing. Run this, then the same make command again:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing system packages:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086  (a list of names)
$as_root apt-get install -y -qq --no-install-recommends $missing
