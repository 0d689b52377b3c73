"""ask.py URL CLIENTS SECONDS [PAUSE]: asks an HTTP server each path out of stdin again and again,
from that many clients at a time, each a process with one connection that stays open, for that long
a path. With PAUSE they ask all paths in turn, and wait so many seconds after each answer.

Prints a line a path (with PAUSE: one line): how often, and the median and the time that 95 of 100
kept, in milliseconds. Ends with an error at the first answer that is neither 200 nor 503, after which it asks again.
"""
import http.client
import multiprocessing
import sys
import time
from urllib.parse import urlsplit


def client(where, paths, first, seconds, pause, times):
    connection = http.client.HTTPConnection(where, timeout=120)
    took = []
    end = time.monotonic() + seconds
    # The slowest are asked a few times, however long it takes.
    while time.monotonic() < end or len(took) < 3:
        path = paths[(first + len(took)) % len(paths)]
        start = time.monotonic()
        connection.request('GET', path)
        answer = connection.getresponse()
        answer.read()
        # Turned away, as another one makes what takes long: the wait is a part of the answer.
        while answer.status == 503 and time.monotonic() < start + 120:
            time.sleep(.1)
            connection.request('GET', path)
            answer = connection.getresponse()
            answer.read()
        took.append(time.monotonic() - start)
        if answer.status != 200:
            times.put('%s: %d' % (path, answer.status))
            return
        time.sleep(pause)
    times.put(took)


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


def ask(where, clients, paths, seconds, pause):
    times = multiprocessing.Queue()
    asking = [multiprocessing.Process(target=client,
                                      args=(where, paths, i, seconds, pause, times))
              for i in range(clients)]
    for process in asking:
        process.start()
    all_took = []
    for _ in asking:
        took = times.get()
        if isinstance(took, str):
            sys.exit('ask.py: ' + took)
        all_took += took
    for process in asking:
        process.join()
    all_took.sort()
    print(paths[0], len(all_took), '%.1f' % (1000 * quantile(all_took, .5)),
          '%.1f' % (1000 * quantile(all_took, .95)), flush=True)


def main():
    where, clients, seconds = urlsplit(sys.argv[1]).netloc, int(sys.argv[2]), float(sys.argv[3])
    paths = sys.stdin.read().split()
    if len(sys.argv) > 4:
        ask(where, clients, paths, seconds, float(sys.argv[4]))
        return
    for path in paths:
        ask(where, clients, [path], seconds, 0)


main()
