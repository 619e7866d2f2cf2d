# SPDX-License-Identifier: MIT
# The kernel: portable parts, the processor's parts, devices.
include exo/dev/files.mk
exo-src := \
	exo/main.c exo/lock.c exo/memory.c exo/first.c exo/calls.c exo/copy.c exo/trace.c \
	exo/frame.c exo/claim.c exo/known.c exo/lend.c exo/pieces.c exo/ask.c exo/end.c exo/retype.c exo/table.c \
	exo/space.c exo/grace.c exo/env.c exo/sched.c exo/resume.c exo/turns.c exo/slices.c \
	exo/charge.c exo/timer.c exo/event.c exo/gate.c exo/vcpu.c exo/prog.c exo/prog/check.c \
	exo/filter.c exo/filter_check.c exo/filter_find.c exo/filter_group.c \
	exo/x86/cpu.c exo/x86/smp.c exo/x86/trap.c exo/x86/tlb.c exo/x86/vector.c exo/x86/lapic.c \
	exo/x86/panic.c exo/x86/port.c exo/x86/port_list.c exo/x86/port_holder.c exo/x86/map_device.c \
	exo/x86/svm.c exo/x86/svm_enter.S exo/x86/prog_compile.c exo/x86/prog_window.c \
	exo/x86/offsets.c exo/x86/latency.c exo/x86/ways.S exo/x86/start.S exo/x86/entry.S exo/x86/handover.S exo/x86/notify.S \
	exo/x86/copy.S exo/x86/gdt.S \
	$(exo-dev-src)
