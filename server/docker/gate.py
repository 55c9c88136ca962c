# Ports of the host inside places: listens on 127.0.0.1 of a place's network and passes connections on to 127.0.0.1 of
# the host's. Lines on standard input: `open PID PORT`, `shut PID`; PID is a process in the place. Ends with its input.
import asyncio, os, socket, sys

HERE = os.open("/proc/self/ns/net", os.O_RDONLY)
MOST = 512
open_ports = {}
networks = {}


def listen(there, family, address, port):
    os.setns(there, os.CLONE_NEWNET)
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    finally:
        os.setns(HERE, os.CLONE_NEWNET)
    # A socket stays in the network it was made in.
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.setblocking(False)
        return made
    except OSError:
        made.close()
        raise


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


def passer(port):
    async def on_connection(reader, writer):
        try:
            inner, outer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 10)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()
            return
        try:
            await asyncio.gather(pump(reader, outer), pump(inner, writer))
        finally:
            writer.close()
            outer.close()
    return on_connection


async def open_port(pid, port):
    there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        # The process may have ended, and another have its number.
        network = os.fstat(there).st_ino
        if networks.setdefault(pid, network) != network:
            shut(pid)
            networks[pid] = network
        if (pid, port) in open_ports or len(open_ports) >= MOST:
            return
        servers = [await asyncio.start_server(passer(port), sock=listen(there, socket.AF_INET, "127.0.0.1", port))]
        try:
            servers.append(await asyncio.start_server(passer(port), sock=listen(there, socket.AF_INET6, "::1", port)))
        except OSError:
            pass
        open_ports[pid, port] = servers
    finally:
        os.close(there)


def shut(pid):
    networks.pop(pid, None)
    for key in [key for key in open_ports if key[0] == pid]:
        for server in open_ports.pop(key):
            server.close()


async def main():
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        words = line.split()
        try:
            if len(words) == 3 and words[0] == b"open":
                await open_port(int(words[1]), int(words[2]))
            elif len(words) == 2 and words[0] == b"shut":
                shut(int(words[1]))
        except (OSError, ValueError):
            # The port is taken in the place, or the place is gone.
            pass


asyncio.run(main())
