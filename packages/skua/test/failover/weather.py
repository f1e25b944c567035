"""What lies between network namespaces: takes the packets out of a TUN device, and puts them back, late, or not at all.

A line of JSON on standard input replaces what holds so far:
{"cut": [["from", "to"], ...], "delayMs": 0, "loss": 0.0}; a loss of 0.05 is one packet of twenty. Arguments: the device, a seed.
"""
import fcntl, heapq, json, os, random, select, socket, struct, sys, time

device, seed = sys.argv[1], int(sys.argv[2])
tun = os.open("/dev/net/tun", os.O_RDWR)
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
os.set_blocking(tun, False)
chance = random.Random(seed)
cut, delay, loss = set(), 0.0, 0.0
waiting, order, text = [], 0, b""
print("ready", flush=True)


def put(packet):
    try:
        os.write(tun, packet)
    except OSError:
        pass  # No room, or no way there: a packet less.


while True:
    patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
    ready, _, _ = select.select([tun, sys.stdin], [], [], patience)
    while waiting and waiting[0][0] <= time.monotonic():
        put(heapq.heappop(waiting)[2])
    if sys.stdin in ready:
        piece = os.read(sys.stdin.fileno(), 65536)
        if not piece:
            sys.exit(0)
        *lines, text = (text + piece).split(b"\n")
        for line in lines:
            said = json.loads(line)
            cut = {tuple(pair) for pair in said["cut"]}
            delay, loss = said["delayMs"] / 1000, said["loss"]
            print("changed", flush=True)
    if tun in ready:
        for _ in range(64):
            try:
                packet = os.read(tun, 65536)
            except BlockingIOError:
                break
            if packet[0] >> 4 != 4:
                continue
            ends = (socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]))
            if ends in cut or (loss > 0 and chance.random() < loss):
                continue
            if delay > 0:
                order += 1
                heapq.heappush(waiting, (time.monotonic() + delay, order, packet))
            else:
                put(packet)
