/* SPDX-License-Identifier: MIT */
/*
 * first.h - the first program.
 */
#ifndef EXO_FIRST_H
#define EXO_FIRST_H

/* Make it, with all that the kernel does not keep, ready to run on the first CPU; boot only. */
void first_make(void);

#endif
