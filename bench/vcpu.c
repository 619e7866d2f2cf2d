/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c - row vcpu_exit: a guest's exit to its monitor and the entry that follows.
 *
 * The guest is one instruction, VMMCALL, at address 0 without paging; the row counts it, the call,
 * and all that the kernel does around VMRUN.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/vcpu.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/start.h>

#include "bench.h"

#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)
#define OBJECTS    (EXO_FRAMES_PT + EXO_FRAMES_VCPU)
#define FRAMES     (OBJECTS + 1)

static uint64_t pfn;
static exo_slot claim, vcpu;
static struct exos_space nested;
static exo_slot table[3];               /* of the nested space, by level - 1 */
static struct exo_vcpu_page *page;
static uint64_t exits;

static const char *guest_begin(void)
{
	const struct exo_vcpu_segment flat = { 0x10, 0xc93, 0xffffffff, 0 };
	struct exo_vcpu_state *s = &page->state;

	memset(s, 0, sizeof(*s));
	s->es = s->ss = s->ds = s->fs = s->gs = s->cs = flat;
	s->cs.attributes = 0xc9b;
	s->tr = (struct exo_vcpu_segment){ 0x18, 0x8b, 0x67, 0 };
	s->cr0 = 0x31;
	s->rflags = 2;
	s->dr6 = 0xffff0ff0;
	s->pat = 0x0007040600070406ull;
	page->intercept[1] = 2;
	page->changed = EXO_VCPU_STATE | EXO_VCPU_CONTROLS;
	return exo_vcpu_bind(vcpu, nested.slot) ? "the VCPU is not bound" : NULL;
}

static void table_linked(struct exos_space *space, exo_slot made, int level)
{
	(void)space;
	table[level - 1] = made;
}

/* A table made for the nested space, and its frames, which are the library's. */
static void table_end(exo_slot made)
{
	uint64_t at = exos_cap_look(made)->lo;

	exos_cap_end(made);
	exos_frame_free(at, EXO_FRAMES_PT);
}

static const char *vcpu_begin(void)
{
	int err = 0;
	uint8_t *code;

	nested.linked = table_linked;
	if (exos_frame_alloc(FRAMES, &pfn, &claim) < 0)
		return "no memory";
	if (exos_cap_retype(claim, pfn, EXO_KIND_SPACE, EXO_SPACE_GUEST, &nested.slot) < 0)
		return "no nested tables";
	if (exos_cap_retype(claim, pfn + EXO_FRAMES_PT, EXO_KIND_VCPU, 0, &vcpu) < 0)
		return "no SVM with nested paging";
	page = exos_space_window(vcpu, pfn + EXO_FRAMES_PT + 1, 1, READ_WRITE, &err);
	code = exos_space_window(claim, pfn + OBJECTS, 1, READ_WRITE, &err);
	if (!page || !code)
		return "the pages could not be mapped";
	memcpy(code, "\x0f\x01\xd9", 3);
	exos_space_window_end(code, 1);
	if (exos_space_map(&nested, 0, claim, pfn + OBJECTS, 1, READ_WRITE | EXO_R_EXEC) < 0)
		return "the guest's memory could not be mapped";
	return guest_begin();
}

static void vcpu_reset(uint32_t rounds)
{
	(void)rounds;
	exits = 0;
}

static void vcpu_run(uint32_t rounds)
{
	uint32_t seen = exos_page()->event_head;

	for (; rounds; rounds--)
		exits += exo_vcpu_run(vcpu, seen) == EXO_EXIT_VMMCALL;
}

static const char *vcpu_check(uint32_t rounds)
{
	return exits == rounds && !page->state.rip ? NULL : "not every run ended by VMMCALL";
}

static void vcpu_end(void)
{
	if (page)
		exos_space_window_end(page, 1);
	if (vcpu)
		exos_cap_drop(vcpu);
	if (nested.slot) {
		exos_space_unmap(&nested, 0, 1);
		exos_cap_drop(nested.slot);
	}
	for (unsigned i = 0; i < ARRAY_LEN(table); i++)
		if (table[i])
			table_end(table[i]);
	exos_frame_free(pfn, FRAMES);
}

static const struct bench_row vcpu_exit = {
	.name = "vcpu_exit", .must = 600, .stretch = 300, .rounds = 30, .share = 1,
	.begin = vcpu_begin, .reset = vcpu_reset, .run = vcpu_run, .check = vcpu_check,
	.end = vcpu_end,
};

BENCH_ROW(vcpu_exit);
