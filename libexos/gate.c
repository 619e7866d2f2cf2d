/* SPDX-License-Identifier: MIT */
/*
 * gate.c - calling with patience, and the services of this program.
 *
 * A gate's badge is the service's place in the list in its top byte, and the mark of the gate.
 *
 * Invariant: the kernel lets one caller in at a time, so that the gate stack has one user.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/cap.h>
#include <exos/gate.h>
#include <exos/lock.h>
#include <exos/pager.h>
#include <exos/slot.h>

extern char exos_gate_entry[];

int64_t exos_gate_dispatch(uint32_t badge, struct exos_gate_message *message);

#define MARK_BITS 24u
#define SERVICES  255u
#define STACK     16384u        /* bytes of the gate stack */
static struct exos_gate_service *services[SERVICES] EXOS_UNSET; /* [0, service_count) */
static uint32_t service_count;

/* Made with the first gate: most programs have none.  A guard page lies on each side. */
static struct exos_region gate_stack;
static struct exos_lock gate_stack_lock;

/* The open slot was filled: it is the claim's now, and is not found open again when that ends. */
static __attribute__((noinline, cold)) void open_slot_taken(void)
{
	exos_page()->gate_open = 0;
}

int64_t exos_gate_call(exo_slot gate, struct exos_gate_message *message)
{
	for (;;) {
		int64_t result = exos_gate_call_once(gate, message);

		if (result != -EXO_E_BUSY) {
			if (result >= 0 && message->cap)
				open_slot_taken();
			return result;
		}
		result = exo_env_yield(gate);
		if (result < 0 && result != -EXO_E_BUSY && result != -EXO_E_ENDED)
			exo_env_yield(0);
	}
}

int exos_gate_open(void)
{
	struct exo_env_page *page = exos_page();
	exo_sid sid = (exo_sid)page->gate_open;

	/* The one set before may be filled by now: then it belongs to who took the claim. */
	if (sid && exos_cap_at(sid) && !exos_cap_name(sid))
		return 0;
	sid = exos_slot_alloc();
	page->gate_open = sid;
	return sid ? 0 : -EXO_E_ROOM;
}

/* The index of a service, which it is given with its first gate; 0: no place. */
static uint32_t service_enter(struct exos_gate_service *service)
{
	exos_switch_off();
	if (!service->index && service_count < SERVICES) {
		services[service_count++] = service;
		service->index = service_count;
	}
	exos_switch_on();
	return service->index;
}

/* All of it is there before the first call: who is called may hold the lock the pager takes. */
static int stack_make(void)
{
	int err = exos_region_make(&gate_stack, STACK, "gate stack");

	if (err < 0)
		return err;
	err = exos_region_fill(&gate_stack, gate_stack.lo, STACK / EXO_PAGE_SIZE);
	if (err < 0) {
		exos_region_unmake(&gate_stack);
		gate_stack.hi = 0;
	}
	return err;
}

/* Give the caller's gates the stack: 0 or -EXO_E_*. */
static int stack_set(void)
{
	int err;

	exos_lock_take(&gate_stack_lock);
	err = gate_stack.hi ? 0 : stack_make();
	if (err == 0)
		exos_page()->gate_rsp = gate_stack.hi;
	exos_lock_drop(&gate_stack_lock);
	return err;
}

int exos_gate_make(struct exos_gate_service *service, uint32_t mark, exo_slot *gate)
{
	uint32_t index = mark >> MARK_BITS ? 0 : service_enter(service);
	exo_sid sid = index ? exos_slot_alloc() : 0;
	int64_t made;

	if (!index)
		return -EXO_E_ARG;
	if (!sid)
		return -EXO_E_SLOT;
	made = stack_set();
	if (made == 0)
		made = exo_gate_make(exos_own_env, sid, (uintptr_t)exos_gate_entry,
				     index << MARK_BITS | mark);
	if (made < 0) {
		exos_slot_free(sid);
		return (int)made;
	}
	*gate = (exo_slot)made;
	return 0;
}

int64_t exos_gate_dispatch(uint32_t badge, struct exos_gate_message *message)
{
	uint32_t index = badge >> MARK_BITS;
	struct exos_gate_service *service;

	if (index == 0 || index > service_count)
		return 0;
	if (message->cap)
		open_slot_taken();
	service = services[index - 1];
	return service->call(service, badge & ((1u << MARK_BITS) - 1), message);
}
