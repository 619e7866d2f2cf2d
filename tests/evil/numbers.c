/* SPDX-License-Identifier: MIT */
/*
 * numbers.c - numbers that are outside, wrapping, misaligned, overlapping or malformed.
 *
 * A row is one refused value of one argument; the others are rightful.  Each argument of class
 * EVIL_NUMBER has at least one row.
 */
#include <base/util.h>
#include "evil.h"

#define AT(call, arg, way, add, error) \
	{ EXO_CALL_##call, arg, way, false, (uint64_t)(add), EXO_E_##error }
#define OFF(call, arg, way, add, error) \
	{ EXO_CALL_##call, arg, way, true, (uint64_t)(add), EXO_E_##error }

const struct evil_number evil_numbers[] = {
	AT(cap_narrow, 2, "outside", 0, RANGE),
	OFF(cap_narrow, 2, "outside", -3, RANGE),
	OFF(cap_narrow, 2, "empty", 4, RANGE),
	OFF(cap_narrow, 2, "backwards", 5, RANGE),
	AT(cap_narrow, 2, "wrapping", ~0ull, RANGE),
	OFF(cap_narrow, 2, "wrapping", 1ull << 52, RANGE),
	OFF(cap_narrow, 2, "wrapping", 1ull << 63, RANGE),
	OFF(cap_narrow, 3, "outside", 3, RANGE),
	AT(cap_narrow, 3, "empty", 0, RANGE),
	AT(cap_narrow, 3, "wrapping", ~0ull, RANGE),
	OFF(cap_narrow, 3, "wrapping", 1ull << 52, RANGE),
	AT(cap_narrow, 4, "malformed", 1u << 10, ARG),
	AT(cap_narrow, 4, "malformed", 1u << 17, ARG),
	AT(cap_narrow, 4, "malformed", 1ull << 63, ARG),
	AT(cap_narrow, 4, "wrong right", EXO_R_READ | EXO_R_CONTROL, RIGHTS),
	AT(cap_narrow, 4, "wrong right", EXO_R_RETYPE | EXO_SHARE, RIGHTS),

	AT(cap_give, 3, "malformed", 1u << 10, ARG),
	AT(cap_give, 3, "malformed", 1ull << 32, ARG),
	AT(cap_give, 3, "wrong right", EXO_R_READ | EXO_R_MAP, RIGHTS),
	AT(cap_give, 3, "wrong right", EXO_R_RETYPE | EXO_SHARE, RIGHTS),

	AT(retype, 2, "outside", 0, RANGE),
	OFF(retype, 2, "outside", -1, RANGE),
	OFF(retype, 2, "overlapping the end", 5, RANGE),
	AT(retype, 2, "wrapping", ~0ull, RANGE),
	AT(retype, 2, "wrapping", ~0ull - 2, RANGE),
	OFF(retype, 2, "wrapping", 1ull << 52, RANGE),
	AT(retype, 3, "no kind", EXO_KIND_COUNT, KIND),
	AT(retype, 3, "no kind", ~0ull, KIND),
	AT(retype, 3, "not made of memory", EXO_KIND_FRAME, KIND),
	AT(retype, 3, "not made of memory", EXO_KIND_NONE, KIND),
	AT(retype, 3, "not made of memory", EXO_KIND_BLOCK, KIND),
	AT(retype, 3, "not made of memory", EXO_KIND_NIC, KIND),
	AT(retype, 3, "not made of memory", EXO_KIND_GATE, KIND),
	AT(retype, 4, "no level", 0, ARG),
	AT(retype, 4, "no level", 4, ARG),
	AT(retype, 4, "no level", ~0ull, ARG),

	AT(space_update, 2, "too many", EXO_BATCH_MAX + 1, ARG),
	AT(space_update, 2, "wrapping", ~0ull, ARG),
	AT(space_update, 2, "wrapping", 1ull << 59, ARG),

	AT(env_control, 1, "no operation", 0, ARG),
	AT(env_control, 1, "no operation", 99, ARG),
	AT(env_control, 1, "no operation", ~0ull, ARG),
	AT(env_control, 1, "not startable", EXO_ENV_START, BUSY),
	AT(env_control, 1, "no claim", EXO_ENV_SPACE, STALE),
	AT(env_control, 1, "no entry", EXO_ENV_WATCH, RANGE),
	AT(env_control, 2, "kernel address", 0xffffffff80000000ull, RANGE),
	AT(env_control, 2, "non-canonical", 1ull << 63, RANGE),
	AT(env_control, 2, "outside", EXO_USER_TOP, RANGE),

	AT(doorbell, 2, "outside", EXO_EVENTS, RANGE),
	AT(doorbell, 2, "wrapping", ~0ull, RANGE),
	AT(doorbell, 2, "wrapping", 1ull << 32 | 9, RANGE),
	AT(doorbell, 2, "the alarm's", 0, RANGE),
	AT(doorbell, 3, "malformed", EXO_R_NOTIFY | EXO_SHARE, ARG),
	AT(doorbell, 3, "malformed", EXO_R_NOTIFY | 1ull << 40, ARG),
	AT(doorbell, 3, "wrong right", 0, RIGHTS),
	AT(doorbell, 3, "wrong right", EXO_R_NOTIFY | EXO_R_CONTROL, RIGHTS),

	AT(gate_make, 2, "kernel address", 0xffffffff80000000ull, RANGE),
	AT(gate_make, 2, "outside", EXO_USER_TOP, RANGE),
	AT(gate_make, 2, "non-canonical", 1ull << 47, RANGE),
	AT(gate_make, 3, "wrapping", 1ull << 32, RANGE),
	AT(gate_make, 3, "wrapping", ~0ull, RANGE),

	OFF(slot_set, 1, "outside", -1, RANGE),
	AT(slot_set, 1, "outside", EXO_VECTOR_SLOTS, RANGE),
	AT(slot_set, 1, "wrapping", ~0ull, RANGE),
	OFF(slot_set, 1, "wrapping", 1ull << 32, RANGE),

	AT(irq_bind, 1, "outside", EXO_EVENTS, RANGE),
	AT(irq_bind, 1, "wrapping", 1ull << 32 | 200, RANGE),
	AT(irq_bind, 1, "wrapping", ~0ull, RANGE),

	AT(port_io, 2, "none", 0, ARG),
	AT(port_io, 2, "too many", 65, ARG),
	AT(port_io, 2, "wrapping", ~0ull, ARG),
	AT(port_io, 2, "wrapping", 1ull << 60 | 1, ARG),

	AT(disk_bind, 2, "outside", EXO_EVENTS, RANGE),
	AT(disk_bind, 2, "wrapping", ~0ull, RANGE),
	AT(disk_bind, 2, "wrapping", 1ull << 32 | 200, RANGE),

	AT(nic_narrow, 4, "malformed", EXO_R_READ | EXO_R_CONTROL, ARG),
	AT(nic_narrow, 4, "malformed", 1ull << 40, ARG),

	AT(nic_bind, 2, "outside", 0, RANGE),
	AT(nic_bind, 2, "outside", EXO_EVENTS, RANGE),
	AT(nic_bind, 2, "wrapping", 1ull << 32 | 200, RANGE),

	AT(cap_ask, 2, "no child's", 1, STALE),
	AT(cap_ask, 2, "no child's", ~0ull, STALE),
	AT(cap_ask, 2, "no child's", 1ull << 63 | 64, STALE),
	AT(cap_ask, 2, "no slot's", 0xffffffff, STALE),

	AT(pci_config, 1, "outside", 4096, RANGE),
	AT(pci_config, 1, "wrapping", ~0ull - 1, RANGE),
	AT(pci_config, 1, "wrapping", 1ull << 32 | 4, RANGE),
	AT(pci_config, 1, "misaligned", 5, ARG),
	AT(pci_config, 1, "misaligned", ~0ull, ARG),
	AT(pci_config, 1, "the kernel's: BAR 0", 0x10, RIGHTS),
	AT(pci_config, 1, "the kernel's: BAR 0", 0x12, RIGHTS),
	AT(pci_config, 1, "the kernel's: ROM", 0x30, RIGHTS),
	AT(pci_config, 1, "the kernel's: extended", 4094, RIGHTS),
	AT(pci_config, 2, "no size", EXO_PCI_WRITE, ARG),
	AT(pci_config, 2, "no size", EXO_PCI_WRITE | 3, ARG),
	AT(pci_config, 2, "no size", EXO_PCI_WRITE | 8, ARG),
	AT(pci_config, 2, "no size", ~0ull, ARG),
	AT(pci_config, 2, "no size", 1ull << 32 | EXO_PCI_WRITE | 2, ARG),
	AT(pci_config, 2, "half a field", EXO_PCI_WRITE | 1, RIGHTS),
	AT(pci_config, 2, "two fields", EXO_PCI_WRITE | 4, RIGHTS),
	AT(pci_config, 3, "not on the list", 8, ARG),
	AT(pci_config, 3, "not on the list", 0x402, ARG),
	AT(pci_config, 3, "malformed", 1ull << 16 | 2, ARG),
	AT(pci_config, 3, "malformed", ~0ull, ARG),

	AT(pci_bind, 2, "outside", EXO_EVENTS, RANGE),
	AT(pci_bind, 2, "wrapping", 1ull << 32 | 200, RANGE),
	AT(pci_bind, 2, "wrapping", ~0ull, RANGE),

	AT(pci_vector, 1, "outside", 2048, RANGE),
	AT(pci_vector, 1, "wrapping", 1ull << 32, RANGE),
	AT(pci_vector, 1, "wrapping", ~0ull, RANGE),
	AT(pci_vector, 2, "outside", EXO_EVENTS, RANGE),
	AT(pci_vector, 2, "wrapping", 1ull << 32 | 200, RANGE),

	AT(pci_ack, 1, "not bound", 1, ARG),
	AT(pci_ack, 1, "outside", 2048, RANGE),
	AT(pci_ack, 1, "wrapping", 1ull << 32, RANGE),
	AT(pci_ack, 1, "wrapping", ~0ull, RANGE),

	AT(prog_load, 2, "none", 0, ARG),
	AT(prog_load, 2, "more than a program has", EXO_PROG_MAX + 1, ARG),
	AT(prog_load, 2, "more than it has room for", 33, ROOM),
	AT(prog_load, 2, "more than it has room for", EXO_PROG_MAX, ROOM),
	AT(prog_load, 2, "wrapping", ~0ull, ARG),
	AT(prog_load, 2, "wrapping", 1ull << 32 | 2, ARG),
	AT(prog_load, 2, "wrapping", 1ull << 61 | 2, ARG),
};
const unsigned evil_number_count = ARRAY_LEN(evil_numbers);
