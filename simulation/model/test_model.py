"""Rows computed by hand, and what must hold for every generated history."""

import json
import random
import unittest

import generate
import model

ADA, BOB, CLEO = (
    {"user": "u_ada", "email": "ada@example.com", "email_verified": True},
    {"user": "u_bob", "email": "bob@example.com", "email_verified": True},
    {"user": "u_cleo", "email": "cleo@example.com", "email_verified": False},
)
CATALOGUE = [
    {"price": "price_100", "credits": 100, "unit": "credits"},
    {"price": "price_7", "credits": 7, "unit": "tokens"},
    {"price": "price_shirt", "not_ours": True},
]
NAMED = {"user_id": "u_ada", "price": "price_100"}


def event(kind, at, thing):
    return {"id": f"evt_{kind}_{at}_{thing['id']}", "type": kind, "created": at, "data": {"object": thing}}


def session(metadata=None, kind="completed", status="paid", amount=1000, **more):
    thing = {"id": "cs_1", "mode": "payment", "payment_status": status, "payment_intent": "pi_1", "amount_total": amount}
    return event(f"checkout.session.{kind}", 5, thing | {"metadata": metadata} | more)


def intent(metadata=None, **more):
    return event("payment_intent.succeeded", 4, {"id": "pi_1", "amount": 1000, "metadata": metadata} | more)


def charge(metadata=None, **more):
    return event("charge.succeeded", 3, {"id": "ch_1", "payment_intent": "pi_1", "amount": 1000, "metadata": metadata} | more)


def figure(at, amount, **more):
    thing = {"id": "ch_1", "payment_intent": "pi_1", "amount": 1000, "amount_refunded": amount}
    return event("charge.refunded", at, thing | more)


def second_charge(at):
    return event("charge.succeeded", at, {"id": "ch_2", "invoice": "in_1", "amount": 595, "amount_refunded": 0})


def refund(at, one, amount, status="succeeded", kind="refund.created", made=None, **more):
    thing = {"id": one, "payment_intent": "pi_1", "charge": "ch_1", "amount": amount, "status": status}
    return event(kind, at, thing | {"created": made or at} | more)


def dispute(at, kind, one="dp_1", amount=1000, status="needs_response"):
    thing = {"id": one, "charge": "ch_1", "payment_intent": "pi_1", "amount": amount, "status": status}
    return event(f"charge.dispute.{kind}", at, thing)


def invoice(lines, kind="invoice.paid", amount=1000, **more):
    data = [{"id": f"il_{at}"} | line for at, line in enumerate(lines)]
    return event(kind, 6, {"id": "in_1", "amount_paid": amount, "customer": "cus_1", "lines": {"data": data}} | more)


def old(price, quantity=1):
    return {"price": {"id": price}, "quantity": quantity}


def basil(price, quantity=1):
    return {"pricing": {"price_details": {"price": price}}, "quantity": quantity}


OF_ADA = {"parent": {"subscription_details": {"subscription": "sub_1", "metadata": {"user_id": "u_ada"}}}}
OLD_OF_ADA = {"subscription": "sub_1", "subscription_details": {"metadata": {"user_id": "u_ada"}}, "payment_intent": "pi_1"}
TIE = event("invoice_payment.paid", 7, {"id": "inpay_1", "invoice": "in_1", "payment": {"payment_intent": "pi_1"}})
BOUGHT = session(NAMED)
CUSTOMER = event("customer.updated", 1, {"id": "cus_1", "metadata": {"user_id": "u_ada"}})
GIVEN_UP = invoice([basil("price_100")], "invoice.marked_uncollectible", 400, **OF_ADA)
HELD = charge(NAMED, captured=False, amount_captured=0)
CAPTURED = event("charge.captured", 5, {"id": "ch_1", "payment_intent": "pi_1", "amount": 1000, "metadata": NAMED} | {
    "captured": True, "amount_captured": 600, "amount_refunded": 400,
})  # fmt: skip
UNNAMED_TWO = session({"price": "price_100"}, id="cs_2", payment_intent="pi_2", customer="cus_1")

# what happens · events · Ada's credits, or the balances of all · unclaimed credits · open cases
ROWS = [
    ("one session", [BOUGHT], 100, 0, []),
    ("three doors are one purchase", [BOUGHT, intent(NAMED), charge(NAMED)], 100, 0, []),
    ("price_id, quantity", [session({"user_id": "u_ada", "price_id": "price_100", "quantity": "3"})], 300, 0, []),
    ("credits of metadata", [session({"user_id": "u_ada", "credits": "40"})], 40, 0, []),
    ("another unit", [session({"user_id": "u_ada", "price": "price_7"})], {"u_ada": {"tokens": 7}}, 0, []),
    ("unpaid", [session(NAMED, status="unpaid")], 0, 0, []),
    ("unpaid, then paid", [session(NAMED, status="unpaid"), session(NAMED, "async_payment_succeeded")], 100, 0, []),
    ("unpaid, but its intent succeeded", [session(NAMED, status="unpaid"), intent()], 100, 0, []),
    ("nothing to pay", [session(NAMED, status="no_payment_required", amount=0)], 100, 0, []),
    ("nothing was paid, nothing is taken", [session(NAMED, status="no_payment_required", amount=0), figure(8, 0)], 100, 0, []),
    ("a stranger's intent waits", [intent({"order": "1"})], 0, 0, ["waiting"]),
    ("an intent that names a price", [intent(NAMED)], 100, 0, []),
    ("its session makes it ours", [intent(), BOUGHT], 100, 0, []),
    ("a part refunded: 100 - 100*333/1000", [BOUGHT, refund(8, "re_1", 333)], 67, 0, []),
    ("two names for one refund", [BOUGHT, refund(8, "re_1", 333), refund(9, "re_1", 333, kind="charge.refund.updated", made=8)], 67, 0, []),
    ("two refunds: one division, not two", [BOUGHT, refund(8, "re_1", 333), refund(9, "re_2", 333)], 34, 0, []),
    ("a full refund takes all", [BOUGHT, refund(8, "re_1", 1000)], 0, 0, []),
    ("cumulative, not added", [BOUGHT, figure(8, 300), figure(9, 500)], 50, 0, []),
    ("by id and by figure: the same money", [BOUGHT, refund(8, "re_1", 300), figure(8, 300)], 70, 0, []),
    ("the figure knows more than the ids", [BOUGHT, refund(8, "re_1", 300), figure(9, 500)], 50, 0, []),
    ("a failure beats the success", [BOUGHT, refund(8, "re_1", 300), refund(9, "re_1", 300, "failed", "refund.failed", 8)], 100, 0, []),
    ("failed after the figure", [BOUGHT, figure(8, 500), refund(9, "re_1", 300, "failed", "refund.failed", 8)], 80, 0, []),
    ("failed before the figure", [BOUGHT, refund(7, "re_1", 300, "failed", "refund.failed", 6), figure(9, 200)], 80, 0, []),
    ("a failure told again is not a second one", [
        BOUGHT, refund(7, "re_1", 300, "failed", "refund.failed", 6), figure(9, 200), refund(10, "re_1", 300, "failed", "refund.updated", 6),
    ], 80, 0, []),
    ("younger than the figure", [BOUGHT, figure(8, 300), refund(9, "re_2", 200)], 50, 0, []),
    ("the figure missed one of the same second", [BOUGHT, refund(8, "re_1", 300), refund(8, "re_2", 200), figure(8, 300)], 50, 0, []),
    ("canceled", [BOUGHT, refund(8, "re_1", 300, "pending"), refund(9, "re_1", 300, "canceled", "refund.updated", 8)], 100, 0, []),
    ("listed refunds", [BOUGHT, figure(8, 300, refunds={"data": [{"id": "re_1", "amount": 300, "created": 8}]})], 70, 0, []),
    ("a part was captured, the rest released", [CAPTURED], 100, 0, []),
    ("authorised, captured in part, all of it refunded", [HELD, CAPTURED, refund(9, "re_1", 600)], 0, 0, []),
    ("a half of what was captured", [HELD, CAPTURED, figure(9, 700, amount_captured=600)], 50, 0, []),
    ("the release listed as a refund", [CAPTURED, refund(5, "re_0", 400), refund(9, "re_1", 300)], 50, 0, []),
    ("more may be captured: nothing is released yet", [BOUGHT, figure(9, 300, amount_captured=600)], 70, 0, []),
    ("authorised only", [HELD], 0, 0, []),
    ("failed after its own charge's figure", [
        invoice([old("price_100")], amount=1190, **OLD_OF_ADA), second_charge(100), figure(50, 595, invoice="in_1"),
        refund(80, "re_1", 595, "failed", "refund.failed", 50),
    ], 100, 0, []),
    ("a figure of one charge, a refund of the other", [
        invoice([old("price_100")], **OLD_OF_ADA), figure(50, 300), second_charge(60), refund(50, "re_2", 200, charge="ch_2", payment_intent=None),
    ], 50, 0, []),
    ("an opened dispute takes nothing", [BOUGHT, dispute(8, "created")], 100, 0, []),
    ("withdrawn", [BOUGHT, dispute(8, "funds_withdrawn")], 0, 0, []),
    ("reinstated", [BOUGHT, dispute(8, "funds_withdrawn"), dispute(9, "funds_reinstated")], 100, 0, []),
    ("won, but nothing came back", [BOUGHT, dispute(8, "funds_withdrawn"), dispute(9, "closed", status="won")], 0, 0, []),
    ("an inquiry", [BOUGHT, dispute(8, "created", status="warning_needs_response"), dispute(9, "closed", status="warning_closed")], 100, 0, []),
    ("of another amount", [BOUGHT, dispute(8, "funds_withdrawn", amount=250)], 75, 0, []),
    ("of more than was paid", [BOUGHT, dispute(8, "funds_withdrawn", amount=1500)], 0, 0, []),
    ("refund and dispute, netted", [BOUGHT, refund(8, "re_1", 300), dispute(9, "funds_withdrawn")], 0, 0, []),
    ("refund, and the dispute was won", [
        BOUGHT, refund(8, "re_1", 300), dispute(9, "funds_withdrawn"), dispute(10, "funds_reinstated"),
    ], 70, 0, []),
    ("two disputes, one won", [
        BOUGHT, dispute(8, "funds_withdrawn", amount=200), dispute(9, "funds_withdrawn", "dp_2", 300), dispute(10, "funds_reinstated", "dp_2", 300),
    ], 80, 0, []),
    ("old invoice, paid twice over", [invoice([old("price_100")], **OLD_OF_ADA), invoice([old("price_100")], "invoice.payment_succeeded", **OLD_OF_ADA)], 100, 0, []),
    ("Basil invoice and its intent", [invoice([basil("price_100", 11)], **OF_ADA), TIE, intent()], 1100, 0, []),
    ("Basil invoice, its intent never tied", [invoice([basil("price_100")], **OF_ADA), intent()], 100, 0, ["waiting"]),
    ("two lines of one price", [invoice([basil("price_100"), basil("price_100", 2)], **OF_ADA)], 300, 0, []),
    ("lines are rounded one by one: 7 - 7/2, 100 - 50", [
        invoice([basil("price_7"), basil("price_100")], **OF_ADA), TIE, refund(8, "re_1", 500),
    ], {"u_ada": {"credits": 50, "tokens": 4}}, 0, []),
    ("a free invoice", [invoice([basil("price_100")], amount=0, **OF_ADA)], 100, 0, []),
    ("a line that is not ours", [invoice([basil("price_100"), basil("price_shirt")], **OF_ADA)], 100, 0, []),
    ("given up after a part was paid", [intent(NAMED), TIE, GIVEN_UP], 0, 0, []),
    ("given up, then paid after all", [intent(), TIE, GIVEN_UP, invoice([basil("price_100")], **OF_ADA)], 100, 0, []),
    ("the session of a subscription", [
        session({"user_id": "u_ada"}, mode="subscription", payment_intent=None, invoice="in_1", customer="cus_1"), invoice([basil("price_100")]),
    ], 100, 0, []),
    ("its price is the invoice's", [session(NAMED, invoice="in_1"), invoice([old("price_100")])], 100, 0, []),
    ("not ours", [session({"user_id": "u_ada", "price": "price_shirt"})], 0, 0, []),
    ("unknown price", [session({"user_id": "u_ada", "price": "price_new"})], 0, 0, ["unknown_price"]),
    ("unknown price, known credits", [session({"user_id": "u_ada", "price": "price_new", "credits": "9"})], 9, 0, []),
    ("mismatch", [session(NAMED | {"credits": "150"})], 0, 0, ["credits_mismatch"]),
    ("agreement", [session(NAMED | {"credits": "100"})], 100, 0, []),
    ("nobody", [session({"price": "price_100"}), refund(8, "re_1", 250)], 0, 75, ["no_evidence"]),
    ("whose comes before what", [session({"price": "price_new"})], 0, 0, ["no_evidence"]),
    ("an e-mail alone", [session({"price": "price_100"}, customer_details={"email": "ada@example.com"})], 0, 100, ["no_evidence"]),
    ("unsigned", [session({"price": "price_100"}, client_reference_id="u_ada")], 0, 100, ["unsigned_only"]),
    ("a ghost", [session(NAMED | {"user_id": "u_ghost"})], 0, 100, ["unknown_user"]),
    ("two users", [session(NAMED | {"user_id_backup": "u_bob"})], 0, 100, ["conflict"]),
    ("a reference to another", [session(NAMED, client_reference_id="u_bob")], 0, 100, ["conflict"]),
    ("another's verified e-mail", [session(NAMED, customer_details={"email": "bob@example.com"})], 0, 100, ["conflict"]),
    ("another's unverified e-mail", [session(NAMED, customer_details={"email": "cleo@example.com"})], 100, 0, []),
    ("a placeholder and a name", [session(NAMED | {"user_id": "undefined", "session_user_id": "u_ada"})], 100, 0, []),
    ("the customer's metadata", [CUSTOMER, session({"price": "price_100"}, customer={"id": "cus_1"})], 100, 0, []),
    ("the link of another payment", [session(NAMED, customer="cus_1"), UNNAMED_TWO], 200, 0, []),
    ("no link without a name", [session({"price": "price_100"}, customer="cus_1"), UNNAMED_TWO], 0, 200, ["no_evidence", "no_evidence"]),
]  # fmt: skip


def evaluate(events):
    return model.evaluate({"setup": {"users": [ADA, BOB, CLEO], "catalogue": CATALOGUE}, "events": events})


class ByHand(unittest.TestCase):
    def test_rows(self):
        for name, events, balances, unclaimed, cases in ROWS:
            if not isinstance(balances, dict):
                balances = {"u_ada": {"credits": balances}} if balances else {}
            with self.subTest(name):
                result = evaluate(events)
                self.assertEqual(result["balances"], balances)
                self.assertEqual(result["unclaimed"], {"credits": unclaimed} if unclaimed else {})
                self.assertEqual(result["open_cases"], cases)

    def test_a_whole_row_of_a_payment(self):
        row = {"ids": ["ch_1", "cs_1", "pi_1"], "status": "paid", "owner": "u_ada", "bought": {"credits": 70}, "case": None}
        self.assertEqual(evaluate([BOUGHT, refund(8, "re_1", 300)])["payments"], [row])

    def test_states_without_money(self):
        for kind in ("expired", "async_payment_failed"):
            rows = evaluate([session(NAMED, status="unpaid"), session(NAMED, kind, "unpaid")])["payments"]
            self.assertEqual([(row["status"], row["owner"], row["bought"]) for row in rows], [("failed", None, {})])
        self.assertEqual(evaluate([session(NAMED, status="unpaid")])["payments"][0]["status"], "pending")

    def test_what_is_not_promised_is_refused(self):
        other = session(NAMED | {"user_id": "u_bob"}, id="cs_2", payment_intent="pi_2", customer="cus_1")
        with self.assertRaises(model.OrderMatters):
            evaluate([session(NAMED, customer="cus_1"), other])
        setup = {"users": [ADA, BOB], "catalogue": CATALOGUE}
        second_thoughts = [BOUGHT, intent(NAMED | {"user_id": "u_bob"})]
        self.assertFalse(generate.promised({"setup": setup, "events": second_thoughts}))
        self.assertTrue(generate.promised({"setup": setup, "events": [BOUGHT, intent(NAMED), charge()]}))


class Generated(unittest.TestCase):
    SEED, COUNT, MOST_BYTES = 11, 250, 900_000

    @classmethod
    def setUpClass(cls):
        cls.histories = list(generate.histories(cls.SEED, cls.COUNT))

    def test_same_seed_same_histories(self):
        self.assertEqual(self.histories[:20], list(generate.histories(self.SEED, 20)))

    def test_size(self):
        self.assertLess(len("\n".join(json.dumps(each, separators=(",", ":")) for each in self.histories)), self.MOST_BYTES)
        for each in self.histories:
            self.assertIn(len(each["events"]), range(generate.FEWEST_EVENTS, generate.MOST_EVENTS + 1))
            self.assertEqual(len({one["id"] for one in each["events"]}), len(each["events"]))

    def test_any_order_and_any_number_of_times(self):
        rng = random.Random(1)
        for each in self.histories + list(generate.histories(self.SEED, 100, of_open_readings=True)):
            events = each["events"] + rng.choices(each["events"], k=3)
            rng.shuffle(events)
            self.assertEqual(model.evaluate(each | {"events": events}), each["expected"], each["name"])

    def test_the_rows_add_up(self):
        for each in self.histories:
            expected = each["expected"]
            bought = sum(sum(row["bought"].values()) for row in expected["payments"])
            balances = sum(sum(balance.values()) for balance in expected["balances"].values())
            self.assertEqual(bought, balances + sum(expected["unclaimed"].values()), each["name"])


if __name__ == "__main__":
    unittest.main()
