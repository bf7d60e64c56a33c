"""`python3 simulation/model generate --seed N --count K [--open-readings]` and `python3 simulation/model check FILE`."""

import argparse
import json
import sys

import generate
import model


def check(path):
    """Prints each history whose stored expectation differs from the model's; the number of them."""
    wrong = number = 0
    with open(path, encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            history = json.loads(text)
            expected = model.evaluate(history)
            if expected != history["expected"]:
                wrong += 1
                print(f"{path}:{number}: {history['name']}\n  stored {json.dumps(history['expected'])}")
                print(f"  model  {json.dumps(expected)}")
    print(f"{number} histories, {wrong} differ" if wrong else f"{number} histories agree", file=sys.stderr)
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="python3 simulation/model", description=model.__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("generate", help="print histories as JSON Lines")
    writing.add_argument("--seed", type=int, required=True)
    writing.add_argument("--count", type=int, required=True)
    writing.add_argument("--open-readings", action="store_true", help="only what the documents leave open")
    commands.add_parser("check", help="compute the outcomes of a file again").add_argument("file")
    asked = parser.parse_args()
    if asked.command == "check":
        sys.exit(1 if check(asked.file) else 0)
    for history in generate.histories(asked.seed, asked.count, asked.open_readings):
        print(json.dumps(history, separators=(",", ":")))


if __name__ == "__main__":
    main()
