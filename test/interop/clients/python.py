# The client of Debian's python3-websockets: what playAll in ../messages.ts does, in Python.

import asyncio
import json
import os
import sys

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
from messages import WELCOME, client_deflate, ended, extensions_of, fragments_of, bytes_of, ping, text_of


async def step_passes(socket, kind, size):
    if kind == "ping":
        return await ping(socket)
    if kind == "!ping":
        await socket.send("!ping")
        return await socket.recv() == "pong"
    if kind == "!fragments":
        await socket.send(f"!fragments {size}")
        return await socket.recv() == text_of(size)
    if kind == "burst":
        return await burst_passes(socket, [text_of(length) for length in range(size)])
    content = bytes_of(size) if kind == "binary" else text_of(size)
    await socket.send(fragments_of(content) if kind == "fragments" else content)
    return await socket.recv() == content


async def burst_passes(socket, messages):
    for message in messages:
        await socket.send(message)
    return [await socket.recv() for _ in messages] == messages


async def play(scenario):
    variant = scenario["variant"]
    options = {"subprotocols": scenario["protocols"] or None, "max_size": None, "compression": None}
    async with websockets.connect(scenario["url"], extensions=client_deflate(variant), **options) as socket:
        done = [WELCOME] if await socket.recv() == WELCOME else []
        for step in scenario["steps"]:
            kind, _, size = step.partition(" ")
            if await step_passes(socket, kind, int(size or 0)):
                done.append(step)
        end = scenario["end"]
        code, reason = end.get("code"), end.get("reason", "")
        if end["by"] == "server":
            await socket.send(f"!close {code or ''} {reason}".rstrip())
        else:
            await socket.close(code, reason)
        await socket.wait_closed()
        report = {"name": scenario["name"], "protocol": socket.subprotocol or "", "extensions": extensions_of(socket)}
        print(json.dumps({**report, "closed": ended(socket), "done": done}), flush=True)


async def main():
    for scenario in json.loads(os.environ["PLAN"]):
        await play(scenario)


asyncio.run(main())
