"""Starts `tally up` on a database of its own, and asks its API: what the scripts of this folder share.

Build first (`cargo build`). Nothing but python 3.9 or newer is needed.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", pathlib.Path(__file__).parent.parent / "target")).resolve()

# How long anything may take that is waited for.
WAIT_LIMIT_SECONDS = 30

# Signs the deliveries; long enough to be a secret.
WEBHOOK_SECRET = "whsec_dev_scripts_7Qm2Zt9Lx4Vb"


class Tally:
    """The API of a service that runs, with one key for each role."""

    def __init__(self, url, keys):
        self.url = url
        self.webhook = url + "/v1/webhooks/stripe"
        self.keys = keys

    def get(self, path, role="SUPPORT"):
        return self.call("GET", path, role)

    def put(self, path, body, role="APP"):
        return self.call("PUT", path, role, body)

    def call(self, method, path, role, body=None):
        headers = {"Authorization": "Bearer " + self.keys[f"TALLY_KEY_{role}"], "Content-Type": "application/json"}
        return ask(method, self.url + path, headers, None if body is None else json.dumps(body))

    def register(self, *users):
        for user in users:
            self.put(f"/v1/users/{user}", {})

    def balance(self, user):
        """The fields of a balance that are not zero."""
        balance = self.get(f"/v1/users/{user}/balance", "READ")
        names = ("available", "pending", "in_review", "disputed", "debt")
        return {name: balance[name] for name in names if balance[name]}

    def events(self):
        """Ids of the newest 100 events."""
        return {event["id"] for event in self.get("/v1/events?limit=100")["data"]}

    def open_cases(self):
        """Reasons of all open cases, sorted."""
        return sorted(case["reason"] for case in self.get("/v1/cases?status=open&limit=100")["data"])


def ask(method, url, headers, body=None):
    """What an HTTP server answers, as JSON; ends the script if it refuses."""
    request = urllib.request.Request(url, method=method, headers=headers, data=None if body is None else body.encode())
    try:
        with urllib.request.urlopen(request, timeout=WAIT_LIMIT_SECONDS) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error


def expect(what, look, expected):
    """Looks until `look()` is what is expected; ends the script if it never is."""
    deadline = time.monotonic() + WAIT_LIMIT_SECONDS
    while (seen := look()) != expected:
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: expected {expected}, got {seen}")
        time.sleep(0.05)
    print(f"{what}: {expected}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def process(command, environment, is_ready):
    """A program that runs until the block ends. `is_ready` is given the process and says when it serves."""
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield is_ready(running)
        except BaseException:
            log.seek(0)
            sys.stderr.write(f"what {command[0]} said:\n{log.read().decode(errors='replace')}")
            raise
        finally:
            running.terminate()
            running.wait(WAIT_LIMIT_SECONDS)


def ready_url(running):
    """The address of a program that says `ready http://…`."""
    word, _, url = running.stdout.readline().strip().partition(" ")
    if word != "ready":
        raise SystemExit(f"expected `ready http://…`, got {word!r}")
    return url


@contextlib.contextmanager
def tally_up(stripe_api):
    """`tally up` on an empty database, which finds Stripe's API at this address."""
    program = TARGET / "debug" / "tally"
    if not program.exists():
        raise SystemExit(f"there is no {program}: run `cargo build` first")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # Postgres runs as another user if root starts it, and has to pass through
        outside = ("DATABASE_", "STRIPE_")  # none of what this machine may be set up for
        environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        environment |= {
            "RUST_LOG": "warn",
            "TALLY_ADMIN_LISTEN": "127.0.0.1:0",
            "STRIPE_API_BASE": stripe_api,
            "STRIPE_SECRET_KEY": "sk_test_any_key_will_do",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        data = pathlib.Path(folder) / "data"
        command = [str(program), "up", "--data-dir", str(data), "--listen", "127.0.0.1:0"]
        # The first line may take minutes where Postgres has to be fetched.
        with process(command, environment, ready_url) as url:
            lines = (line.partition("=") for line in (data / "dev.env").read_text().splitlines())
            yield Tally(url, {name: value.strip("'\"") for name, _, value in lines})
