#!/usr/bin/env python3
"""Kills three of the four users of CPython's Queue at random moments, round after round, and looks
whether the rest can use it. killed_users.cpp does the same to mp::Queue.

Usage: killed_users.py [ROUNDS] [SEED]
"""

import multiprocessing
import os
import platform
import queue as errors
import random
import sys
import time

CONTEXT = multiprocessing.get_context("fork")
USERS = 4  # two that put, and two that get


def use(queue, done, user):
    item = bytes(2_000)
    while True:
        if user < 2:
            queue.put(item)
        else:
            queue.get()
        done[user] += 1


def go_on(queue, done, user):
    """Passes 20 items on with the one that is left; exits with 0 if that went well."""
    before = done[user]
    try:
        for _ in range(20):
            if user < 2:
                queue.get(True, 1)
            else:
                queue.put(bytes(2_000), True, 1)
    except (errors.Empty, errors.Full):
        os._exit(1)
    limit = time.monotonic() + 1
    while done[user] == before and time.monotonic() < limit:
        time.sleep(0.001)
    os._exit(0 if done[user] > before else 1)


def usable_after_kills(dice):
    queue, done = CONTEXT.Queue(9), CONTEXT.RawArray("L", USERS)
    users = [CONTEXT.Process(target=use, args=(queue, done, user)) for user in range(USERS)]
    for user in users:
        user.start()
    time.sleep(dice.uniform(0.02, 0.025))  # the feeders take their time to start
    order = list(range(USERS))
    dice.shuffle(order)
    for user in order[:-1]:
        time.sleep(dice.uniform(0, 0.001))
        users[user].kill()
        users[user].join()
    guest = CONTEXT.Process(target=go_on, args=(queue, done, order[-1]))
    guest.start()
    guest.join(10)  # a get(True, 1) may take longer than 1 s, or for ever
    usable = guest.exitcode == 0
    guest.kill()
    guest.join()
    users[order[-1]].kill()
    users[order[-1]].join()
    return usable


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    dice = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    usable = sum(usable_after_kills(dice) for _ in range(rounds))
    print(f"CPython {platform.python_version()}, Queue: {3 * rounds} kills in {rounds} rounds: "
          f"usable after {usable}")


if __name__ == "__main__":
    main()
