/* SPDX-License-Identifier: MIT */
/*
 * system.c - what lwIP needs of a system: time, random numbers, and an end in words.
 *
 * Random numbers come from RDRAND where there is one, and else from the time stamp counter, mixed
 * (splitmix64, Steele and others, 2014).  Without RDRAND somebody who knows when the program
 * started can guess them.
 */
#include <base/string.h>
#include <exos/error.h>
#include <exos/time.h>
#include <exos/x86/insn.h>
#include <lwip/arch.h>
#include <lwip/sys.h>
#include <arch/hooks.h>

#include "x86/insn.h"

#define CPUID_RDRAND (1u << 30)

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

static bool has_rdrand(void)
{
	static int known = -1;
	uint32_t r[4];

	if (known < 0) {
		insn_cpuid(1, 0, r);
		known = (r[2] & CPUID_RDRAND) != 0;
	}
	return known;
}

static uint64_t random_u64(void)
{
	static uint64_t state;
	uint64_t bits = 0;

	state += 0x9e3779b97f4a7c15ul;
	if (!has_rdrand() || !insn_random(&bits))
		bits = exos_tsc();
	state ^= bits;
	return mix(state);
}

uint32_t net_lwip_random(void)
{
	return (uint32_t)random_u64();
}

/* Add an address to a hash. */
static uint64_t mix_address(uint64_t hash, const ip_addr_t *address)
{
	uint32_t words = IP_IS_V6(address) ? 4 : 1, word;

	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, (const char *)address + i * sizeof word, sizeof word);
		hash = mix(hash ^ word);
	}
	return hash;
}

/* RFC 6528: a clock of 4 us, plus a secret function of the connection. */
uint32_t net_lwip_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
		      uint16_t remote_port)
{
	static uint64_t secret;
	uint64_t hash;

	if (!secret)
		secret = random_u64() | 1;
	hash = mix_address(mix_address(secret, local), remote);
	hash = mix(hash ^ ((uint64_t)local_port << 16 | remote_port) ^ secret);
	return (uint32_t)(exos_ns() / 4000) + (uint32_t)hash;
}

uint32_t sys_now(void)
{
	return (uint32_t)(exos_ns() / 1000000);
}

void net_lwip_panic(const char *what, const char *file, int line)
{
	exos_panic("lwIP, %s:%d: not true: %s", file, line, what);
}
