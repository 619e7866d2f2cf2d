/* SPDX-License-Identifier: MIT */
/*
 * gate.h - registers of a gate call (protected control transfer, Aegis section 5.2).
 *
 * A call moves control to the entry of the environment behind the gate, on the caller's slice:
 *   caller: rax = call number, rdi = gate, rsi = claim to pass or 0,
 *           rdx r8 r9 r10 r12 r13 r14 r15 = eight words of the caller
 *   callee: rip = entry, rsp = gate_rsp of its page, rdi = badge, rsi = slot received or 0,
 *           the same eight words; all others 0 (rcx and r11: rip and rflags)
 * gate_return carries eight words back in the same registers:
 *   callee: rdi = result (returned in the caller's rax; keep it >= 0, negative is the kernel's),
 *           rsi = claim to pass or 0
 *   caller: rax = result, rsi = slot received or 0, the eight words; rbx, rbp and rsp as they were;
 *           rcx and r11 are lost, rdi is 0
 *
 * The callee must be blocked in env_wait (it is then resumed there when the wait is over and
 * nobody is inside).  Otherwise, or with another caller inside: -EXO_E_BUSY.  A callee that stops:
 * -EXO_E_ENDED.  After an error that ends a call which was made (ENDED, TIME) the words are 0.
 * The caller's alarm (alarm_tsc) cuts the call: -EXO_E_TIME; the callee is then stopped inside and
 * answers BUSY until it returns.  A call within 64 calls: -EXO_E_ROOM.  A claim that cannot be
 * passed: its error, and no call is made.
 */
#ifndef EXO_GATE_H
#define EXO_GATE_H
#define EXO_GATE_WORDS 8
#endif
