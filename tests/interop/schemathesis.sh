#!/usr/bin/env bash
# Runs schemathesis (https://pypi.org/project/schemathesis) against the simulated ON-API in each dialect: generated
# requests, valid and invalid, and sequences of them. Fails if an answer violates the document that the sandbox serves.
#
# Installs schemathesis into a virtual environment below `target/interop`, and nothing else. Needs cargo, Python 3.10 or
# later with `venv`, and access to PyPI. Not part of `cargo test`.
#
#     tests/interop/schemathesis.sh [EXAMPLES] [DIALECT...]
#
# EXAMPLES is the largest number of generated cases for each operation and phase, 50 by default.
set -euo pipefail

root="$(cd "$(dirname "$0")/../.." && pwd)"
work="${CARGO_TARGET_DIR:-$root/target}/interop"
examples="${1:-50}"
shift || true
dialects=("$@")
[ ${#dialects[@]} -gt 0 ] || dialects=(vendor26 standard26 standard25 standard24)

# `positive_data_acceptance` is left out: the document cannot say that an access must exist. So is
# `negative_data_rejection`: an invalid `If-Modified-Since` is ignored (RFC 9110), and so are undocumented fields.
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks+=,response_schema_conformance,use_after_free,ensure_resource_availability,ignored_auth
checks+=,unsupported_method,allow_header_conformance

mkdir -p "$work"
if [ ! -x "$work/venv/bin/schemathesis" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet 'schemathesis==4.*'
fi
"$work/venv/bin/schemathesis" --version
cargo build --quiet --manifest-path "$root/Cargo.toml" -p lastmile-sandbox
sandbox="${CARGO_TARGET_DIR:-$root/target}/debug/lastmile-sandbox"

failed=()
for dialect in "${dialects[@]}"; do
    output="$work/$dialect.sandbox.txt"
    : > "$output"
    "$sandbox" --dialect "$dialect" --clock manual > "$output" &
    process=$!
    trap 'kill "$process" 2> /dev/null || true' EXIT
    until grep -q '^Ctrl-C' "$output"; do
        kill -0 "$process"
        read -rt 0.1 _ <> <(:) || true
    done
    section="$(sed -n '/^ON-API/,$p' "$output")"
    host="$(sed -n 's|^ON-API.*\(http://[0-9.:]*\)/.*|\1|p' <<< "$section")"
    user="$(sed -n 's/^ *User: *//p' <<< "$section")"
    password="$(sed -n 's/^ *Password: *//p' <<< "$section")"
    # Real ids, so that the generated requests find something.
    accesses="$(grep -o 'a-[0-9]*' <<< "$section" | sort -u | sed 's/.*/"&"/' | paste -sd,)"
    printf '[parameters]\n"path.accessId" = [%s]\n"query.accessId" = [%s]\n"path.invoicePeriodId" = "202512"\n' \
        "$accesses" "$accesses" > "$work/$dialect.toml"

    log="$work/$dialect.log"
    if ! (cd "$work" && venv/bin/schemathesis --config-file "$dialect.toml" run "$host/openapi.json" \
        --auth "$user:$password" --checks "$checks" --max-examples "$examples" --seed 1 --continue-on-failure \
        --suppress-health-check all --warnings off) > "$log" 2>&1; then
        failed+=("$dialect")
    fi
    kill "$process" && wait "$process" 2> /dev/null || true
    echo "$dialect: $(sed -n 's/^ *Tested: /operations /p' "$log"); $(sed -n '/^Test cases:/{n;s/^ *//;p}' "$log")"
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "violations: ${failed[*]}; see $work/DIALECT.log" >&2
    exit 1
fi
