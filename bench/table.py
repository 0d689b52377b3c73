"""table.py: what the benchmarks measured, as one table of ratios.

usage: table.py FIGURES [--against FILE | --keep FILE]

FIGURES has a JSON object a line: name, value, unit, floor (or null), ratio (or null: value and floor
tell it). A ratio says how many times more than the floor it takes, so less is better; of what is
counted a second (unit /s) it says how many times more than the floor it does.
--keep writes ratios and bytes to FILE; --against fails if one is worse by half than it stands there.
"""
import json
import sys

WORSE = 1.5

# name: what it is, and the goal: for the ratio (x), or for the value in its unit.
ROWS = {
    "bitcoin_visit": ("CPU a visit, to the bare loop", "1.3 x"),
    "bitcoin_visit_ghosts": ("CPU a visit, half of them ghosts, to the bare loop", "1.3 x"),
    "bitcoin_threads": ("two threads to one, Bitcoin", "1.7 x"),
    "bitcoin_crawl_wall": ("a crawl with liars and ghosts, to its visits' time", "1.2 x"),
    "bitcoin_crawl_rss": ("its memory", "64 MB"),
    "bitcoin_ghosts_wall": ("a crawl with ten times as many ghosts, likewise", "1.2 x"),
    "bitcoin_ghosts_rss": ("its memory", "64 MB"),
    "ethereum_node": ("CPU a node of Ethereum, to the signatures", "1.3 x"),
    "ethereum_threads": ("two threads to one, Ethereum", "1.7 x"),
    "ethereum_alone": ("all of 10,000 nodes, sessions too", "30 s"),
    "ethereum_ghosts": ("with as many ghosts", "30 s"),
    "ethereum_liars": ("with liars too", "30 s"),
    "ethereum_lossy": ("with 5 % of the datagrams lost", "30 s"),
    "connection_bytes": ("memory of a connection in flight", "2048 B"),
    "connection_held_bytes": ("with an unfinished message", "2048 B"),
    "address_bytes_1000000": ("memory of a known IPv4 address, of a million", "20 B"),
    "address_bytes_10000000": ("of ten million", "20 B"),
    "addr_decoded": ("an addr of 750 decoded, to its checksum", None),
    "addr_decoded_to_copy": ("to a copy of it", None),
    "addrv2_decoded": ("an addrv2 of 1,000 decoded, to its checksum", None),
    "addrv2_decoded_to_copy": ("to a copy of it", None),
    "store_new": ("new peers and their visits stored, to bare inserts", "250000 /s"),
    "store_known": ("visits of known peers", "250000 /s"),
    "store_watched": ("visits of watched peers", None),
    "store_ahead": ("visits of peers known long before", None),
    "store_retries": ("second tries of the silent", None),
    "store_adverts": ("adverts", None),
    "store_bytes_new": ("a visit and its peer on disk", None),
    "store_bytes_known": ("a visit on disk", None),
}


# Of these the floor is the same of the smallest network: what grows with it.
GROWTH = {
    "growth_entry": "the crawler alone, an address named, of {} peers",
    "growth_ghost": "the crawler alone, a ghost, of {} peers and as many ghosts",
    "growth_both_ends": "both ends on virtual time, a peer of {}",
}


def merge(figures):
    """Of what was measured several times the best value, and the best floor: others only add."""
    best = {}
    for f in figures:
        was = best.setdefault(f["name"], f)
        choose = max if more_is_better(f) else min
        was["value"] = choose(was["value"], f["value"])
        if f.get("floor"):
            was["floor"] = choose(was["floor"], f["floor"])
    return list(best.values())


def read(path):
    with open(path, encoding="utf-8") as lines:
        figures = merge([json.loads(line) for line in lines])
    least = {}
    for f in figures:
        kind, _, peers = f["name"].rpartition("_")
        if kind in GROWTH:
            f["floor"] = least.setdefault(kind, f["value"])
            ROWS[f["name"]] = (GROWTH[kind].format(f"{int(peers):,}"), None)
        if f.get("ratio") is None and f.get("floor"):
            f["ratio"] = f["value"] / f["floor"]
    return figures


def more_is_better(figure):
    return figure["unit"] == "/s"


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}"


def met(figure, goal):
    wanted, unit = goal.split(" ", 1)
    wanted = float(wanted.replace(",", ""))
    value = figure["ratio"] if unit == "x" else figure["value"]
    return value >= wanted if more_is_better(figure) else value <= wanted


def show(figures):
    print(f"\n{'':58} {'measured':>10} {'':<6} {'floor':>10} {'ratio':>7}  goal")
    for f in figures:
        what, goal = ROWS.get(f["name"], (f["name"], None))
        ratio = f"{f['ratio']:.2f}" if f.get("ratio") is not None else ""
        verdict = "" if goal is None else f"  {goal}" + ("" if met(f, goal) else "  MISSED")
        print(f"{what:58} {number(f['value']):>10} {f['unit']:<6} {number(f.get('floor')):>10} "
              f"{ratio:>7}{verdict}")


def travels(figure):
    """What is the same on another machine: a ratio, or bytes; else None. A copy from cache to cache
    is too short a time to be compared with."""
    if figure["name"].endswith("_to_copy"):
        return None
    if figure.get("ratio") is not None:
        return figure["ratio"]
    return figure["value"] if figure["unit"] in ("B", "MB") else None


def keep(figures, path):
    ratios = {f["name"]: round(travels(f), 2) for f in figures if travels(f) is not None}
    with open(path, "w", encoding="utf-8") as out:
        json.dump(ratios, out, indent=2)
        out.write("\n")


def compare(figures, path):
    """The names of those that are worse by half, or were not measured at all."""
    with open(path, encoding="utf-8") as kept:
        before = json.load(kept)
    now = {f["name"]: f for f in figures}
    bad = []
    for name, was in before.items():
        if name not in now:
            bad.append(f"{name}: was not measured")
            continue
        this = travels(now[name])
        if this * WORSE < was if more_is_better(now[name]) else this > was * WORSE:
            bad.append(f"{name}: {this:.2f}, and was {was:.2f}")
    return bad


def main(argv):
    if len(argv) not in (2, 4) or (len(argv) == 4 and argv[2] not in ("--against", "--keep")):
        sys.exit(__doc__)
    figures = read(argv[1])
    show(figures)
    if len(argv) == 4 and argv[2] == "--keep":
        keep(figures, argv[3])
    elif len(argv) == 4:
        bad = compare(figures, argv[3])
        for line in bad:
            print(f"worse by half: {line}")
        if bad:
            sys.exit(1)


main(sys.argv)
