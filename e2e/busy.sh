#!/usr/bin/env bash
# Finds tests that fail on a busy machine: repeats them beside two busy loops and reports the number of failures.
#
#   e2e/busy.sh                                          the whole suite, 5 times
#   e2e/busy.sh -n 2                                     the whole suite, twice
#   e2e/busy.sh openclaw:cli:a_stranger_is_paired        some tests, 50 times: PACKAGE:TARGET:FILTER
#   e2e/busy.sh -m 10 crash.py telephony-gateway:journeys:the_operator
#
# A suspect without colons is a suite of e2e/run.sh. Failures are kept in target/busy. Exits with 1 after any failure.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

runs=5 times=50 loops=()
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
while getopts n:m:h option; do
    case $option in
    n) runs=$OPTARG ;;
    m) times=$OPTARG ;;
    h) usage; exit ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))

kept=target/busy
rm -rf "$kept"
mkdir -p "$kept"
export CARGO_TERM_COLOR=never

end_loops() {
    local loop
    for loop in "${loops[@]}"; do
        kill "$loop" 2>/dev/null || true
    done
    loops=()
}
trap end_loops EXIT
trap 'exit 130' INT TERM

begin_loops() {
    local _
    for _ in 1 2; do
        (trap - INT TERM EXIT; while :; do :; done) &
        loops+=($!)
    done
}

# once NAME COMMAND...: runs the command; if it fails, keeps its output and counts the failed tests.
once() {
    local name=$1 log status=0
    log=$kept/$name.log
    shift
    "$@" >"$log" 2>&1 || status=$?
    # A filter that matches no test would always succeed.
    if [ "$status" -eq 0 ] && [ "${must_run:-}" ] && ! grep -q '^test .* ok$' "$log"; then
        status=1
    fi
    if [ "$status" -eq 0 ]; then
        rm "$log"
        printf 'ok      %s\n' "$name"
        return
    fi
    printf 'FAILED  %s, see %s\n' "$name" "$log"
    sed -nE 's/^test (.*) \.\.\. FAILED$/\1/p; s/^(FAIL|ERROR): (.*)/\2/p; s/^not ok [0-9]+ - (.*)/\1/p' "$log" >"$kept/tests"
    [ -s "$kept/tests" ] || echo "$name (no test is named in its output)" >"$kept/tests"
    sort -u "$kept/tests" >>"$kept/failed"
}

# suspect NAME NUMBER: runs one suspect once.
suspect() {
    local package target filter
    case $1 in
    *:*:*)
        IFS=: read -r package target filter <<<"$1"
        must_run=yes once "$package-$target-$2" cargo test -p "$package" --test "$target" "${filter}" ;;
    *)
        once "${1//\//-}-$2" e2e/run.sh "$1" ;;
    esac
}

cargo test --workspace --no-run
cargo build
begin_loops
if [ $# -eq 0 ]; then
    for n in $(seq "$runs"); do
        once "suite-$n" cargo test --workspace --no-fail-fast
    done
else
    for each; do
        for n in $(seq "$times"); do
            suspect "$each" "$n"
        done
    done
fi
end_loops

if [ ! -s "$kept/failed" ]; then
    printf '\nnothing failed\n'
    exit
fi
printf '\nhow often what failed:\n'
sort "$kept/failed" | uniq -c | sort -rn
exit 1
