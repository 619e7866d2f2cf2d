# SPDX-License-Identifier: MIT
# Portable functions that kernel, loader, libraries and host tools share.
base-src := exo/base/string.c exo/base/format.c exo/base/hash.c exo/base/popcount.c \
	exo/base/sort.c exo/base/nvme.c exo/base/nvme_control.c exo/base/nvme_identity.c
