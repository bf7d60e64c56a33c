#!/usr/bin/env bash
# What the API does must be what its document says, whoever asks and however odd the request: starts `tally up` with some
# users, purchases and cases, and has `schemathesis` ask every operation, without a key and with one of each role. Build
# first (`cargo build`). Needs python3; what it installs stays in target/. MAX_EXAMPLES says how many requests of each kind
# are made up for each operation: 10 unless said otherwise, which takes two minutes; 200 for a long look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

venv=${CARGO_TARGET_DIR:-../../target}/schemathesis
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --requirement requirements.txt
exec "$venv/bin/python" fuzz.py "$@"
