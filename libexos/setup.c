/* SPDX-License-Identifier: MIT */
/*
 * setup.c - from the first instruction to main, and the end.
 *
 * Invariant: exos_setup touches only the image and what the starter mapped; demand-zero memory
 * works when it returns.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/error.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <exos/start.h>

struct exo_env_page *exos_page_first;
uint32_t exos_worker_count;
exo_slot exos_own_env, exos_own_space;

uint64_t exos_setup(struct exo_env_page *page);
_Noreturn void exos_main_run(void);

struct exo_env_page *exos_page(void)
{
	if (exos_worker_count > 0)
		return (struct exo_env_page *)insn_fs_word(offsetof(struct exo_env_page, user) +
							   offsetof(struct exos_start, page_va));
	return exos_page_first;
}

const struct exo_first *exos_first(void)
{
	const struct exo_first *first = (const void *)exos_page_first->user;

	return first->magic == EXO_FIRST_MAGIC ? first : NULL;
}

const struct exos_start *exos_started(void)
{
	const struct exos_start *start = (const void *)exos_page_first->user;

	return start->magic == EXOS_START_MAGIC ? start : NULL;
}

_Noreturn void exos_exit(int code)
{
	struct exo_env_page *page = exos_page();
	const struct exos_grant *parent = exos_local()->worker ? NULL : exos_grant("parent", 0);

	page->exit_code = (uint64_t)(int64_t)code;
	if (parent)
		exo_env_notify(parent->slot);
	for (;;) {
		exo_env_exit();
		insn_trap();
	}
}

/* A starter of another version, or none at all: no console is known yet. */
static void start_check(struct exo_env_page *page)
{
	const struct exos_start *start = exos_started();
	int64_t version = exo_version();
	bool sound = exos_first() || (start && start->version == EXOS_START_VERSION &&
				      start->bytes >= sizeof(*start));

	if (sound && version >> 16 == EXO_ABI_MAJOR)
		return;
	page->exit_code = EXOS_EXIT_PANIC;
	for (;;)
		exo_env_exit();
}

uint64_t exos_setup(struct exo_env_page *page)
{
	const struct exos_start *start;

	exos_page_first = page;
	start_check(page);
	start = exos_started();
	*exos_local() = (struct exos_local){ 0 };
	exos_upcall_setup(page);
	/* The first four words of both blocks are the same. */
	exos_slot_setup(((struct exos_start *)(void *)page->user)->table_va,
			((struct exos_start *)(void *)page->user)->table_frames);
	if (start && start->grants)
		page->open_lo = page->open_hi = 0;
	exos_own_setup();
	exos_frame_setup();
	exos_grant_setup();
	exos_revoke_setup();
	return EXOS_STACK_HI;
}

_Noreturn void exos_main_run(void)
{
	const struct exos_start *start = exos_started();
	static char name[] = "init";
	static char *first_argv[] = { name, NULL };

	if (start)
		exos_exit(main((int)start->argc, (char **)start->argv_va));
	exos_exit(main(1, first_argv));
}
