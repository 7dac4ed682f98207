#!/bin/sh
# Runs one end-to-end suite and installs its requirements: e2e/run.sh webhook_twilio_sdk.py [arguments]
# `e2e/run.sh --install` only installs the requirements of all suites.
set -eu
cd "$(dirname "$0")"
suite=$1
shift

# again COMMAND...: retries a command twice, because registries can be unavailable.
again() {
    "$@" || { sleep 5; "$@"; } || { sleep 20; "$@"; }
}

# Reinstalls if package.json is newer. There is no lock file, because it would name a registry.
install_npm() {
    if [ ! "$1/node_modules/.package-lock.json" -nt "$1/package.json" ]; then
        again npm install --prefix "$1" --no-package-lock --no-audit --no-fund --loglevel=error
        touch "$1/node_modules/.package-lock.json"
    fi
}

install_python() {
    if [ ! .venv/complete -nt requirements.txt ]; then
        python3 -m venv --clear .venv
        again .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
        touch .venv/complete
    fi
}

# No suite takes half as long, so one that hangs fails. Suites must not expect a terminal.
limit="timeout --kill-after=30 1500"
exec </dev/null

case $suite in
--install)
    install_python
    install_npm peers
    install_npm browser
    exit ;;
*/*)
    install_npm "${suite%%/*}"
    export PATH="$PWD/${suite%%/*}/node_modules/node/bin:$PATH" ;;
esac

case $suite in
*.mjs)
    exec $limit node --test --test-reporter=spec "$suite" "$@" ;;
*)
    install_python
    PYTHONPATH=$PWD PYTHONUTF8=1 exec $limit .venv/bin/python "$suite" "$@" ;;
esac
