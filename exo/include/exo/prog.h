/* SPDX-License-Identifier: MIT */
/*
 * prog.h - downloaded code: programs in the eBPF instruction set that the kernel runs.
 *
 * The set is RFC 9669 without calls, atomics, map references and packet-access instructions.
 * Jumps go forward only, so a program of n instructions ends after at most n.  It is started with
 * r1 = EXO_PROG_INPUT, r2 = length of the input, r10 = EXO_PROG_STACK + EXO_PROG_STACK_BYTES and
 * zeros elsewhere; its result is r0.  It reads its input, and reads and writes its stack; a load or
 * store of any byte elsewhere ends it with result 0.  A program that never names r10 has no stack.
 * None of its addresses is one of the machine's.
 */
#ifndef EXO_PROG_H
#define EXO_PROG_H

#include <exo/types.h>

#define EXO_PROG_MAX      4096u         /* instructions, a 64-bit immediate load counting as two */
#define EXO_PROG_WAKE_MAX 64u           /* of a wake-up predicate */

#define EXO_PROG_INPUT       0x1000000u /* address of the input, as the program sees it */
#define EXO_PROG_INPUT_MAX   0x0ffffffu /* bytes of input, at most */
#define EXO_PROG_STACK       0x2000000u /* lowest address of the stack */
#define EXO_PROG_STACK_BYTES 512u

/*
 * What a program may cost, counted when it is loaded: the sum over all its instructions, which is
 * in instructions of the processor at most.  The kernel runs it with interrupts off, so that one
 * that decides about packets must not cost more than EXO_PROG_PACKET_COST (exo_nic_prog: RANGE).
 */
#define EXO_PROG_PACKET_COST 4096u
#define EXO_PROG_COST_DIVIDE 12u        /* division and remainder */
#define EXO_PROG_COST_MEMORY 4u         /* load or store, but at a constant place in the stack */
#define EXO_PROG_COST_STACK  4u         /* more, for each of these, if the program names r10 */
#define EXO_PROG_COST_BRANCH 4u         /* jump with a condition */
#define EXO_PROG_COST_SHIFT  3u
#define EXO_PROG_COST_SWAP   2u         /* byte order */
#define EXO_PROG_COST_PLAIN  1u         /* all others, a 64-bit immediate load too */
#define EXO_PROG_COST_R10    1u         /* more, for each time an instruction reads r10's value */

/* One instruction, as in section 3 of the RFC. */
struct exo_insn {
	uint8_t  opcode;
	uint8_t  regs;          /* dst in bits 3:0, src in bits 7:4 */
	int16_t  offset;
	int32_t  imm;
};
_Static_assert(sizeof(struct exo_insn) == 8, "RFC 9669: exo_insn");

/*
 * Frames of a PROG object for programs of up to n instructions: the kernel's part, a page table,
 * the instructions with four bytes for each, the compiled code.
 */
#define EXO_PROG_CODE_BYTES  72u        /* that one instruction becomes, at most */
#define EXO_PROG_FRAME_BYTES 512u       /* what surrounds them, at most */
#define EXO_PROG_WORK_FRAMES(n) (((n) * 12ul + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE)
#define EXO_PROG_CODE_FRAMES(n) (((n) * (uint64_t)EXO_PROG_CODE_BYTES + EXO_PROG_FRAME_BYTES + \
				  EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE)
#define EXO_FRAMES_PROG(n) (2 + EXO_PROG_WORK_FRAMES(n) + EXO_PROG_CODE_FRAMES(n))

/* Why a program was refused. */
#define EXO_PROG_REASONS(X)                                                              \
	X(NONE, 0, "it is a program")                                                    \
	X(LENGTH, 1, "a program has 1 to 4096 instructions")                             \
	X(OPCODE, 2, "there is no such instruction")                                     \
	X(ATOMIC, 3, "atomic instructions are not supported")                            \
	X(CALL, 4, "calls are not supported")                                            \
	X(PACKET, 5, "the old packet-access instructions are not supported")             \
	X(MAPREF, 6, "a 64-bit immediate must be a plain number")                        \
	X(REGISTER, 7, "there are registers r0 to r10, and r10 cannot be written")       \
	X(UNUSED, 8, "a field that the instruction does not use is not zero")            \
	X(BACKWARD, 9, "a jump goes backwards")                                          \
	X(TARGET, 10, "a jump leaves the program, or goes into a 64-bit immediate load") \
	X(END, 11, "the last instruction is not an exit")                                \
	X(HALF, 12, "a 64-bit immediate load lacks its second half")
#define EXO_PROG_REASON_ENUM(name, number, text) EXO_PROG_##name = number,
enum exo_prog_reason { EXO_PROG_REASONS(EXO_PROG_REASON_ENUM) };
#undef EXO_PROG_REASON_ENUM

/* The first bytes of a PROG object, readable by TRACE.  [k] all. */
struct exo_prog {
	uint32_t count;         /* instructions; 0: none loaded */
	uint32_t loaded;        /* 1: it was checked and compiled, and can be bound */
	uint32_t reason;        /* enum exo_prog_reason: why the last load was refused */
	uint32_t refused_at;    /* and at which instruction */
	uint64_t code_bytes;    /* compiled */
	uint64_t bound;         /* pfn of the environment or filter that uses it; 0: nobody */
	uint32_t cost;          /* sum of EXO_PROG_COST_* */
	uint32_t spare;
};
_Static_assert(sizeof(struct exo_prog) == 40, "ABI: exo_prog");

/*
 * What a program at the end of a NIC binding (exo_nic_prog) says of a packet that belongs to the
 * claim; its input is the packet.  Bits 7:0 are the ring, in the order in which the claim's rings
 * were bound, from 1 on, or EXO_VERDICT_ANY: the first that has a buffer.  0, and a ring that is
 * not there or has no buffer: the packet is dropped.  With EXO_VERDICT_QUIET no event is posted for
 * it.  Other bits are not looked at.  The binding ends with the program and when the claim is given
 * on.  Only received packets are asked about, and no share has a program.
 */
#define EXO_VERDICT_DROP  0u
#define EXO_VERDICT_ANY   0xffu
#define EXO_VERDICT_RING  0xffu         /* mask */
#define EXO_VERDICT_QUIET 0x100u

/*
 * A wake-up predicate (EXO_ENV_PREDICATE) has the environment's page, struct exo_env_page, as its
 * input: event counts, and what the library or others who may map the page write behind them.
 * While the environment is in exo_env_wait_until, it is run whenever an event is posted to it and
 * whenever the kernel looks who runs in a slot of its own, at least as often as one begins; not 0
 * wakes it, and so does the end of the predicate.  Meanwhile its gates are BUSY.
 */

#endif
