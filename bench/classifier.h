/* SPDX-License-Identifier: MIT */
/*
 * classifier.h - the kernel's classifier (exo/filter.c), compiled into this program.
 *
 * The same source and compiler; frames come from an arena in place of the direct map, so that
 * deciding a packet can be counted without a device.
 */
#ifndef BENCH_CLASSIFIER_H
#define BENCH_CLASSIFIER_H

#include <exo/nic.h>

#define CLASSIFIER_FRAMES 1100u

struct filter;

/* A NIC without any claims but the root's: its filter.  What was made before is gone. */
struct filter *classifier_start(void);
/* A child of `parent` with these patterns; NULL: refused, or no frame is left. */
struct filter *classifier_add(struct filter *parent, const struct exo_nic_spec *spec);
/* Decide `rounds` packets, packet n of `packet` [count] after n - 1; the sum of the answers. */
uint64_t classifier_run(struct filter *root, const uint8_t (*packet)[EXO_NIC_HEADER],
                        uint32_t count, uint32_t rounds);

#endif
