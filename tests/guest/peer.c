/* SPDX-License-Identifier: MIT */
/*
 * peer.c - making, starting and ending second environments by hand (peer.h).
 *
 * The stack area is split: main at the top, upcalls in the middle, doubles below.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "peer.h"

_Static_assert(offsetof(struct exo_env_page, upcalls_off) == 0x40, "peer.S: UPCALLS_OFF");
_Static_assert(offsetof(struct exo_env_page, area) == 0x100, "peer.S: AREA");
_Static_assert(sizeof(struct exo_context) == 0xc0, "peer.S: AREA_DOUBLE");
_Static_assert(offsetof(struct exo_env_page, user) == 0xa00, "peer.S: USER");
_Static_assert(offsetof(struct peer_user, doubled) == 0x20, "peer.S: USER_DOUBLED");
_Static_assert(offsetof(struct exo_context, rbx) == 0x48, "peer.S: C_RBX");
_Static_assert(offsetof(struct exo_context, r15) == 0xa0, "peer.S: C_R15");
_Static_assert(offsetof(struct exo_context, vector) == 0x30, "peer.S: vector");

static struct peer_user *user_of(struct peer *peer) { return (struct peer_user *)peer->page->user; }

/* Put the page's address at the top of a part of the stack; the stack pointer to start with. */
static uint64_t stack_top(struct peer *peer, uint64_t end)
{
	uint64_t top = (uint64_t)peer->stack + end - 16;

	*(struct exo_env_page **)top = peer->page;
	return top;
}

static int map_all(struct peer *peer)
{
	uint64_t lo = peer->frames.lo;
	int err = 0;

	peer->page = exos_space_window(peer->env, lo + 1, 1, EXO_R_READ | EXO_R_WRITE, &err);
	if (!peer->page)
		return err;
	peer->slots = exos_space_window(peer->table, lo + EXO_FRAMES_ENV, 1, EXO_R_READ, &err);
	if (!peer->slots)
		return err;
	peer->stack = exos_space_window(peer->frames.slot, lo + PEER_OBJECTS, PEER_STACK_FRAMES,
					EXO_R_READ | EXO_R_WRITE, &err);
	return peer->stack ? 0 : err;
}

static void fill_page(struct peer *peer)
{
	struct exo_env_page *page = peer->page;
	struct peer_user *user = user_of(peer);

	memset(peer->stack, 0, PEER_STACK);
	user->peer = peer;
	user->stack = stack_top(peer, PEER_STACK) - 16;
	page->upcall_rsp = stack_top(peer, PEER_STACK / 2);
	page->double_rsp = stack_top(peer, PEER_STACK / 4);
	page->resume_lo = (uint64_t)peer_window_lo;
	page->resume_hi = (uint64_t)peer_window_hi;
	page->open_lo = peer->sid;
	page->open_hi = peer->sid + EXO_SLOTS_PER_FRAME;
}

int peer_make(struct peer *peer)
{
	int err;

	memset(peer, 0, sizeof(*peer));
	err = guest_frames_make(&peer->frames, PEER_FRAMES);
	if (err < 0)
		return err;
	err = exos_cap_retype(peer->frames.slot, peer->frames.lo, EXO_KIND_ENV, 0, &peer->env);
	if (err < 0)
		return err;
	err = exos_cap_retype(peer->frames.slot, peer->frames.lo + EXO_FRAMES_ENV, EXO_KIND_TABLE,
			      peer->env,
			      &peer->table);
	if (err < 0)
		return err;
	peer->sid = (exo_sid)((peer->frames.lo + EXO_FRAMES_ENV) * EXO_SLOTS_PER_FRAME);
	err = map_all(peer);
	if (err < 0)
		return err;
	fill_page(peer);
	return 0;
}

int peer_start(struct peer *peer, peer_main *start, exo_slot space)
{
	exo_slot in = space ? space : guest_claim("space");
	int64_t err = exo_env_control(peer->env, EXO_ENV_SPACE, in, 0);

	if (err < 0)
		return (int)err;
	user_of(peer)->start = start;
	return (int)exo_env_control(peer->env, EXO_ENV_START, (uint64_t)peer_entry,
				    (uint64_t)peer->page);
}

const struct exos_grant *peer_time(uint32_t cpu)
{
	const struct exos_grant *grant;

	for (unsigned n = 0; (grant = exos_grant("slots", n)); n++)
		if (grant->unit == cpu)
			return grant;
	return NULL;
}

int peer_slots(struct peer *peer, uint32_t cpu, uint32_t first, uint32_t count)
{
	const struct exos_grant *time = peer_time(cpu);

	if (!time)
		return -EXO_E_ABSENT;
	for (uint32_t i = 0; i < count; i++) {
		int64_t err = exo_slot_set(time->slot, time->lo + first + i, peer->env);

		if (err < 0)
			return (int)err;
	}
	return 0;
}

bool peer_wait(struct peer *peer, uint64_t ms)
{
	uint64_t end = exos_deadline(ms * 1000000ull);

	while (__atomic_load_n(&peer->page->stop_reason, __ATOMIC_ACQUIRE) == EXO_STOP_RUNS) {
		if (exos_tsc() > end)
			return false;
		exo_env_yield(0);
	}
	return true;
}

void peer_end(struct peer *peer)
{
	if (peer->page)
		while (exo_env_control(peer->env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
			continue;
	if (peer->stack)
		exos_space_window_end(peer->stack, PEER_STACK_FRAMES);
	if (peer->slots)
		exos_space_window_end((void *)peer->slots, 1);
	if (peer->page)
		exos_space_window_end(peer->page, 1);
	if (peer->frames.slot)
		guest_frames_end(&peer->frames);
	exos_slot_sweep();
	memset(peer, 0, sizeof(*peer));
}

void peer_serve(struct peer *peer, peer_service *service)
{
	uint64_t top = (uint64_t)peer->stack + PEER_STACK / 8 - 16;

	*(peer_service **)top = service;
	peer->page->gate_rsp = top;
}

void peer_upcalls(struct peer *peer, peer_handler *handler)
{
	user_of(peer)->handler = handler;
	peer->page->fault_rip = handler ? (uint64_t)peer_upcall : 0;
}

void peer_slices(struct peer *peer, bool on)
{
	peer->page->slice_rip = on ? (uint64_t)peer_upcall : 0;
}

void peer_doubles(struct peer *peer, peer_handler *handler)
{
	user_of(peer)->doubled = handler;
	peer->page->double_rip = handler ? (uint64_t)peer_double : 0;
}

void peer_note(struct peer *peer, struct exo_context *context)
{
	peer->seen = *context;
	context->rip += peer->word[15];
	__atomic_fetch_add(&peer->upcalls, 1, __ATOMIC_RELEASE);
}

int64_t peer_give(struct peer *peer, unsigned index, exo_slot claim, uint32_t rights)
{
	return exo_cap_give(claim, peer->env, peer->sid + index, rights);
}
