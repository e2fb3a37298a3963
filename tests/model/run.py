#!/usr/bin/python3
"""Run the simulation on a private redis-server.

    run.py [--runs N] [--seed S] [--mode plain|rollback|wipe|all] [--mutant NAME]

--runs is for each mode. Exits 0 when no run breaks a promise; with --mutant, an error put in on purpose, 0 when at least
one run does.
"""
import argparse
import collections
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

import redis

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from simulation import PART_WINDOWS, Simulation  # noqa: E402

LUA = os.path.join(HERE, '..', '..', 'common', 'protocol', 'lua')
# Errors in the processes, and errors in the scripts: (file, text, what it becomes).
MUTANTS = {
    'checkpoint-first': None, 'no-fence': None, 'done-before-end': None, 'any-account': None,
    'average-share': None,
    'leak-requests': ('_lib', "add(k, 'ur', -num(h.n))", ''),
    'leak-storage': ('_lib', "add(storek(h.A), 'bytes', -num(h.sb))", ''),
    'leak-in-use': ('_lib', "  at_provider(bid, h, false)\n  if h.held", '  if h.held'),
    'no-reserve': ('pack', "r.tokens = least(limit(10), l.capt) - num(l.ut)", 'r.tokens = least(limit(10), l.capt)'),
    'cap-of-nothing': ('lane_learn', 'cap = math.max(1, math.floor(cap))', 'cap = math.floor(cap / 4)'),
    'free-polls': ('claim', "if z == polls then rate_took(account, 'polls', interval, tat) end", ''),
    'free-turns': ('rate_take', 'rate_took(ARGV[1], ARGV[2], i, tat)', ''),
    'merges-on': ('generation', "redis.call('HDEL', prk(J, part), 'lease', 'gen')", ''),
    'generation-lost': ('generation', 'num(done) < its', 'num(done) + 1 < its'),
    'old-cancel-counts': ('job_cancel', "if num(h[3]) > tonumber(ARGV[3]) then return {'STATE'} end", ''),
    'forgets-reserved': ('pack', "tonumber(j[1]) - num(j[2]) - num(j[3])", 'tonumber(j[1]) - num(j[2])'),
    'fits-one-by-one': ('pack', 'fits_cap(money, c.cost + cost)', 'fits_cap(money, cost)'),
    'reserves-nothing': ('pack', "add(jk(J), 'rsv', rsv)", ''),
    'keeps-reserved': ('done', 'reservation_release(ARGV[1], J)', ''),
    'unpacks-reserved': ('_lib', '  reservation_release(bid, h.J)', ''),
    'counts-the-living': ('job_spent', "if not st or st == 'CLEAN' then", 'if true then'),
    'reserves-late-for-free': ('job_open', "add(k, 'rsv', cost)", ''),
    'work-not-begun': ('job_open', "quotes_set()\nwork_begin()\n", "quotes_set()\n"),
    'work-stays': ('_lib', 'if h.L then work_remove(j, h) end', ''),
    'waits-for-ever': ('claim', "if redis.call('HDEL', key, 'waits') == 1 then", "if redis.call('HDEL', key, 'waits') == 2 then"),
}


def source(name, mutant):
    with open(os.path.join(LUA, name + '.lua')) as file:
        text = file.read()
    changed, old, new = MUTANTS.get(mutant) or ('', '', '')
    if name != changed:
        return text
    assert old in text, 'nothing to change in ' + name
    return text.replace(old, new)


def load_scripts(connection, mutant):
    lib = source('_lib', mutant)
    small = lib.replace('PART_WINDOWS = 512', 'PART_WINDOWS = %d' % PART_WINDOWS)
    assert small != lib
    scripts = {}
    for path in glob.glob(os.path.join(LUA, '[a-z]*.lua')):
        name = os.path.basename(path)[:-4]
        scripts[name] = connection.register_script(small + source(name, mutant))
    return scripts


def start_redis(folder):
    socket = os.path.join(folder, 's')
    server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '',
                               '--appendonly', 'no', '--logfile', os.path.join(folder, 'log')])
    connection = redis.Redis(unix_socket_path=socket, encoding='latin-1', decode_responses=True)
    for _ in range(200):
        try:
            connection.ping()
            break
        except redis.exceptions.ConnectionError:
            time.sleep(.05)
    return server, connection, redis.Redis(unix_socket_path=socket)


def run_all(args, connection, raw):
    scripts, total, broken = load_scripts(connection, args.mutant), collections.Counter(), 0
    for mode in ('plain', 'rollback', 'wipe') if args.mode == 'all' else (args.mode,):
        for seed in range(args.seed, args.seed + args.runs):
            simulation = Simulation(connection, raw, scripts, seed, mode, args.mutant)
            try:
                total.update(simulation.run())
            except (AssertionError, KeyError, redis.exceptions.ResponseError) as error:
                broken += 1
                print('%s seed %d: %s' % (mode, seed, str(error)[:400]), flush=True)
                if args.trace:
                    raise
            if broken and args.mutant:
                return total, broken
    return total, broken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--runs', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--mode', choices=('plain', 'rollback', 'wipe', 'all'), default='all')
    parser.add_argument('--mutant', choices=sorted(MUTANTS))
    parser.add_argument('--trace', action='store_true', help='stop at the first broken run and show where')
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix='sheaf-model-')
    server, started = None, time.time()
    try:
        server, connection, raw = start_redis(folder)
        total, broken = run_all(args, connection, raw)
    finally:
        if server:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print('%d broken runs, %.0f s' % (broken, time.time() - started))
    if args.mutant:
        print('the seeded error %s was %s' % (args.mutant, 'found' if broken else 'NOT FOUND'))
        return 0 if broken else 1
    print(' '.join('%s=%d' % (k, total[k]) for k in sorted(total)))
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
