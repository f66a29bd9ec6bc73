# The server of Debian's python3-websockets, one for each setting of permessage-deflate: what ws.ts does, in Python.

import asyncio
import json
import os
import sys

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
from messages import VARIANTS, WELCOME, ended, extensions_of, fragments_of, ping, server_deflate, text_of


async def answer(socket, message):
    if not isinstance(message, str) or not message.startswith("!"):
        return await socket.send(message)
    command, *arguments = message.split(" ", 2)
    if command == "!fragments":
        await socket.send(fragments_of(text_of(int(arguments[0]))))
    if command == "!ping":
        await socket.send("pong" if await ping(socket) else "another pong")
    if command == "!close":
        await socket.close(int(arguments[0]), arguments[1] if len(arguments) > 1 else "")


async def handle(socket):
    await socket.send(WELCOME)
    try:
        async for message in socket:
            await answer(socket, message)
    except websockets.ConnectionClosed:
        pass
    await socket.wait_closed()
    report = {"name": socket.path[1:], "protocol": socket.subprotocol or "", "extensions": extensions_of(socket)}
    print(json.dumps({**report, "closed": ended(socket)}), flush=True)


async def main():
    ports = {}
    for variant in VARIANTS:
        options = {"subprotocols": ["beta"], "max_size": None, "compression": None}
        server = await websockets.serve(handle, "127.0.0.1", 0, extensions=server_deflate(variant), **options)
        ports[variant] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.Future()


asyncio.run(main())
