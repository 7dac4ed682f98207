#!/bin/sh
# Runs one end-to-end suite with what it needs installed beside it: e2e/run.sh webhook_twilio_sdk.py [arguments]
set -eu
cd "$(dirname "$0")"
suite=$1
shift

case $suite in */*)
    folder=${suite%%/*}
    # Installed again when package.json is newer than what is there. Without a lock file: it would name a registry.
    if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package.json" ]; then
        npm install --prefix "$folder" --no-package-lock --no-audit --no-fund --loglevel=error
        touch "$folder/node_modules/.package-lock.json"
    fi
    export PATH="$PWD/$folder/node_modules/node/bin:$PATH"
esac

# No suite takes half as long; one that hangs is to fail.
limit="timeout --kill-after=30 1500"

case $suite in
*.mjs)
    exec $limit node --test --test-reporter=spec "$suite" "$@" ;;
*)
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
    PYTHONPATH=$PWD exec $limit .venv/bin/python "$suite" "$@" ;;
esac
