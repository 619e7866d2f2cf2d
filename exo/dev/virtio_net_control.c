/* SPDX-License-Identifier: MIT */
/*
 * virtio_net_control.c - what a virtio NIC is asked for by its control queue (virtio 1.2, 5.1.6.5).
 *
 * How many pairs of queues it uses is asked when it starts; whether it joins received packets at
 * any time, without waiting: a second wish waits until the first is answered, and of several wishes
 * only the last counts.  A device that never answers goes on as it was told last.
 *
 * Invariant: at most one command is in the queue, and its memory is not written meanwhile.  What
 * the device answers is compared with OK, no more.
 */
#include "dev/virtio_net.h"

#include "kernel.h"
#include "x86/insn.h"

enum {
	CLASS_MQ = 4, MQ_PAIRS_SET = 0,                 /* 5.1.6.5.5 */
	CLASS_OFFLOADS = 5, OFFLOADS_SET = 0,           /* 5.1.6.5.6 */
	COMMAND_HEAD = 2,                               /* bytes before the value */
	ANSWER_OK = 0, ANSWER_NONE = 0xff,
	ANSWER_SPINS = 10000000,
};

struct vnet_command {
	uint8_t class, command;
	uint8_t value[8];               /* little endian */
	uint8_t pad[54];
	uint8_t answer;                 /* written by the device, a cache line of its own */
};

void vnet_control_memory(struct vnet *d)
{
	if (!vnet_has_control(d))
		return;
	virtq_memory(&d->control);
	d->command = boot_frames(1);
}

/* The control queue stands behind all pairs that the device has, used or not (5.1.2). */
bool vnet_control_start(struct vnet *d)
{
	d->asked = false;
	if (!vnet_has_control(d))
		return true;
	if (!virtq_start(&d->v, &d->control, (uint16_t)(2 * d->pairs_max), VIRTIO_NO_ENTRY))
		return false;
	virtq_interrupts(&d->control, false);
	return d->control.size >= 2;
}

static void command_give(struct vnet *d, uint8_t class, uint8_t command, uint64_t value,
                         uint32_t bytes)
{
	uint64_t pa = virt_to_phys(d->command);

	d->command->class = class;
	d->command->command = command;
	memcpy(d->command->value, &value, bytes);
	d->command->answer = ANSWER_NONE;
	virtq_desc_set(&d->control, 0, pa, COMMAND_HEAD + bytes, VIRTQ_NEXT, 1);
	virtq_desc_set(&d->control, 1, pa + offsetof(struct vnet_command, answer), 1, VIRTQ_WRITE,
	               0);
	virtq_add(&d->control, 0);
	virtq_publish(&d->control);
	d->asked = true;
}

static void offloads_give(struct vnet *d)
{
	uint64_t on = d->join ? 1ul << NET_F_GUEST_TSO4 | 1ul << NET_F_GUEST_TSO6 : 0;

	d->join_told = d->join;
	command_give(d, CLASS_OFFLOADS, OFFLOADS_SET,
	             (on | 1ul << NET_F_GUEST_CSUM) & d->features, sizeof(uint64_t));
}

/* Has it answered?  Then the next command may be given. */
static bool command_answered(struct vnet *d)
{
	uint32_t id;

	if (d->asked && virtq_take(&d->control, &id))
		d->asked = false;
	return !d->asked;
}

static bool command_wait(struct vnet *d)
{
	for (unsigned i = 0; i < ANSWER_SPINS; i++) {
		if (command_answered(d))
			return *(volatile uint8_t *)&d->command->answer == ANSWER_OK;
		cpu_pause();
	}
	return false;
}

/* It uses one pair until it is told of more, and joins packets until it is told not to. */
bool vnet_control_begin(struct vnet *d)
{
	if (d->pairs > 1) {
		command_give(d, CLASS_MQ, MQ_PAIRS_SET, d->pairs, sizeof(uint16_t));
		if (!command_wait(d))
			return false;
	}
	if (!vnet_can_join(d))
		return true;
	offloads_give(d);
	return command_wait(d);
}

void vnet_control_go_on(struct vnet *d)
{
	if (!command_answered(d) || d->join == d->join_told)
		return;
	offloads_give(d);
	command_answered(d);
}

void vnet_join(struct nic *n, bool on)
{
	struct vnet *d = n->driver;

	d->join = on;
	vnet_control_go_on(d);
}
