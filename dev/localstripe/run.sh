#!/usr/bin/env bash
# What PyPI's `localstripe` tells, a stateful fake Stripe by others, must become right balances: starts it and
# `tally up`, pays, refunds, subscribes and invoices by its API, and looks at the users. Build first (`cargo build`).
# Needs python3; what it installs stays in target/. localstripe writes its state to /tmp/localstripe.pickle.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

venv=${CARGO_TARGET_DIR:-../../target}/localstripe
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --requirement requirements.txt
exec "$venv/bin/python" shop.py
