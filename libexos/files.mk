# SPDX-License-Identifier: MIT
# files.mk - sources of libexos.a.
libexos-src := \
	libexos/x86/start.S libexos/x86/upcall_entry.S libexos/x86/gate_entry.S \
	libexos/offsets.c \
	libexos/archive.c libexos/area.c libexos/cap.c libexos/console.c libexos/console_gate.c \
	libexos/console_line.c libexos/console_uart.c libexos/elf.c libexos/entry.c \
	libexos/error.c libexos/event.c libexos/first.c libexos/frame.c libexos/gate.c \
	libexos/grant.c libexos/heap.c libexos/lock.c libexos/malloc.c libexos/nodes.c \
	libexos/pager.c \
	libexos/panic.c libexos/pci.c libexos/pool.c libexos/region.c libexos/revoke.c libexos/runtime.c \
	libexos/setup.c libexos/slot.c \
	libexos/space.c libexos/spawn.c libexos/spawn_grant.c libexos/spawn_image.c libexos/spawn_map.c \
	libexos/sync.c libexos/table.c libexos/thread.c libexos/time.c libexos/tree.c \
	libexos/upcall.c libexos/worker.c
