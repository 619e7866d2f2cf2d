/* SPDX-License-Identifier: MIT */
/*
 * input.c - the ring of typed bytes and the stack of readers.
 *
 * Invariant: head - tail <= INPUT_BYTES; each bell on the stack is ours to drop, once.
 */
#include "input.h"

#include <base/string.h>

size_t input_room(const struct input *in)
{
	return INPUT_BYTES - (size_t)(in->head - in->tail);
}

/* Take reader i off the stack. */
static void input_remove(struct input *in, uint32_t i)
{
	in->drop(in->reader[i].bell);
	in->readers--;
	memmove(&in->reader[i], &in->reader[i + 1],
		(in->readers - i) * sizeof(in->reader[0]));
}

void input_put(struct input *in, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		in->byte[in->head++ % INPUT_BYTES] = bytes[i];
		while (bytes[i] == INPUT_BREAK && in->readers > 1)
			input_remove(in, in->readers - 1);
	}
}

void input_wake(struct input *in)
{
	while (in->head != in->tail && in->readers > 0) {
		if (in->ring(in->reader[in->readers - 1].bell))
			return;
		input_remove(in, in->readers - 1);
	}
}

/* Readers that ended show it when their bell is posted; the others may be posted for nothing. */
static void input_sweep(struct input *in)
{
	for (uint32_t i = in->readers; i-- > 0;)
		if (!in->ring(in->reader[i].bell))
			input_remove(in, i);
}

bool input_attach(struct input *in, uint32_t mark, uint64_t bell)
{
	input_sweep(in);
	if (in->readers == INPUT_READERS)
		return false;
	in->reader[in->readers++] = (struct input_reader){ mark, bell };
	input_wake(in);
	return true;
}

void input_detach(struct input *in, uint32_t mark)
{
	for (uint32_t i = in->readers; i-- > 0;) {
		if (in->reader[i].mark == mark) {
			input_remove(in, i);
			input_wake(in);
			return;
		}
	}
}

size_t input_take(struct input *in, uint32_t mark, uint8_t *out, size_t room)
{
	size_t count = 0;

	if (in->readers == 0 || in->reader[in->readers - 1].mark != mark)
		return 0;
	while (count < room && in->tail != in->head)
		out[count++] = in->byte[in->tail++ % INPUT_BYTES];
	return count;
}
