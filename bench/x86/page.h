/* SPDX-License-Identifier: MIT */
/*
 * page.h - addresses in the environment page, which a started program has at EXOS_ENV_VA; calls.c
 * checks them against the structs.
 */
#ifndef BENCH_PAGE_H
#define BENCH_PAGE_H

#define PAGE_VA     0x00c41000
#define PAGE_OFF    (PAGE_VA + 0x40)            /* upcalls_off */
#define AREA        (PAGE_VA + 0x100)           /* of an upcall */
#define AREA_RAX    (AREA + 0)
#define AREA_RCX    (AREA + 8)
#define AREA_RDX    (AREA + 16)
#define AREA_RIP    (AREA + 24)
#define AREA_RFLAGS (AREA + 32)
#define AREA_RSP    (AREA + 40)

#endif
