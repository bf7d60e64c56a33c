#!/usr/bin/env bash
# What Stripe's own CLI triggers must become right balances: starts `tally up` and `tally simulate stripe`, has
# `stripe trigger` ask the fake for purchases, refunds, disputes and invoices, and looks at users and cases. Build first
# (`cargo build`). Needs python3 and node 20 or newer; what it installs stays in node_modules/ beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

npm install --silent --no-package-lock --no-audit --no-fund
exec python3 trigger.py
