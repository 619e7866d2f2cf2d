/* SPDX-License-Identifier: MIT */
/*
 * port.h - entries of the batched call exo_port_io.
 */
#ifndef EXO_PORT_H
#define EXO_PORT_H

#include <exo/types.h>

#define EXO_PORT_IN    0
#define EXO_PORT_OUT   1
/* Read `port` until (value & mask) == want, at most `tries` times: then the batch stops there. */
#define EXO_PORT_UNTIL 2

#define EXO_PORT_TRIES 1024u    /* most tries an entry may ask for */

struct exo_port_op {
	uint16_t port;
	uint8_t  size;          /* 1, 2 or 4 bytes */
	uint8_t  op;            /* EXO_PORT_* */
	uint32_t value;         /* OUT: written; IN, UNTIL: what was read, written back */
	uint16_t mask, want;    /* UNTIL */
	uint32_t tries;         /* UNTIL */
};
_Static_assert(sizeof(struct exo_port_op) == 16, "ABI: exo_port_op");

#endif
