/* SPDX-License-Identifier: MIT */
/*
 * offsets.c - ties the offsets that assembly uses to the structs they are of.
 */
#include "x86/offsets.h"

#include <exo/vcpu.h>

#include "cpu.h"
#include "x86/enter.h"

#define TIE(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #field)

TIE(cpu, kernel_rsp, CPU_KERNEL_RSP);
TIE(cpu, user_rsp, CPU_USER_RSP);
TIE(cpu, env, CPU_ENV);
TIE(cpu, page, CPU_PAGE);
TIE(cpu, ctx, CPU_CTX);
TIE(cpu, scratch, CPU_SCRATCH);
TIE(cpu, stats, CPU_STATS);
TIE(cpu, gate_rip, CPU_GATE_RIP);
TIE(cpu, gate_rsp, CPU_GATE_RSP);
TIE(cpu, gate_rdi, CPU_GATE_RDI);
TIE(cpu, gate_rsi, CPU_GATE_RSI);
TIE(cpu, resched, CPU_RESCHED);
TIE(cpu, entered, CPU_ENTERED);
TIE(cpu, cause, CPU_CAUSE);
TIE(cpu, kept[0], CPU_KEPT_RAX);
TIE(cpu, kept[1], CPU_KEPT_RDX);
TIE(cpu, number, CPU_NUMBER);
TIE(cpu, slot, CPU_SLOT);
TIE(cpu, slot_end, CPU_SLOT_END);
TIE(cpu, space, CPU_SPACE);
TIE(cpu, fancy, CPU_FANCY);
TIE(cpu, vector, CPU_VECTOR);
TIE(env, page, ENV_PAGE);
TIE(env, pfn, ENV_PFN);
TIE(env, space, ENV_SPACE);
TIE(env, ctx, ENV_CTX);
_Static_assert(sizeof(struct call_context) == ENV_CTX_BYTES, "handover.S uses this size");
TIE(env, now, ENV_NOW);
TIE(env, state, ENV_STATE);
TIE(env, depth, ENV_DEPTH);
TIE(env, resume, ENV_RESUME);
TIE(env, attention, ENV_ATTENTION);
TIE(env, cpu, ENV_CPU);
TIE(env, caller, ENV_CALLER);
TIE(env, callee, ENV_CALLEE);
TIE(env, event_head, ENV_EVENT_HEAD);
TIE(env, wait_seen[0], ENV_WAIT_SEEN);
TIE(env, wait_until[0], ENV_WAIT_UNTIL);
TIE(env, cut, ENV_CUT);
TIE(env, wait.link, ENV_WAIT_LINK);
TIE(env, alarm.tsc, ENV_ALARM_TSC);
TIE(env, fs_base, ENV_FS_BASE);
TIE(env, gs_base, ENV_GS_BASE);
TIE(env, ring_lock, ENV_RING_LOCK);
TIE(env, known, ENV_KNOWN);
TIE(known, name, KNOWN_NAME);
TIE(known, gen, KNOWN_GEN);
TIE(known, to, KNOWN_TO);
TIE(known, hi, KNOWN_HI);
TIE(known, badge, KNOWN_BADGE);
_Static_assert(sizeof(struct known) == KNOWN_BYTES && KNOWN - 1 == KNOWN_MASK &&
		       KNOWN_GATE == 0 && KNOWN_YIELD == 1 && KNOWN_BELL == 2 &&
		       offsetof(struct exo_cap, gen) == 0,
	       "handover.S uses these");
_Static_assert(ENV_BLOCKED == STATE_BLOCKED && ENV_READY == STATE_READY &&
		       ENV_RUNNING == STATE_RUNNING && ENV_CALLING == STATE_CALLING &&
		       ENV_PARTING == STATE_PARTING && RESUME_CALL == RESUMES_CALL &&
		       RESUME_WAIT == RESUMES_WAIT,
	       "handover.S uses these");
_Static_assert(EXO_LATENCY_OFF == STATS_LATENCY, "ways.S uses this offset");
TIE(exo_cpu_stats, entries, STATS_ENTRIES);
TIE(exo_cpu_stats, calls, STATS_CALLS);
TIE(exo_cpu_stats, faults, STATS_FAULTS);
TIE(exo_cpu_stats, switches, STATS_SWITCHES);
TIE(exo_cpu_stats, space_loads, STATS_SPACES);
TIE(exo_cpu_stats, lends, STATS_LENDS);
TIE(call_context, rip, CTX_RIP);
TIE(call_context, rflags, CTX_RFLAGS);
TIE(call_context, rsp, CTX_RSP);
TIE(call_context, rbx, CTX_RBX);
TIE(call_context, rbp, CTX_RBP);
TIE(call_context, r12, CTX_R12);
TIE(call_context, r15, CTX_R15);
TIE(call_context, result, CTX_RESULT);
TIE(exo_env_page, fault_rip, PAGE_FAULT_RIP);
TIE(exo_env_page, upcall_rsp, PAGE_UPCALL_RSP);
TIE(exo_env_page, resume_lo, PAGE_RESUME_LO);
TIE(exo_env_page, resume_hi, PAGE_RESUME_HI);
TIE(exo_env_page, upcalls_off, PAGE_OFF);
TIE(exo_env_page, owed, PAGE_OWED);
TIE(exo_env_page, gate_rsp, PAGE_GATE_RSP);
TIE(exo_env_page, alarm_tsc, PAGE_ALARM);
TIE(exo_env_page, slice_end_tsc, PAGE_SLICE_END);
TIE(exo_env_page, cpu, PAGE_CPU);
TIE(exo_env_page, slot, PAGE_CPU + 4);
TIE(exo_env_page, slices, PAGE_SLICES);
TIE(exo_env_page, event_head, PAGE_EVENT_HEAD);
TIE(exo_env_page, event_count, PAGE_EVENT_COUNT);
TIE(exo_env_page, event_ring, PAGE_EVENT_RING);
TIE(exo_vector, slot, 0);
TIE(exo_vector, running, VECTOR_RUNNING);
TIE(exo_vector, charged, VECTOR_CHARGED);
_Static_assert(EXO_VECTOR_SLOTS == VECTOR_SLOTS && sizeof(struct exo_vector_slot) == 24 &&
		       offsetof(struct exo_vector_slot, env) == 0 && EXO_EVENTS == 256,
	       "notify.S uses these");
TIE(exo_env_page, calls, PAGE_CALLS);
TIE(exo_env_page, faults, PAGE_FAULTS);
TIE(exo_env_page, area, PAGE_AREA);
TIE(exo_context, rip, AREA_RIP);
TIE(exo_context, rflags, AREA_RFLAGS);
TIE(exo_context, rsp, AREA_RSP);
TIE(exo_context, vector, AREA_VECTOR);
TIE(exo_context, error, AREA_ERROR);
TIE(exo_context, cr2, AREA_CR2);
TIE(exo_vcpu_page, rcx, VCPU_RCX);
TIE(exo_vcpu_page, rdx, VCPU_RDX);
TIE(exo_vcpu_page, rbx, VCPU_RBX);
TIE(exo_vcpu_page, rbp, VCPU_RBP);
TIE(exo_vcpu_page, rsi, VCPU_RSI);
TIE(exo_vcpu_page, rdi, VCPU_RDI);
TIE(exo_vcpu_page, r8, VCPU_R8);
TIE(exo_vcpu_page, r15, VCPU_R8 + 56);
TIE(regs, vector, 120);
TIE(regs, rip, 136);
_Static_assert(sizeof(struct regs) == 176, "entry.S pushes this");

/* The table's numbers are consecutive within each class. */
enum {
#define EXO_CALL(number, name, args, text) INDEX_##name,
#include <exo/syscalls.def>
	CALLS
};
enum {
#define EXO_SWITCH(number, name, args, text) SWITCH_INDEX_##name,
#include <exo/syscalls.def>
	SWITCHES
};
_Static_assert(CALLS == CALL_COUNT && SWITCHES == SWITCH_COUNT, "offsets.h counts the calls");
#define EXO_CALL(number, name, args, text) \
	_Static_assert(CALL_FIRST + INDEX_##name == number, text);
#define EXO_SWITCH(number, name, args, text) \
	_Static_assert(SWITCH_FIRST + SWITCH_INDEX_##name == number, text);
#include <exo/syscalls.def>
