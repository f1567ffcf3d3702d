"""Slots: a limit of concurrent calls, and a queue that can be dissolved."""

from __future__ import annotations

import asyncio

import pytest

from notify.providers.slots import SlotRefusedError, Slots


def test_so_many_at_a_time_and_first_come_first_served() -> None:
    async def play() -> None:
        slots, order, at_once = Slots(3), [], []

        async def one(number: int) -> None:
            await slots.acquire()
            order.append(number)
            at_once.append(3 - slots.free)
            await asyncio.sleep(0.001)
            slots.release()

        await asyncio.gather(*(one(number) for number in range(20)))
        assert order == list(range(20))
        assert max(at_once) == 3
        assert (slots.free, slots.waiting) == (3, 0)

    asyncio.run(play())


def test_those_who_wait_are_sent_away_and_those_who_do_not_stay() -> None:
    async def play() -> None:
        slots = Slots(1)
        await slots.acquire()
        waiting = [asyncio.create_task(slots.acquire()) for _ in range(5)]
        await asyncio.sleep(0)
        assert slots.waiting == 5
        slots.refuse_waiting()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [SlotRefusedError] * 5
        assert (slots.free, slots.waiting) == (0, 0)
        slots.release()
        assert slots.free == 1

    asyncio.run(play())


@pytest.mark.parametrize("is_given", [False, True])
def test_a_slot_of_somebody_who_left_is_not_lost(is_given: bool) -> None:
    async def play() -> None:
        slots = Slots(1)
        await slots.acquire()
        leaver = asyncio.create_task(slots.acquire())
        stayer = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        if is_given:
            slots.release()
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        if not is_given:
            slots.release()
        await asyncio.wait_for(stayer, 1)
        slots.release()
        assert (slots.free, slots.waiting) == (1, 0)

    asyncio.run(play())
