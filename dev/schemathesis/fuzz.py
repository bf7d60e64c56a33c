"""Has schemathesis ask `tally up` for everything that its document describes, as nobody and as each role.

Arguments are handed on to `schemathesis run`, such as `--include-path /v1/users`.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tally_up import TARGET, WEBHOOK_SECRET, expect, tally_up  # noqa: E402

# The bin folder of the virtual environment that this runs in.
BIN = pathlib.Path(sys.executable).parent

MAX_EXAMPLES = int(os.environ.get("MAX_EXAMPLES", "10"))

# Nobody answers there: nothing here asks Stripe.
NO_STRIPE = "http://127.0.0.1:9"

# In which phases is asked, and how many requests are made up in each: in a short run only the one asks for everything who
# may everything.
WHOLE = ("examples,coverage,fuzzing,stateful", MAX_EXAMPLES)
BRIEF = ("examples,fuzzing", 3) if MAX_EXAMPLES <= 10 else WHOLE

ROLES = {None: BRIEF, "READ": BRIEF, "APP": BRIEF, "SUPPORT": BRIEF, "APPROVER": BRIEF, "ADMIN": WHOLE}


def program(*arguments, **environment):
    """What `tally` prints with these arguments."""
    command = [TARGET / "debug" / "tally", *arguments]
    environment = dict(os.environ, **environment)
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def simulate(tally, kind, *options):
    """Has something bought."""
    program("simulate", kind, "--to", tally.url, *options, STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET)


def fill(tally):
    """What the examples of the document name: users, a price, payments, an open case."""
    tally.put("/v1/users/u_1", {"email": "ada@example.com"})
    tally.put("/v1/users/u_2", {})
    tally.put("/v1/catalogue/price_50", {"credits": 50}, "ADMIN")
    simulate(tally, "purchase", "--user", "u_1", "--credits", "1000000")
    simulate(tally, "refund", "--user", "u_2", "--credits", "100")
    simulate(tally, "unresolved", "--credits", "100")
    expect("credits of u_1", lambda: tally.balance("u_1").get("available"), 1_000_000)
    expect("open cases", tally.open_cases, ["no_evidence"])


def make_approver(tally):
    """A key of the one role that `tally up` makes none for."""
    made = program("keys", "create", "--role", "approver", "--name", "fuzz", DATABASE_URL=tally.keys["DATABASE_URL"])
    tally.keys["TALLY_KEY_APPROVER"] = made


def fuzz(tally, role, arguments):
    """Whether all is as described for who has this role."""
    phases, examples = ROLES[role]
    print(f"\n--- asked {'as ' + role if role else 'without a key'} ({phases}, {examples} examples)", flush=True)
    command = [BIN / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", tally.url + "/openapi.json"]
    command += ["--phases", phases, "--checks", "all", "--max-examples", str(examples), "--seed", "20261121"]
    environment = dict(os.environ, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE))
    if role:
        command += ["--header", "Authorization: Bearer " + tally.keys[f"TALLY_KEY_{role}"]]
    # It leaves its notes where it runs.
    return subprocess.run([*command, *arguments], env=environment, cwd=TARGET, check=False).returncode == 0


def main():
    with tally_up(NO_STRIPE) as tally:
        fill(tally)
        make_approver(tally)
        asked = {role: fuzz(tally, role, sys.argv[1:]) for role in ROLES}
        # What was made up must not have broken the books, nor the service.
        tally.get("/v1/users/u_1/balance", "READ")
    differing = [role or "nobody" for role, is_as_described in asked.items() if not is_as_described]
    if differing:
        raise SystemExit(f"not as described, asked as: {', '.join(differing)}")
    print(json.dumps({"asked as": [role or "nobody" for role in asked], "differences": 0}))


if __name__ == "__main__":
    main()
