"""Uses SysV shared memory as C does, through the C library, and does with it what a test says: a command a line, answered by a line of JSON.

    sysv-peer.py get KEY SIZE   the segment of this key, made if there is none
    sysv-peer.py ftok PATH PROJECT
"""

import ctypes
import json
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
IPC_CREAT, IPC_RMID = 0o1000, 0


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


way, *arguments = sys.argv[1:]
if way == "ftok":
    say("key", value=libc.ftok(arguments[0].encode(), int(arguments[1])) & 0xFFFFFFFF)
    sys.exit()

key, size = ctypes.c_int(int(arguments[0]) & 0xFFFFFFFF).value, int(arguments[1])
shmid = libc.shmget(key, size, IPC_CREAT | 0o600)
address = libc.shmat(shmid, None, 0)
if shmid < 0 or address == ctypes.c_void_p(-1).value:
    sys.exit("errno {}".format(ctypes.get_errno()))
bytes_ = (ctypes.c_ubyte * size).from_address(address)
say("attached", id=shmid)

for line in sys.stdin:
    word, *numbers = line.split()
    if word == "get":
        say("got", value=bytes_[int(numbers[0])])
    elif word == "set":
        bytes_[int(numbers[0])] = int(numbers[1])
        say("done")
    elif word == "detach":
        libc.shmdt(address)
        say("done")
    elif word == "remove":
        libc.shmctl(shmid, IPC_RMID, None)
        say("done")
