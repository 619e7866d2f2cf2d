# SPDX-License-Identifier: MIT
"""Debian's small web servers, which exo's httpd is measured beside: how each is started, and the archive
that Linux unpacks them from.

tools/servers.sh fetches them.  Each is set for speed as its manual says: no log of requests, connections
that stay, sendfile, epoll where it has it, one process, since one connects to one processor at a time.
All serve the same documents from Linux's root, which is memory.
"""
import os

import systems          # first: it shows the others the way to tools/
import http_rows

ROOT = os.path.join(systems.TOP, 'build', 'src', 'servers')

LIGHTTPD = '''server.document-root = "/www"
server.port = {port}
server.compat-module-load = "disable"
server.modules = ( "mod_staticfile" )
server.event-handler = "linux-sysepoll"
server.network-backend = "sendfile"
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 60
mimetype.assign = ( "" => "application/octet-stream" )
'''
NGINX = '''daemon off;
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr crit;
events { use epoll; worker_connections 512; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000;
	keepalive_timeout 60s;
	open_file_cache max=16 inactive=60s;
	open_file_cache_valid 60s;
	default_type application/octet-stream;
	server { listen {port} backlog=255; root /www; }
}
'''
# name: port, words after the program, files, folders
SERVERS = {
    'lighttpd': (8001, '-D -f /etc/lighttpd.conf', {'etc/lighttpd.conf': LIGHTTPD}, ('var', 'var/tmp')),
    'nginx': (8002, '-e stderr -c /etc/nginx.conf', {'etc/nginx.conf': NGINX},
              ('run', 'var', 'var/lib', 'var/lib/nginx', 'var/log', 'var/log/nginx')),
    'webfs': (8003, '-F -4 -p {port} -r /www -n 10.0.2.15 -k 60 -c 64 -m /etc/mime.types -f none',
              {'etc/mime.types': 'application/octet-stream bin\n'}, ()),
}
PASSWD = {'etc/passwd': 'root:x:0:0:root:/:/bin/false\n', 'etc/group': 'root:x:0:\n'}


def found():
    """[(name, version, path in the archive)] of those that were fetched."""
    try:
        with open(os.path.join(ROOT, 'versions'), encoding='utf-8') as file:
            lines = [line.split() for line in file]
    except FileNotFoundError:
        return []
    return [(name, version, path) for name, version, path in lines if name in SERVERS]


def port(name):
    return SERVERS[name][0]


def fetched():
    """The programs and their libraries, as members of an archive."""
    root, members = os.path.join(ROOT, 'root'), []
    for folder, _, names in sorted(os.walk(root)):
        inside = os.path.relpath(folder, root)
        members += [] if inside == '.' else [(inside, 0o40755, b'')]
        members += [(os.path.relpath(os.path.join(folder, name), root), 0o100755,
                     systems.read(os.path.join(folder, name))) for name in sorted(names)]
    return members


def members():
    """All members: programs, what each is told, the documents, and how all are started."""
    texts, folders, starts = dict(PASSWD), ['etc', 'www'], ''
    for name, _, path in found():
        number, words, files, more = SERVERS[name]
        texts.update({at: text.replace('{port}', str(number)) for at, text in files.items()})
        folders += more
        starts += f'{path} {words}\n'.replace('{port}', str(number))
    texts['etc/servers'] = starts
    return (fetched() + [(name, 0o40755, b'') for name in dict.fromkeys(folders)] +
            [(name, 0o100644, text.encode()) for name, text in texts.items()] +
            [(f'www/{size}', 0o100644, http_rows.document(size)) for size in http_rows.SIZES])


def initrd(plain, folder):
    """The initramfs with the servers behind it, which are unpacked after it; its path."""
    path = os.path.join(folder, 'initrd-servers')
    with open(path, 'wb') as file:
        file.write(systems.read(plain) + systems.cpio(members()))
    return path
