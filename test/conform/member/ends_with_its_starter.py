"""Ends this program when its stdin does, which is when whoever has started it is gone."""
import os
import sys
import threading


def _watch():
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def end_with_starter():
    threading.Thread(target=_watch, daemon=True).start()
