/* SPDX-License-Identifier: MIT */
/*
 * input.h - what was typed, and who may take it.
 *
 * Readers form a stack: the last to attach is in front; when it leaves or ends, the one before is
 * again.  A reader is known by the mark of the gate it called through.  A typed INPUT_BREAK takes
 * the console from all but the first reader, which also finds it in its input.  Nothing here
 * touches the port or the kernel, except through the two functions handed in.
 */
#ifndef CONSOLE_INPUT_H
#define CONSOLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_BYTES   16384u    /* typed and not yet taken; a power of two */
#define INPUT_READERS 16u
#define INPUT_BREAK   0x1cu         /* Ctrl-\ */

struct input_reader {
	uint32_t mark;
	uint64_t bell;          /* claim to post when there is input */
};

struct input {
	/* Post a bell; false if its reader is gone.  Give a bell up. */
	bool (*ring)(uint64_t bell);
	void (*drop)(uint64_t bell);
	uint64_t head, tail;    /* bytes ever put in and taken; head - tail <= INPUT_BYTES */
	uint64_t lost;          /* bytes that never came in, since this was last told */
	uint32_t readers;
	struct input_reader reader[INPUT_READERS];      /* the last is in front */
	uint8_t  byte[INPUT_BYTES];
};

/* Bytes that still find room. */
size_t input_room(const struct input *in);

/* Put bytes in; there must be room for them.  input_wake tells the reader. */
void input_put(struct input *in, const uint8_t *bytes, size_t count);

/* If there is input, post the front reader's bell; readers that are gone leave the stack. */
void input_wake(struct input *in);

/* Become the front reader; false if there is no room on the stack. */
bool input_attach(struct input *in, uint32_t mark, uint64_t bell);

/* The foremost reader with this mark leaves. */
void input_detach(struct input *in, uint32_t mark);

/* Take up to `room` bytes, if the front reader has this mark; how many. */
size_t input_take(struct input *in, uint32_t mark, uint8_t *out, size_t room);

#endif
