'use strict';
/* What the tests share: the programs of the build, servers that end with the test, small waits. */
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');

/* Node 18 has this class, but not as a global, which the SDK needs for uploads. */
globalThis.File ??= require('node:buffer').File;

const BIN = path.resolve(process.env.SHEAF_BIN ?? path.join(__dirname, '../../build/dev/bin'));
const KEY = 'sk-test';

function program(name) {
    const file = path.join(BIN, name);

    if (!fs.existsSync(file))
        throw new Error(`there is no ${file}: build first, or set SHEAF_BIN`);
    return file;
}

/** A temporary folder that the test @t removes. */
function folder(t) {
    const made = fs.mkdtempSync(path.join(os.tmpdir(), 'sheaf-clients-'));

    t.after(() => fs.rmSync(made, { recursive: true, force: true }));
    return made;
}

async function stop(child, signal = 'SIGTERM') {
    if (child.exitCode !== null || child.signalCode !== null)
        return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
}

/** Starts a program that says "PORT n" first; resolves to {child, port, lines}. It ends with @t. */
async function serve(t, file, words, env = process.env) {
    const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const lines = [];
    let errors = '';
    let rest = '';

    t.after(() => stop(child));
    child.stderr.on('data', (chunk) => (errors += chunk));
    const port = await new Promise((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${errors}`)));
        child.once('error', reject);
        child.stdout.on('data', (chunk) => {
            const parts = (rest + chunk).split('\n');
            rest = parts.pop();
            for (const line of parts) {
                const match = /^PORT (\d+)$/.exec(line);
                match === null ? lines.push(line) : resolve(Number(match[1]));
            }
        });
    });
    return { child, port, lines };
}

/** A request outside of the API; the body of its answer as text. */
function plain(url, { method = 'GET', body } = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request(url, { method, agent: false }, (answer) => {
            let text = '';
            answer.setEncoding('utf8');
            answer.on('data', (chunk) => (text += chunk));
            answer.on('end', () => resolve(text));
        });
        request.on('error', reject);
        request.end(body);
    });
}

class Simulator {
    /** A sheaf-simulator with these flags; it ends with @t. */
    static async start(t, ...flags) {
        const simulator = new Simulator();

        Object.assign(simulator, await serve(t, program('sheaf-simulator'), ['--port', '0', ...flags]));
        simulator.origin = `http://127.0.0.1:${simulator.port}`;
        return simulator;
    }

    async ledger() {
        return JSON.parse(await plain(`${this.origin}/_sim/ledger`));
    }

    async state() {
        return JSON.parse(await plain(`${this.origin}/_sim/state`));
    }

    async arm(...faults) {
        await plain(`${this.origin}/_sim/faults`, { method: 'POST', body: faults.join('\n') });
    }
}

/** A line of /proc/PID/status in kB, such as VmHWM: the most that was ever resident. */
function statusKb(pid, name) {
    return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/** Waits until @condition() is true; fails after @seconds. */
async function until(what, condition, seconds = 30) {
    const deadline = Date.now() + seconds * 1000;

    for (;;) {
        const value = await condition();
        if (value)
            return value;
        if (Date.now() > deadline)
            throw new Error(`waited ${seconds} s in vain: ${what}`);
        await pause(20);
    }
}

/** Lines of a batch file, chat completions. */
function chatLines(count, more = () => ({})) {
    return Array.from({ length: count }, (_, i) => ({
        custom_id: `row-${i}`,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: `question ${i}` }], ...more(i) },
    }));
}

const jsonl = (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const parseJsonl = (text) => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));

/** Starts sheaf WORDS: {child, ended}; @ended resolves to {code, out}. It is killed with @t. */
function sheaf(t, home, words) {
    const env = { ...process.env, OPENAI_API_KEY: KEY, TMPDIR: home };

    for (const name of Object.keys(env))
        if (name.startsWith('SHEAF_'))
            delete env[name];
    const child = spawn(program('sheaf'), words, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (out += chunk));
    t.after(() => stop(child, 'SIGKILL'));
    return { child, ended };
}

/** Writes a file into @home; its path. */
function write(home, name, text) {
    const file = path.join(home, name);

    fs.writeFileSync(file, text);
    return file;
}

/** The words of a run of @source to @home/out.jsonl in a hurry. */
const runWords = ({ home, url }, source, ...flags) => ['run', source, '-o', path.join(home, 'out.jsonl'),
    '--base-url', url, '--poll-interval', '100ms', '--settle', '1s', '--lease', '2s', '--linger', '50ms',
    '--progress', 'none', '--job', 'nightly', ...flags];

const lines = (home, name) => parseJsonl(fs.readFileSync(path.join(home, name), 'utf8'));

/** Every request has its row in one of the two files of a run; @failed of them in the errors file, if given. */
function checkRows(home, count, failed) {
    const [good, bad] = ['out.jsonl', 'out.errors.jsonl'].map((name) => lines(home, name).length);

    assert.equal(good + bad, count);
    if (failed !== undefined)
        assert.equal(bad, failed);
}

module.exports = { KEY, Simulator, chatLines, checkRows, folder, jsonl, parseJsonl, pause, plain, program, runWords,
    serve, sheaf, statusKb, stop, until, write };
