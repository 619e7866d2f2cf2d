/* SPDX-License-Identifier: MIT */
/*
 * errors.h - every error a call can return, once, with its text.
 *
 * Calls return 0 or a positive result on success and -EXO_E_* on failure.
 */
#ifndef EXO_ERRORS_H
#define EXO_ERRORS_H

#define EXO_ERRORS(X)                                                              \
	X(STALE,    1, "no claim has this name (never made, dropped or revoked)")  \
	X(KIND,     2, "the claim is of another kind")                             \
	X(RIGHTS,   3, "the claim does not carry the right this needs")            \
	X(RANGE,    4, "outside the range of the claim or of the resource")        \
	X(SPLIT,    5, "part of this range has been given away")                   \
	X(SHARED,   6, "the claim has shares: revoke them first")                  \
	X(MAPPED,   7, "still mapped, or something is mapped there already")       \
	X(PINNED,   8, "pinned by a request in flight")                            \
	X(USE,      9, "the frame's use does not allow this")                      \
	X(FROZEN,  10, "the claim is being revoked")                               \
	X(SLOT,    11, "the destination slot is not an empty, open table slot")    \
	X(BUSY,    12, "in use by another: try again, or lend it your slice")      \
	X(FAULT,   13, "an argument in memory is not mapped or not permitted")     \
	X(ARG,     14, "an argument is malformed")                                 \
	X(NOCALL,  15, "no such call")                                             \
	X(NOTABLE, 16, "no page table covers this address at this level")          \
	X(ROOM,    17, "no room: the entry or ring is taken or full")              \
	X(ENDED,   18, "the environment ended or was stopped")                     \
	X(TIME,    19, "the deadline passed")                                      \
	X(DEVICE,  20, "the device reported an error")                             \
	X(ROOT,    21, "a root claim cannot be dropped")                           \
	X(ABSENT,  22, "no such device or unit on this machine")                   \
	X(VERSION, 23, "built for another major version of the ABI")               \
	X(PROGRAM, 24, "the program was refused: struct exo_prog says why")

#define EXO_ERROR_ENUM(name, number, text) EXO_E_##name = number,
enum exo_error { EXO_ERRORS(EXO_ERROR_ENUM) };
#undef EXO_ERROR_ENUM

/* A resumable call that has done a bounded piece and wants to be called again. */
#define EXO_MORE 1

#endif
