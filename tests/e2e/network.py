# SPDX-License-Identifier: MIT
"""network.py - addresses, cards, cables and the shell's commands over the user-mode network.
"""

import random
import re
import socket
import subprocess
import time

import dhcp
import net
import nics
import pages
import qemu
import scenario
import served
import web
import xxh64

def off(run, box):
    """`exit` switches off."""
    box.send("exit\r")
    run.end(box, qemu.POWER_OFF)


@served.session("net_ping")
def ping(run, box):
    """ping of the gateway is answered, of nobody is not; names and rubbish are said in words."""
    text = run.shell(box, "ping -c 3 10.0.2.2")
    run.check(re.search(r"3 sent, 3 answered, 0 % lost", text), f"ping of the gateway: {text!r}")
    run.check(len(re.findall(r"time \d+\.\d{3} ms", text)) == 3, f"round trip times: {text!r}")
    text = run.shell(box, "ping -c 2 10.0.2.99")
    run.check(re.search(r"2 sent, 0 answered|no answer|not answer|not known|unreachable", text),
              f"ping of nobody: {text!r}")
    for line in ("ping", "ping -c 0 10.0.2.2", "ping -c x 10.0.2.2", "ping 10.0.2.256", "ping 1.2.3",
                 "ping no-such-host.invalid"):
        text = run.shell(box, line)
        run.check(text.strip() and "answered, 0 %" not in text, f"`{line}`: {text!r}")


@served.session("net_fetch")
def fetch(run, box):
    """fetch brings a page of the host; what goes wrong is said in words."""
    with pages.host() as server:
        base = f"http://10.0.2.2:{server.server_address[1]}"
        text = run.shell(box, f"fetch -q {base}/page")
        run.check("/page" in server.seen, "the host was not asked")
        run.check(f"{len(pages.PAGE)} bytes, XXH64 {xxh64.xxh64(pages.PAGE):016x}" in text,
                  f"fetch -q: {text[-200:]!r}")
        text = run.shell(box, f"fetch {base}/page")
        run.check(text.count("what the host has to say") >= 3000, f"fetch: {len(text)} characters")
        text = run.shell(box, f"fetch {base}/nothing")
        run.check("404" in text, f"fetch of what is not there: {text!r}")
        text = run.shell(box, f"fetch -q {base}/empty")
        run.check(re.search(r"\b0 bytes", text), f"fetch of nothing: {text!r}")
        closed = net.free_port()
    text = run.shell(box, f"fetch http://10.0.2.2:{closed}/")
    run.check(re.search(r"(?i)refused|reset|closed", text), f"a closed port: {text!r}")
    for line in ("fetch", "fetch ftp://10.0.2.2/", "fetch http://", "fetch http://10.0.2.2:99999/",
                 "fetch http://no-such-host.invalid/"):
        text = run.shell(box, line, 60.0)
        run.check(text.strip() and not re.search(r"bytes, XXH64 [0-9a-f]{16}", text), f"`{line}`: {text!r}")


@served.session("net_command")
def net_command(run, box):
    """`net` shows cards, addresses, the gateway, claims, and counters that grow."""
    text = run.shell(box, "net")
    for words in ("52:54:00:65:78:00", "10.0.2.15/24", "10.0.2.2", "10.0.2.3"):
        run.check(words in text, f"`net` does not show {words}: {text!r}")
    run.check(re.search(r"(?i)dhcp", text), f"`net` does not say where the address comes from: {text!r}")
    run.check(re.search(r"(?i)tcp.*\b80\b", text), f"`net` does not show the web server's claim: {text!r}")
    before = max(map(int, re.findall(r"\d+", text)))
    answer = web.get(run.port, "/big.bin")
    run.check(answer.body == served.BIG, f"/big.bin: {answer}")
    after = max(map(int, re.findall(r"\d+", run.shell(box, "net"))))
    run.check(after >= before + len(served.BIG), f"no counter grew by a file's bytes: {before}, {after}")


@served.session("net_capture", timeout=120.0)
def capture(run, box):
    """`capture` shows packets on the console and gives them out as pcap: those that passed, no others."""
    start = box.mark()
    box.send("capture")
    run.check(box.expect("exo> capture", 20 * run.context.slow), "typing is not echoed")
    box.send("\r")                 # on its own, as it is typed: one Ctrl-C is enough then, too
    run.check(box.expect(r":81/", 20 * run.context.slow, start), f"capture says {box.text(start)!r}")
    answer = web.get(run.port, "/small.html")
    run.check(answer.body == served.FILES["small.html"], f"/small.html: {answer}")
    run.check(box.expect(r"10\.0\.2\.15[.:]80\b", 10 * run.context.slow, start),
              "no line with the web server's address")
    answer = web.get(run.port + 1, "/capture.pcap")
    run.check(answer.status == 200, f"/capture.pcap: {answer}")
    box.send("\x03")
    run.check(box.expect(r"\nexo> \Z", 20 * run.context.slow, start, raw=True), "no prompt after Ctrl-C")
    packets = net.read_pcap(answer.body)
    run.file("guest.pcap").write_bytes(answer.body)
    seen = {bytes(data) for _, _, data in net.read_pcap(run.file("net0.pcap").read_bytes())}
    with_port = [data for _, _, data in packets if data[12:14] == b"\x08\x00" and data[23] == 6
                 and 80 in (data[34] << 8 | data[35], data[36] << 8 | data[37])]
    run.check(len(with_port) >= 6, f"{len(with_port)} of {len(packets)} packets belong to the request")
    strange = [data for data in with_port if not any(data == s[:len(data)] for s in seen)
               and not offloaded(data, seen)]
    run.check(not strange, f"{len(strange)} captured packets never passed, first: {strange[:1]}")
    run.file("guest.pcap").unlink()


def offloaded(data, seen):
    """Did the packet pass with only its TCP checksum, which the device fills in, another?"""
    return any(data[:50] == s[:50] and data[52:] == s[52:len(data)] for s in seen)


@scenario.test("net_no_card")
def no_card(run):
    """Without a card: said once, the shell comes at once and `net` and `ping` say it too."""
    with run.boot(*qemu.disk_arguments(served.small_disk(run))) as box:
        run.prompt(box)
        said = re.findall(r"(?im)^network: .*\bno (?:NIC|network card)\b.*$", box.text())
        run.check(len(said) == 1, f"the missing card is said {len(said)} times")
        for line in ("net", "ping 10.0.2.2", "fetch http://10.0.2.2/", "capture"):
            run.check(run.shell(box, line).strip(), f"`{line}` says nothing")
        off(run, box)


@scenario.test("net_two_cards")
def two_cards(run):
    """Two cards: the first is configured and serves, both are listed."""
    cards = net.user_card(run) + net.user_card(run, 1, web=False)
    with served.machine(run, cards, served.small_disk(run)) as box:
        served.alive(run, box)
        text = run.shell(box, "net")
        for mac in ("52:54:00:65:78:00", "52:54:00:65:78:01"):
            run.check(mac in text, f"`net` does not show {mac}: {text!r}")
        off(run, box)


@scenario.test("net_one_cpu", cpus=1)
@scenario.test("net_four_cpus", cpus=4)
def cpus_of(run, cpus):
    """The web server answers on one CPU and on four, while the shell is idle and while it works."""
    with served.machine(run, net.user_card(run), served.small_disk(run), cpus=cpus) as box:
        for _ in range(20):
            answer = web.get(run.port, "/folder/inner")
            run.check(answer.body == served.FILES["folder/inner"], f"/folder/inner: {answer}")
        box.send("hash -r /\r" * 5)
        answer = web.get(run.port, "/big.bin")
        run.check(answer.body == served.BIG, f"/big.bin while the shell works: {answer}")
        run.check(box.expect(r"(?s)(/folder/inner.*){5}exo> ", 60 * run.context.slow),
                  "the shell did not go on")
        served.alive(run, box)
        off(run, box)


@scenario.test("net_64M")
def small_memory(run):
    """The smallest machine serves a file, and says what is free afterwards."""
    with served.machine(run, net.user_card(run), served.small_disk(run), memory="64M", cpus=1) as box:
        for _ in range(3):
            answer = web.get(run.port, "/big.bin")
            run.check(answer.body == served.BIG, f"/big.bin: {answer}")
        served.alive(run, box)
        off(run, box)


def with_conf(run, text):
    """exo.efi with this net.conf in its archive."""
    conf = run.file("net.conf")
    conf.write_text(text)
    return with_members(run, f"net.conf={conf}")


def with_members(run, members):
    """exo.efi with these members in its archive."""
    run.build("efi", MEMBERS=members)
    number = subprocess.run(["cksum"], input=members.encode() + b"\n", capture_output=True,
                            check=True).stdout.split()[0].decode()
    return run.context.build / "app" / f"-{number}" / "exo.efi"


@scenario.test("net_static", timeout=120.0)
def static(run):
    """An address from net.conf, with nobody asked by DHCP."""
    efi = with_conf(run, "# of the test\naddress 10.0.2.44/24\ngateway 10.0.2.2   # the host\ndns 10.0.2.3\n")
    run.port = net.free_port()
    backend = f"user,id=net0,hostfwd=tcp:127.0.0.1:{run.port}-10.0.2.44:80"
    card = nics.card(0, backend, capture=net.capture(run, 0))
    with served.machine(run, card, served.small_disk(run), efi=efi) as box:
        run.check(re.search(r"(?m)^network: 10\.0\.2\.44/24", box.text()), "the address is not said")
        served.alive(run, box)
        run.check("3 answered" in run.shell(box, "ping -c 3 10.0.2.2"), "ping of the gateway")
        off(run, box)
    asked = [p for _, _, p in net.read_pcap(run.file("net0.pcap").read_bytes()) if p[34:38] == b"\0\x44\0\x43"]
    run.check(not asked, f"{len(asked)} DHCP packets were sent all the same")


@scenario.test("net_static_wrong", timeout=120.0)
def static_wrong(run):
    """A net.conf with a mistake: the line is named, DHCP is used instead or nothing; the shell comes."""
    efi = with_conf(run, "dns 10.0.2.3\naddress 10.0.2.444/24\n")
    with run.boot(*net.user_card(run), efi=efi) as box:
        run.prompt(box)
        said = re.search(r"(?im)^.*net\.conf.*\b(?:line )?2\b.*$", box.text())
        run.check(said, "the mistake in line 2 of net.conf is not said")
        off(run, box)


@scenario.test("net_no_dhcp", timeout=120.0)
def no_dhcp(run):
    """Nobody answers DHCP: the prompt comes, it is said; an address that comes later is used."""
    with net.Frames() as cable:
        with run.boot(*cable.card(run), *qemu.disk_arguments(served.small_disk(run)), fds=cable.fds) as box:
            run.check(box.expect(qemu.BANNER.pattern.decode()[4:], 60 * run.context.slow), "no banner")
            start = time.monotonic()
            run.prompt(box)
            waited = time.monotonic() - start
            run.check(waited < 3.0 + 3.0 * run.context.slow, f"the prompt came after {waited:.1f} s")
            run.check(re.search(r"(?im)^network: .*\bno answer\b.*DHCP", box.text()),
                      "that nobody answered is not said")
            run.check("mem" in run.shell(box, "help"), "the shell does not answer")
            server, start = dhcp.Server("10.9.0.1", "10.9.0.7"), box.mark()
            mac = offer(run, cable, server)
            up = served.up(run, box, 30.0, start)
            run.check(up == "10.9.0.7", f"the web server is at {up}")
            cable.mine = "10.9.0.1"
            run.check(cable.resolve("10.9.0.7") == mac, "no answer to ARP, or a wrong one")
            run.check(cable.ping("10.9.0.7", mac), "no answer to ping")
            off(run, box)


def offer(run, cable, server):
    """Answer DHCP until a lease was taken; the card's address."""
    end = time.monotonic() + 40 * run.context.slow
    while dhcp.REQUEST not in server.seen and time.monotonic() < end:
        if frame := cable.receive(1.0):
            if reply := server.frame(frame):
                cable.send(reply)
                mac = frame[6:12]
    run.check(dhcp.REQUEST in server.seen, f"nobody asked for a lease any more: {server.seen}")
    return mac


@scenario.test("net_cable", timeout=150.0)
def cable_pulled(run):
    """The cable is pulled and put back: shown, and the web server serves again; also out from the start."""
    with served.machine(run, net.user_card(run), served.small_disk(run)) as box:
        served.alive(run, box)
        for _ in range(2):
            box.command("set_link", name="nic0", up=False)
            time.sleep(1.0)
            text = run.shell(box, "net")
            run.check(re.search(r"(?i)link down|cable", text), f"`net` without a cable: {text!r}")
            text = run.shell(box, "ping -c 1 10.0.2.2")
            run.check("1 answered" not in text, f"ping without a cable: {text!r}")
            box.command("set_link", name="nic0", up=True)
            wait_served(run)
            served.alive(run, box)
            run.check("1 answered" in run.shell(box, "ping -c 1 10.0.2.2"), "ping with the cable back in")
        off(run, box)


def wait_served(run, limit=30.0):
    """Ask until an answer comes."""
    end = time.monotonic() + limit * run.context.slow
    while True:
        try:
            with web.Connection(run.port, 3.0) as link:
                if link.get("/small.html").status == 200:
                    return
        except (OSError, EOFError):
            pass
        run.check(time.monotonic() < end, f"not served within {limit:.0f} s")
        time.sleep(0.3)


@scenario.test("net_cable_out_at_boot", timeout=120.0)
def cable_out(run):
    """A cable that is out when exo boots: said, and all comes up once it is in."""
    card = net.user_card(run)
    with run.boot(*card, *qemu.disk_arguments(served.small_disk(run)), "-S") as box:
        box.command("set_link", name="nic0", up=False)
        box.command("cont")
        run.prompt(box)
        run.check(re.search(r"(?im)^network: .*(?:link|cable)", box.text()), "the missing cable is not said")
        start = box.mark()
        box.command("set_link", name="nic0", up=True)
        served.up(run, box, 30.0, start)
        served.alive(run, box)
        off(run, box)


@scenario.test("net_udp_echo", timeout=150.0)
def udp_echo(run):
    """The documentation's example sends each datagram back, beside the web server, until it is killed."""
    program = run.context.build / "bin" / "udp-echo.elf"
    efi, port = with_members(run, f"udp-echo={program}"), net.free_port()
    card = net.user_card(run, forwards=(f"udp:{port}:7",))
    with served.machine(run, card, served.small_disk(run), efi=efi) as box:
        start = box.mark()
        box.send("run -n udp-echo &\r")
        run.check(box.expect(r"answers", 20 * run.context.slow, start), f"it said {box.text(start)!r}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(5.0 * run.context.slow)
            link.connect(("127.0.0.1", port))
            chance = random.Random(2)
            sizes = [1, 2, 17, 18, 19, 100, 1000, 1471, 1472]
            for size in sizes + [chance.randrange(1, 1400) for _ in range(300)]:
                data = chance.randbytes(size)
                link.send(data)
                came = link.recv(65536)
                run.check(came == data, f"{size} bytes came back as {len(came)}, or as others")
            answer = web.get(run.port, "/big.bin")
            run.check(answer.body == served.BIG, f"/big.bin beside it: {answer}")
            run.check(re.search(r"(?i)udp.*\b7\b", run.shell(box, "net")), "`net` does not show its claim")
            run.shell(box, "kill 1")
            link.send(b"still there?")
            link.settimeout(1.0)
            run.check(not answered(link), "it answers although it was killed")
        run.check(not re.search(r"(?i)udp to.*\b7\b", run.shell(box, "net")), "its claim is still there")
        served.alive(run, box)
        off(run, box)


def answered(link):
    """Does a datagram come?"""
    try:
        return bool(link.recv(65536))
    except OSError:
        return False


@scenario.test("run_port_taken")
def port_taken(run):
    """A taken port: said in words before QEMU starts, with the port and the way out."""
    port = net.free_port()
    for taken in (port, port + 1):
        with socket.socket() as other:
            other.bind(("127.0.0.1", taken))
            other.listen(1)
            done = run.make_run(b"exit\n", PORT=port)
        text = run.clean(done.stdout)
        run.check(done.returncode != 0, "make run ended with 0")
        run.check(f"port {taken} " in text and "PORT=" in text, f"it said {text!r}")
        run.check("exo 0." not in text, "it booted all the same")
    for wrong in ("x", "0", "65535", "70000", "-1"):
        done = run.make_run(b"exit\n", PORT=wrong)
        run.check(done.returncode != 0 and b"PORT" in done.stdout, f"PORT={wrong}: {done.stdout[-200:]!r}")


@scenario.test("run_serves", timeout=120.0)
def run_serves(run):
    """`make run` in a pipe: the project's documents by curl; a second one is told that the port is taken."""
    run.need("curl")
    port, command = net.free_port(), [run.context.make, "run", f"O={run.context.build}", "NOINSTALL=1"]
    with run.context.make_lock, open(run.file("run.log"), "wb") as log:
        with subprocess.Popen([*command, f"PORT={port}"], stdin=subprocess.PIPE, stdout=log, stderr=log,
                              cwd=run.context.repo, env=scenario.clean_environment()) as first:
            try:
                said_up(run, "run.log")
                second = run.make_run(b"exit\n", PORT=port)
                run.check(second.returncode != 0 and f"port {port} ".encode() in second.stdout,
                          f"the second make run said {second.stdout[-300:]!r}")
                done = run.command(["curl", "-q", "-s", "-S", "-m", "20",
                                    f"http://127.0.0.1:{port}/docs/testing.md"])
                here = (run.context.repo / "docs" / "testing.md").read_bytes()
                run.check(done.stdout == here, f"curl gave {len(done.stdout)} of {len(here)} bytes")
                first.stdin.write(b"exit\n")
                first.stdin.close()
                run.check(first.wait(run.left()) == 0, f"make run ended with {first.returncode}")
            finally:
                first.kill()


def said_up(run, log):
    """Wait for the line about the web server in a log."""
    end = time.monotonic() + min(run.left(), 60 * run.context.slow)
    while b"web server: http://" not in run.file(log).read_bytes():
        run.check(time.monotonic() < end, "make run does not say that the web server is up")
        time.sleep(0.1)


@scenario.test("run_no_net")
def run_no_net(run):
    """NET=none has no card, and takes no port."""
    port = net.free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen(1)
        done = run.make_run(b"net\nexit\n", NET="none", PORT=port)
    run.check(done.returncode == 0, f"make run NET=none ended with {done.returncode}")
    done = run.make_run(b"exit\n", NET="rubbish")
    run.check(done.returncode != 0 and b"rubbish" in done.stdout, f"NET=rubbish: {done.stdout[-200:]!r}")
