# What both ends of an interop test agree on, in Python: see messages.ts.

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

SETTINGS = {
    "takeover": {},
    "no-takeover": {"server_no_context_takeover": True, "client_no_context_takeover": True},
    "bits-9": {"server_max_window_bits": 9, "client_max_window_bits": 9},
    "bits-15": {"server_max_window_bits": 15, "client_max_window_bits": 15},
}

VARIANTS = ["none", *SETTINGS]

WELCOME = "welcome"


def hash_of(index):
    value = index * 0x9E3779B1 & 0xFFFFFFFF
    return (value ^ value >> 15) * 0x85EBCA6B >> 24 & 255


BLOCK = bytes(map(hash_of, range(3000)))

PAYLOAD = "ping é".encode()


def client_deflate(variant):
    return None if variant == "none" else [ClientPerMessageDeflateFactory(**SETTINGS[variant])]


def server_deflate(variant):
    return None if variant == "none" else [ServerPerMessageDeflateFactory(**SETTINGS[variant])]


def extensions_of(socket):
    return ", ".join(extension.name for extension in socket.extensions)


def ended(socket):
    return [socket.close_code, socket.close_reason]


def text_of(size):
    return "aé€😀" * (size // 10) + "x" * (size % 10)


def bytes_of(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def fragments_of(text):
    third = -(-len(text) // 3)
    return [text[:third], "", text[third : 2 * third], text[2 * third :]]


async def ping(socket):
    # The wait is over when a pong has come whose payload is the same.
    await (await socket.ping(PAYLOAD))
    return True
