#!/usr/bin/env bash
# Deliveries that Stripe's own libraries sign and send must be accepted: starts `tally up` on a database of its own,
# delivers with each library, stops it. Build first (`cargo build`). Needs python3 and node 20 or newer; what it
# installs stays in target/ and in node_modules/ beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=${CARGO_TARGET_DIR:-../../target}
tally=$target/debug/tally
python=$target/sdk-delivery/bin/python

# How long the first start may take where Postgres has to be fetched.
start_limit_seconds=180

if [[ ! -x $tally ]]; then
    echo "there is no $tally: run \`cargo build\` first" >&2
    exit 1
fi
npm install --silent --no-package-lock --no-audit --no-fund
[[ -x $python ]] || python3 -m venv "$target/sdk-delivery"
"$python" -m pip install --quiet --requirement requirements.txt

folder=$(mktemp -d)
chmod 711 "$folder" # Postgres runs as another user if root starts it, and has to pass through
log=$folder/tally.log
mkfifo "$folder/out"
env -u DATABASE_URL -u STRIPE_WEBHOOK_SECRET TALLY_ADMIN_LISTEN=127.0.0.1:0 \
    "$tally" up --data-dir "$folder/data" --listen 127.0.0.1:0 >"$folder/out" 2>"$log" &
tally_pid=$!

# Stops what was started and shows its log if something went wrong.
finish() {
    local status=$?
    kill -TERM "$tally_pid" 2>/dev/null || true
    wait "$tally_pid" 2>/dev/null || true
    if [[ $status != 0 ]]; then
        echo "what tally said:" >&2
        cat "$log" >&2
    fi
    rm -rf "$folder"
}
trap finish EXIT

exec 3<"$folder/out"
if ! read -r -t "$start_limit_seconds" word url <&3 || [[ $word != ready ]]; then
    echo "expected \`ready http://…\` from tally within $start_limit_seconds s, got \`${word:-} ${url:-}\`" >&2
    exit 1
fi

set -a
# shellcheck source=/dev/null
source "$folder/data/dev.env"
set +a
TALLY_URL=$url node deliver.mjs
TALLY_URL=$url "$python" deliver.py
