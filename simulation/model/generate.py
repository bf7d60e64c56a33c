"""Seeded payment histories whose outcome is promised to be the same in every order of their events."""

import random
from itertools import combinations

import model
import open_stories
import stories
from shapes import ERAS, Story

FEWEST_EVENTS, MOST_EVENTS = 2, 12
NOISE = ("product.updated", "payment_method.attached", "balance.available", "llama.created")  # of no meaning here
SMALLEST_SUBSET_THAT_APPLIES = 3  # a sale, a name and a price may come from three events; nothing needs a fourth


def write(story_of, rng):
    story = Story(rng, era=rng.choice(ERAS))
    story_of(story)
    while len(story.events) < FEWEST_EVENTS or story.chance(0.05):
        story.later()
        story.tell(rng.choice(NOISE), {"id": story.id("noise"), "object": "noise"})
    setup = {"users": story.users, "catalogue": story.catalogue}
    return {"setup": setup, "events": story.events}


def promised(history):
    """False if some of the events alone would already apply a payment otherwise than all of them together do."""
    try:
        whole = model.evaluate(history)["payments"]
        for size in range(1, SMALLEST_SUBSET_THAT_APPLIES + 1):
            for some in combinations(history["events"], size):
                for early in model.evaluate(history | {"events": list(some)})["payments"]:
                    late = next(each for each in whole if set(early["ids"]) <= set(each["ids"]))
                    applied = early["owner"] and not early["case"]
                    if applied and (late["owner"] != early["owner"] or late["case"]):
                        return False
    except model.OrderMatters:
        return False
    return True


def histories(seed, count, of_open_readings=False):
    """`count` histories with their expected outcomes, the same ones for the same seed."""
    table = open_stories.STORIES if of_open_readings else stories.STORIES
    for index in range(count):
        rng = random.Random(f"{seed}/{index}")
        story_of = rng.choices(list(table), weights=table.values())[0]
        history = write(story_of, rng)
        while len(history["events"]) > MOST_EVENTS:
            history = write(story_of, rng)
        if not promised(history):
            raise model.OrderMatters(f"{story_of.__name__}, seed {seed}, history {index}: a mistake of the story")
        yield {"name": f"{story_of.__name__}-{seed}-{index}"} | history | {"expected": model.evaluate(history)}
