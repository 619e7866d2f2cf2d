/* SPDX-License-Identifier: MIT */
/*
 * offsets.c - ties offsets.h to the structs; makes no code.
 */
#include "x86/offsets.h"

#include "core.h"

#include <exo/env.h>
#include <exos/gate.h>
#include <exos/start.h>

#define CHECK(struct_type, member, offset) \
	_Static_assert(offsetof(struct struct_type, member) == (offset), #member)

CHECK(exo_env_page, upcalls_off, PAGE_UPCALLS_OFF);
CHECK(exo_env_page, area, PAGE_AREA);
CHECK(exo_env_page, area[EXO_AREA_DOUBLE], PAGE_DOUBLE);
CHECK(exo_env_page, user, PAGE_USER);
_Static_assert(PAGE_USER + offsetof(struct exos_start, page_va) == PAGE_VA, "page_va");
_Static_assert(PAGE_USER + offsetof(struct exo_first, page_va) == PAGE_VA, "page_va");
_Static_assert(PAGE_LOCAL == PAGE_USER + EXOS_LOCAL_OFFSET, "exos_local");
_Static_assert(PAGE_LOCAL + offsetof(struct exos_local, worker_rsp) == PAGE_WORKER_RSP, "rsp");

CHECK(exo_context, rax, CTX_RAX);
CHECK(exo_context, rcx, CTX_RCX);
CHECK(exo_context, rdx, CTX_RDX);
CHECK(exo_context, rip, CTX_RIP);
CHECK(exo_context, rflags, CTX_RFLAGS);
CHECK(exo_context, rsp, CTX_RSP);
CHECK(exo_context, rbx, CTX_RBX);
CHECK(exo_context, rbp, CTX_RBP);
CHECK(exo_context, rsi, CTX_RSI);
CHECK(exo_context, rdi, CTX_RDI);
CHECK(exo_context, r8, CTX_R8);
CHECK(exo_context, r9, CTX_R9);
CHECK(exo_context, r10, CTX_R10);
CHECK(exo_context, r11, CTX_R11);
CHECK(exo_context, r12, CTX_R12);
CHECK(exo_context, r13, CTX_R13);
CHECK(exo_context, r14, CTX_R14);
CHECK(exo_context, r15, CTX_R15);
_Static_assert(sizeof(struct exo_context) == CTX_BYTES, "exo_context");

CHECK(exos_gate_message, cap, MSG_CAP);
_Static_assert(sizeof(struct exos_gate_message) <= MSG_BYTES, "exos_gate_message");
