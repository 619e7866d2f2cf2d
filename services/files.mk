# SPDX-License-Identifier: MIT
# files.mk - the programs of the system, one folder each.
programs += init console shell

init-src := services/init/acpi.c services/init/acpi_s5.c services/init/banner.c \
	services/init/bootline.c services/init/console.c services/init/grants.c \
	services/init/main.c services/init/memory.c services/init/power.c \
	services/init/program.c services/init/time.c

console-src := services/console/input.c services/console/main.c services/console/uart.c

shell-src := services/shell/caps.c services/shell/commands.c services/shell/devices.c \
	services/shell/disk.c services/shell/envs.c services/shell/files.c \
	services/shell/hash.c services/shell/hexdump.c services/shell/jobs.c \
	services/shell/lineedit.c services/shell/listing.c services/shell/load.c \
	services/shell/machine.c services/shell/main.c services/shell/mem.c \
	services/shell/parse.c services/shell/ps.c services/shell/slices.c \
	services/shell/slots.c services/shell/term.c
shell-libs := libfs
cflags-services/shell/hash.c := -Iexo/base/stub
