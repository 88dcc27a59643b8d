"""Maps memory as an array of numpy, and does with it what a test says: a command a line, answered by a line of JSON.

    region-peer.py make NAME COUNT   an object of `multiprocessing.shared_memory`, which it makes
    region-peer.py attach NAME       one that is there
    region-peer.py borrow NAME       the same, and told to leave the name alone
    region-peer.py inherit           what descriptor 3 leads to
"""

import json
import mmap
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import numpy


def make(name, count):
    return SharedMemory(name, create=True, size=8 * int(count))


def borrow(name):
    """Until 3.13 there is no `track`, and whoever attaches is told to the tracker, which takes the name away when he ends."""
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    memory = SharedMemory(name)
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


way, *arguments = sys.argv[1:]
if way == "inherit":
    memory, buffer = None, mmap.mmap(3, 0)
else:
    memory = {"make": make, "attach": SharedMemory, "borrow": borrow}[way](*arguments)
    buffer = memory.buf
array = numpy.ndarray(len(buffer) // 8, dtype=numpy.float64, buffer=buffer)
if way == "make":
    array[:] = numpy.arange(len(array)) / 2
say("mapped", byteLength=len(buffer))

for line in sys.stdin:
    word, *numbers = line.split()
    if word == "get":
        say("got", value=array[int(numbers[0])])
    elif word == "set":
        array[int(numbers[0])] = float(numbers[1])
        say("done")
    elif word == "double":
        array *= 2
        say("done")
    elif word == "sum":
        say("got", value=float(array.sum()))
    elif word == "unlink":
        memory.unlink()
        say("done")

del array, buffer
if memory is not None:
    memory.close()
