"""The program in docs/guides/signed-references.md signs and verifies what the test vectors beside it say.

    python3 -m unittest discover --start-directory dev/signed_references
"""

import json
import pathlib
import re
import unittest

GUIDES = pathlib.Path(__file__).parent.parent.parent / "docs" / "guides"


def program():
    """What the guide's program defines: the code that others copy, not a copy of it."""
    blocks = re.findall(r"```python\n(.*?)```", (GUIDES / "signed-references.md").read_text(), re.DOTALL)
    defined = {}
    exec(next(block for block in blocks if "def sign(" in block), defined)
    return defined


class Guide(unittest.TestCase):
    def setUp(self):
        self.vectors = json.loads((GUIDES / "signed-references.json").read_text())
        self.keys = self.vectors["keys"]
        self.program = program()

    def test_it_signs_as_the_vectors_say(self):
        for vector in self.vectors["signed"]:
            with self.subTest(vector["name"]):
                signed = self.program["sign"](vector["key"], self.keys[vector["key"]], vector)
                self.assertEqual(signed, vector["tally_reference"])
                self.assertEqual(signed if len(signed) <= 200 else None, vector["client_reference_id"])

    def test_it_verifies_until_they_expire(self):
        fields = "tenant user price quantity credits unit expires_at nonce".split()
        for vector in self.vectors["signed"]:
            reference, tenant, last = vector["tally_reference"], vector["tenant"], vector["expires_at"]
            with self.subTest(vector["name"]):
                said = self.program["verify"](self.keys, tenant, reference, last)
                self.assertEqual(said, {field: vector[field] for field in fields})
                with self.assertRaises(ValueError):
                    self.program["verify"](self.keys, tenant, reference, last + 1)
                with self.assertRaises(ValueError):
                    self.program["verify"](self.keys, tenant + ":test", reference, last)

    def test_it_refuses_what_is_refused(self):
        for vector in self.vectors["refused"]:
            # It leaves the limits of the terms to whoever signs.
            if vector["error"] != "bad_terms":
                with self.subTest(vector["name"]), self.assertRaises((ValueError, LookupError)):
                    self.program["verify"](self.keys, vector["tenant"], vector["reference"], vector["created"])


if __name__ == "__main__":
    unittest.main()
