/* SPDX-License-Identifier: MIT */
/*
 * peer.c - the other end of the rows in peers.c.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/gate.h>

#include "bench.h"
#include "peer.h"

static int64_t service_call(struct exos_gate_service *service, uint32_t mark,
			    struct exos_gate_message *message)
{
	(void)service;
	(void)mark;
	message->word[0]++;
	return 0;
}

static int64_t add_call(struct exos_gate_service *service, uint32_t mark,
			struct exos_gate_message *message)
{
	(void)service;
	(void)mark;
	message->word[0] = bench_shared_add(message->word);
	return 0;
}

/* Leave entry and badge of a gate of ours where the starter finds them, and wait. */
static void service_tell(struct exos_gate_service *service)
{
	struct exo_env_page *page = exos_page();
	exo_slot own;

	if (exos_gate_make(service, 1, &own) < 0)
		return;
	page->spare2[0] = exos_cap_look(own)->hi;
	page->exit_code = exos_cap_look(own)->badge;
}

static void wait_for_ever(void)
{
	for (;;)
		exo_env_wait(exos_page()->event_head, 0);
}

static void yield_for_ever(exo_slot to)
{
	for (;;) {
		exos_page()->exit_code++;
		exo_env_yield(to);
	}
}

static void answer_for_ever(exo_slot to)
{
	for (;;) {
		uint64_t seen = exos_page()->event_head;

		if (exos_event_take(PEER_ENTRY))
			exo_env_notify_wait(to, seen, 0);
		else
			exo_env_wait(seen, 0);
	}
}

int bench_peer_main(const char *part)
{
	static struct exos_gate_service service = { service_call, 0 }, add = { add_call, 0 };

	if (!strcmp(part, PEER_YIELD))
		yield_for_ever(exos_grant("peer", 0)->slot);
	if (!strcmp(part, PEER_EVENT)) {
		exos_page()->exit_code = 1;
		answer_for_ever(exos_grant("parent", 0)->slot);
	}
	if (!strcmp(part, PEER_SHARED))
		bench_shared_answer(exos_grant("parent", 0)->slot);
	if (!strcmp(part, PEER_SERVICE))
		service_tell(&service);
	else if (!strcmp(part, PEER_ADD))
		service_tell(&add);
	else
		exos_page()->exit_code = 1;
	wait_for_ever();
	return 0;
}
