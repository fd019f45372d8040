#!/usr/bin/env bash
# Runs the sandbox's page in headless Chromium. See README.md.
set -euo pipefail
cd "$(dirname "$0")"

cargo build --quiet --locked -p lastmile-sandbox
npm ci --ignore-scripts --no-audit --no-fund --silent
node page.mjs
