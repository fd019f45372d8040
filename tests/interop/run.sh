#!/usr/bin/env bash
# Runs third-party tools against the sandbox. See README.md.
#
#     tests/interop/run.sh                   all parts
#     tests/interop/run.sh clients prism     these parts
#     tests/interop/run.sh --write           all parts, and writes the results to docs/interop.md
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1

folder="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$folder/../.." && pwd)"
work="${CARGO_TARGET_DIR:-$root/target}/interop"
write=false
if [ "${1:-}" = --write ]; then
    write=true
    shift
fi
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(schemathesis clients prism)

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p lastmile-sandbox
mkdir -p "$work"
printf '| tool | against | result |\n|---|---|---|\n' > "$work/results.md"
for part in "${parts[@]}"; do
    printf '\n== %s\n' "$part"
    python3 "$folder/run_$part.py"
done
if $write; then
    python3 "$folder/write_results.py"
fi
printf '\ninterop green\n'
