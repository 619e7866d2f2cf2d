/* SPDX-License-Identifier: MIT */
/*
 * event.c - the event ring: entries, taking, waiting, handlers.
 *
 * A post that comes between looking and waiting is not lost: the kernel compares the number of
 * posts seen.
 *
 * Invariant: a count is taken by one atomic exchange, so that no post is counted twice or lost.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/event.h>
#include <exos/lock.h>
#include <exos/revoke.h>

struct handler {
	exos_event_handler *run;
	void *argument;
};
static struct handler handlers[EXO_EVENTS] EXOS_UNSET;  /* those that are `handled` */
static uint64_t handled[EXO_EVENTS / 64];
/* Entry 0 is the alarm's, one is for claims asked for and taken. */
static uint64_t taken[EXO_EVENTS / 64] = {
	[0] = 1, [EXOS_EVENT_REVOKE / 64] = 1ul << EXOS_EVENT_REVOKE % 64,
};

static uint64_t entry_bit(uint32_t entry)
{
	return 1ul << entry % 64;
}

static void handler_set(uint32_t entry, struct handler h)
{
	if (!h.run) {
		__atomic_and_fetch(&handled[entry / 64], ~entry_bit(entry), __ATOMIC_RELEASE);
		return;
	}
	handlers[entry] = h;
	__atomic_or_fetch(&handled[entry / 64], entry_bit(entry), __ATOMIC_RELEASE);
}

uint32_t exos_event_alloc(void)
{
	uint32_t entry = 0;

	exos_switch_off();
	for (uint32_t w = 0; w < ARRAY_LEN(taken); w++) {
		if (!~taken[w])
			continue;
		entry = w * 64 + (uint32_t)__builtin_ctzll(~taken[w]);
		taken[w] |= 1ul << entry % 64;
		break;
	}
	exos_switch_on();
	if (entry)
		exos_event_take(entry);
	return entry;
}

void exos_event_free(uint32_t entry)
{
	if (entry == 0 || entry >= EXO_EVENTS)
		return;
	exos_switch_off();
	handler_set(entry, (struct handler){ NULL, NULL });
	taken[entry / 64] &= ~entry_bit(entry);
	exos_switch_on();
}

uint32_t exos_event_take(uint32_t entry)
{
	if (entry >= EXO_EVENTS)
		return 0;
	return __atomic_exchange_n(&exos_page()->event_count[entry], 0, __ATOMIC_ACQ_REL);
}

uint32_t exos_event_pending(uint32_t entry)
{
	if (entry >= EXO_EVENTS)
		return 0;
	return __atomic_load_n(&exos_page()->event_count[entry], __ATOMIC_ACQUIRE);
}

void exos_event_handle(uint32_t entry, exos_event_handler *handler, void *argument)
{
	if (entry >= EXO_EVENTS)
		return;
	exos_switch_off();
	handler_set(entry, (struct handler){ handler, argument });
	exos_switch_on();
}

static unsigned dispatch_one(uint32_t entry)
{
	struct handler h;
	uint32_t posts;

	if (!(handled[entry / 64] & entry_bit(entry)))
		return 0;
	h = handlers[entry];
	posts = exos_event_take(entry);
	if (!posts)
		return 0;
	h.run(entry, posts, h.argument);
	return 1;
}

/*
 * Walks the ring from where it was left.  After more than EXO_EVENTS posts since then the old
 * numbers are overwritten: all entries are looked at.
 */
unsigned exos_event_dispatch(void)
{
	struct exo_env_page *page = exos_page();
	uint32_t head = __atomic_load_n(&page->event_head, __ATOMIC_ACQUIRE);
	uint32_t tail = page->event_tail;
	unsigned ran = 0;

	page->event_tail = head;
	if (exos_revoke_owed)
		exos_revoke_retry();
	if (head - tail > EXO_EVENTS) {
		for (uint32_t entry = 0; entry < EXO_EVENTS; entry++)
			ran += dispatch_one(entry);
		return ran;
	}
	for (; tail != head; tail++)
		ran += dispatch_one(page->event_ring[tail % EXO_EVENTS] % EXO_EVENTS);
	return ran;
}

unsigned exos_event_run(uint64_t deadline_tsc)
{
	uint64_t seen = __atomic_load_n(&exos_page()->event_head, __ATOMIC_ACQUIRE);
	unsigned ran = exos_event_dispatch();

	if (ran)
		return ran;
	exo_env_wait(seen, deadline_tsc);
	return exos_event_dispatch();
}

void (*exos_wait_hook)(uint32_t entry, uint64_t deadline_tsc);

/* Other threads run meanwhile, if there are any; not in a fault handler, which cannot be left. */
static void wait_once(uint32_t entry, uint64_t seen, uint64_t deadline_tsc)
{
	if (exos_wait_hook && !exos_page()->upcalls_off) {
		exos_wait_hook(entry, deadline_tsc);
		return;
	}
	exos_event_dispatch();
	exo_env_wait(seen, deadline_tsc);
}

uint32_t exos_event_wait(uint32_t entry, uint64_t deadline_tsc)
{
	for (;;) {
		uint64_t seen = __atomic_load_n(&exos_page()->event_head, __ATOMIC_ACQUIRE);
		uint32_t posts = exos_event_take(entry);

		if (posts)
			return posts;
		if (deadline_tsc && insn_tsc() >= deadline_tsc)
			return 0;
		wait_once(entry, seen, deadline_tsc);
	}
}
