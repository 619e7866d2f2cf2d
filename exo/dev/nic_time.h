/* SPDX-License-Identifier: MIT */
/*
 * nic_time.h - when the rest of a NIC's work is done.
 */
#ifndef EXO_DEV_NIC_TIME_H
#define EXO_DEV_NIC_TIME_H

#include "dev/nic.h"

/* The CPU that this runs on, and how many there are. */
unsigned nic_cpu(void);
unsigned nic_cpus(void);

/*
 * Go on with a queue when the interrupted program had as much time as passed since `began` (a time
 * stamp), at once if there is none.  The NIC's lock held; then nic_time_arm without it.
 */
void nic_time_soon(struct nic_queue *q, uint64_t began);
void nic_time_arm(void);

/* Look at a queue within a time slot (10 ms), if nothing does before. The NIC's lock held. */
void nic_time_late(struct nic_queue *q);

#endif
