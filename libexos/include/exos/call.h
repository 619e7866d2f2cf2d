/* SPDX-License-Identifier: MIT */
/*
 * call.h - one function for each kernel call, made from the call table.
 *
 * int64_t exo_NAME(uint64_t ...) returns what the kernel returns: >= 0, or -EXO_E_*.  What each
 * call does stands in exo/syscalls.def.  gate_call and gate_return pass more registers than a C
 * call has: see exos/gate.h.
 */
#ifndef EXOS_CALL_H
#define EXOS_CALL_H

#include <exo/cap.h>
#include <exo/disk.h>
#include <exo/env.h>
#include <exo/errors.h>
#include <exo/nic.h>
#include <exo/pci.h>
#include <exo/port.h>
#include <exo/prog.h>
#include <exo/space.h>
#include <exo/types.h>
#include <exos/x86/insn.h>

#define EXO_CALL(number, name, args, text)   EXO_CALL_##name = number,
#define EXO_SWITCH(number, name, args, text) EXO_CALL_##name = number,
enum exo_call {
#include <exo/syscalls.def>
};

#define EXOS_STUB_0(name) \
	static inline int64_t exo_##name(void) { return insn_call0(EXO_CALL_##name); }
#define EXOS_STUB_1(name) \
	static inline int64_t exo_##name(uint64_t a) { return insn_call1(EXO_CALL_##name, a); }
#define EXOS_STUB_2(name) \
	static inline int64_t exo_##name(uint64_t a, uint64_t b) \
	{ return insn_call2(EXO_CALL_##name, a, b); }
#define EXOS_STUB_3(name) \
	static inline int64_t exo_##name(uint64_t a, uint64_t b, uint64_t c) \
	{ return insn_call3(EXO_CALL_##name, a, b, c); }
#define EXOS_STUB_4(name) \
	static inline int64_t exo_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d) \
	{ return insn_call4(EXO_CALL_##name, a, b, c, d); }
#define EXOS_STUB_5(name) \
	static inline int64_t exo_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, \
					 uint64_t e) \
	{ return insn_call5(EXO_CALL_##name, a, b, c, d, e); }
/* Of six: the gate calls. */
#define EXOS_STUB_6(name)

#define EXO_CALL(number, name, args, text)   EXOS_STUB_##args(name)
#define EXO_SWITCH(number, name, args, text) EXOS_STUB_##args(name)
#include <exo/syscalls.def>

#endif
