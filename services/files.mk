# SPDX-License-Identifier: MIT
# files.mk - the programs of the system, one folder each.
programs += init console shell ping fetch capture

init-src := services/init/acpi.c services/init/acpi_s5.c services/init/banner.c \
	services/init/bootline.c services/init/console.c services/init/grants.c \
	services/init/main.c services/init/memory.c services/init/net.c services/init/power.c \
	services/init/program.c services/init/service.c services/init/time.c services/init/web.c
init-libs := libnet

console-src := services/console/input.c services/console/main.c services/console/uart.c

programs += netcfg
netcfg-src := services/netcfg/address.c services/netcfg/book.c services/netcfg/claims.c \
	services/netcfg/conf.c services/netcfg/gate.c services/netcfg/lease.c \
	services/netcfg/lease_act.c services/netcfg/main.c \
	services/netcfg/neighbour.c services/netcfg/page.c services/netcfg/stray.c
netcfg-libs := libnet

shell-src := services/shell/caps.c services/shell/commands.c services/shell/devices.c \
	services/shell/disk.c services/shell/envs.c services/shell/files.c \
	services/shell/hash.c services/shell/hexdump.c services/shell/jobs.c \
	services/shell/lineedit.c services/shell/listing.c services/shell/load.c \
	services/shell/machine.c services/shell/main.c services/shell/mem.c \
	services/shell/net.c services/shell/net_claims.c services/shell/net_config.c \
	services/shell/parse.c services/shell/ps.c services/shell/run.c services/shell/slices.c \
	services/shell/slots.c services/shell/term.c
shell-libs := libfs libnet
cflags-services/shell/hash.c := -Iexo/base/stub

# The network commands: what they share, and of http/ what reads the other side.
client-src := services/client/client.c services/client/print.c
ping-src := services/ping/main.c services/ping/stats.c $(client-src)
ping-libs := libnet

fetch-src := services/fetch/main.c services/fetch/response.c services/fetch/show.c \
	services/http/head.c services/http/response.c services/http/text.c services/http/url.c \
	$(client-src)
fetch-libs := libnet
cflags-services/fetch/show.c := -Iexo/base/stub

capture-src := services/capture/capture.c services/capture/decode.c services/capture/decode_ip.c \
	services/capture/decode_transport.c services/capture/main.c services/capture/own.c \
	services/capture/serve.c services/capture/store.c services/capture/text.c \
	services/capture/words.c services/http/head.c services/http/request.c \
	services/http/text.c $(client-src)
capture-libs := libnet

# The web server: services/http reads messages, services/httpd answers them.
programs += httpd
httpd-src := services/httpd/answer.c services/httpd/body.c services/httpd/condition.c \
	services/httpd/conn.c services/httpd/disk.c services/httpd/index.c \
	services/httpd/listing.c services/httpd/main.c services/httpd/path.c \
	services/httpd/range.c services/httpd/reply.c services/httpd/server.c \
	services/httpd/tcp.c services/httpd/text.c services/httpd/type.c \
	services/http/date.c services/http/head.c services/http/request.c services/http/text.c
httpd-libs := libfs libnet
