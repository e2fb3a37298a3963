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
MUTANTS = ('checkpoint-first', 'no-fence', 'done-before-end')


def load_scripts(connection):
    with open(os.path.join(LUA, '_lib.lua')) as file:
        lib = file.read()
    small = lib.replace('PART_WINDOWS = 512', 'PART_WINDOWS = %d' % PART_WINDOWS)
    assert small != lib
    scripts = {}
    for path in glob.glob(os.path.join(LUA, '[a-z]*.lua')):
        with open(path) as file:
            scripts[os.path.basename(path)[:-4]] = connection.register_script(small + file.read())
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
    scripts, total, broken = load_scripts(connection), collections.Counter(), 0
    for mode in ('plain', 'rollback', 'wipe') if args.mode == 'all' else (args.mode,):
        for seed in range(args.seed, args.seed + args.runs):
            simulation = Simulation(connection, raw, scripts, seed, mode, args.mutant)
            try:
                total.update(simulation.run())
            except (AssertionError, redis.exceptions.ResponseError) as error:
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
    parser.add_argument('--mutant', choices=MUTANTS)
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
