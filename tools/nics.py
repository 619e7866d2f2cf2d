# SPDX-License-Identifier: MIT
"""QEMU's arguments for network cards, and the ports of the host that they take.

A card is described by one word: user, none, tap:IFNAME or dgram:LOCAL:REMOTE.  Ports are tried before
QEMU starts, so that a taken one is said in words with the way out.
"""
import errno
import os
import socket

SOCKETS = {'tcp': socket.SOCK_STREAM, 'udp': socket.SOCK_DGRAM}
MAC = '52:54:00:65:78:{:02x}'   # of card n
HELP = '''user (a private network, 10.0.2.0/24, with the host as 10.0.2.2), none, tap:IFNAME (an
interface of the host that exists), or dgram:LOCAL:REMOTE (Ethernet frames as datagrams between two
Unix sockets); give it several times for several cards'''


class Forward:
    """A port of the host's loopback interface that leads to a port of exo: PROTOCOL:HOST:GUEST."""

    def __init__(self, text):
        protocol, _, ports = text.partition(':')
        host, _, guest = ports.partition(':')
        if protocol not in SOCKETS:
            raise SystemExit(f'{text}: a forwarded port is written tcp:HOSTPORT:GUESTPORT '
                             'or udp:HOSTPORT:GUESTPORT')
        self.protocol = protocol
        self.host, self.guest = port_number(host, text), port_number(guest, text)

    def option(self):
        """As an option of QEMU's user-mode network."""
        return f'hostfwd={self.protocol}:127.0.0.1:{self.host}-:{self.guest}'

    def problem(self):
        """Why the port cannot be taken, or an empty string."""
        with socket.socket(socket.AF_INET, SOCKETS[self.protocol]) as probe:
            if self.protocol == 'tcp':      # connections of an earlier run may still be ending
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', self.host))
                if self.protocol == 'tcp':
                    probe.listen(1)
            except PermissionError:
                return f'{self} may be opened by root only'
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return f'{self} is taken, perhaps by another make run'
                return f'{self} cannot be opened: {os.strerror(error.errno)}'
        return ''

    def __str__(self):
        return f'{self.protocol.upper()} port {self.host} of this machine'


def port_number(text, where):
    """A port as a number; ends the program in words when it is none."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SystemExit(f'{where}: {text!r} is not a port, which is a number from 1 to 65535')
    return int(text)


def web_forwards(text):
    """The two ports of PORT=: the web server's, and the next one for packet captures."""
    port = port_number(text, 'PORT')
    if port == 65535:
        raise SystemExit('PORT=65535: the port after it is needed as well (for captures)')
    return [Forward(f'tcp:{port}:80'), Forward(f'tcp:{port + 1}:81')]


def way_out(forward):
    """What to do about a port that cannot be taken."""
    if forward.guest not in (80, 81):
        return 'choose another one'
    port = forward.host + 80 - forward.guest
    other = port + 100 if 1024 <= port < 65000 else 8180
    return f'choose another one: make run PORT={other} takes {other} and {other + 1}'


def check_ports(forwards):
    """End the program in words if one of these ports cannot be taken."""
    for forward in forwards:
        if problem := forward.problem():
            raise SystemExit(f'{problem}; {way_out(forward)}')


def split_escaped(text):
    """Parts between colons; a colon that belongs to a part is written twice."""
    return [part.replace('\0', ':') for part in text.replace('::', '\0').split(':')]


def netdev(word, name, forwards=(), queues=1, plain=False):
    """The value of -netdev for a card that is described by `word`; plain: no offloads, whose headers
    would stand before each packet in a capture."""
    kind, *rest = split_escaped(word)
    if kind == 'user' and not rest:
        return ','.join([f'user,id={name}', *(f.option() for f in forwards)])
    if kind == 'tap' and len(rest) == 1 and rest[0]:
        several = f',queues={queues}' if queues > 1 else ''
        return f'tap,id={name},ifname={rest[0]},script=no,downscript=no{several}' \
            + (',vnet_hdr=off' if plain else '')
    if kind == 'dgram' and len(rest) == 2 and all(rest):
        local, remote = (path.replace(',', ',,') for path in rest)
        return f'dgram,id={name},local.type=unix,local.path={local},remote.type=unix,remote.path={remote}'
    raise SystemExit(f'{word}: no such network; there are user, none, tap:IFNAME, dgram:LOCAL:REMOTE')


def capture_path(path, number):
    """The capture file of card `number`: the first has the name itself, then NAME.1, NAME.2, ..."""
    return f'{path}.{number}' if number else str(path)


def card(number, backend, queues=1, capture=None):
    """Arguments for card `number` over a -netdev value with the id net<number>."""
    if capture and queues > 1:
        raise SystemExit('a card with several queues cannot be captured: leave CAPTURE= or --queues out')
    several = f',mq=on,vectors={2 * queues + 2}' if queues > 1 else ''
    args = ['-netdev', backend, '-device', f'virtio-net-pci,netdev=net{number},disable-legacy=on,'
            f'id=nic{number},mac={MAC.format(number)},romfile={several}']
    if capture:
        path = capture_path(capture, number).replace(',', ',,')
        args += ['-object', f'filter-dump,id=dump{number},netdev=net{number},file={path}']
    return args


def arguments(words, forwards=(), queues=1, capture=None):
    """QEMU's arguments for cards described by words; the forwards belong to the first user network."""
    words = [word for word in words if word != 'none']
    forwards, args = list(forwards), []
    for number, word in enumerate(words):
        mine = forwards if word == 'user' else []
        if mine:
            forwards = []
        pairs = queues if word.startswith('tap:') else 1
        args += card(number, netdev(word, f'net{number}', mine, pairs, bool(capture)), pairs, capture)
    if forwards:
        raise SystemExit('ports can be forwarded with --net user only')
    return args
