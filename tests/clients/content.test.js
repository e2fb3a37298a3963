'use strict';
/* Large files: what goes up and comes down is not kept in memory, and may come from another host. */
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const http = require('node:http');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const { KEY, Simulator, chatLines, checkRows, folder, jsonl, runWords, sheaf, statusKb, write } =
    require('./programs');
const { OpenAI, toStreamingFile } = require('openai');

const MB = 1000000;

/* Request lines of 8 kB, @bytes of them in chunks that end anywhere. */
function* bigLines(bytes) {
    const line = jsonl(chatLines(1, () => ({ user: 'x'.repeat(8000) })));
    let left = bytes;
    let rest = '';

    for (let n = 0; left > 0; n++) {
        for (let i = 0; rest.length < 200000; i++)
            rest += line.replace('row-0', `row-${n}-${i}`);
        const chunk = Buffer.from(rest.slice(0, Math.min(left, 190000 + (n % 17))));
        rest = rest.slice(chunk.length);
        left -= chunk.length;
        yield chunk;
    }
}

function hashOf(chunks) {
    const hash = createHash('sha256');

    for (const chunk of chunks)
        hash.update(chunk);
    return hash.digest('hex');
}

/* The hash of what a GET answers with. */
function download(url) {
    return new Promise((resolve, reject) => {
        const hash = createHash('sha256');

        http.get(url, { headers: { Authorization: `Bearer ${KEY}` }, agent: false }, (answer) => {
            assert.equal(answer.statusCode, 200);
            answer.on('data', (chunk) => hash.update(chunk));
            answer.on('end', () => resolve(hash.digest('hex')));
            answer.on('error', reject);
        }).on('error', reject);
    });
}

test('200 MB go up chunked and come down unchanged, in little memory', { timeout: 240000 }, async (t) => {
    const simulator = await Simulator.start(t);
    const client = new OpenAI({ apiKey: KEY, baseURL: `${simulator.origin}/v1`, maxRetries: 0 });
    const bytes = 200 * MB;
    const file = await client.files.create({ purpose: 'batch',
        file: toStreamingFile(Readable.from(bigLines(bytes)), 'big.jsonl') });

    assert.equal(file.bytes, bytes);
    assert.equal(await download(`${simulator.origin}/v1/files/${file.id}/content`), hashOf(bigLines(bytes)));
    const peak = statusKb(simulator.child.pid, 'VmHWM');
    t.diagnostic(`peak resident ${(peak / 1000).toFixed(0)} MB`);
    assert.ok(peak < 64000, `${peak} kB`);
    await assert.rejects(client.files.create({ purpose: 'batch',
        file: toStreamingFile(Readable.from(bigLines(bytes + 1)), 'big.jsonl') }), OpenAI.APIError);
});

/* Before the simulator: contents are answered with a redirect to @elsewhere, everything else passes. */
function redirector(simulator, elsewhere) {
    return (req, res) => {
        if (/\/content$/.test(req.url))
            return res.writeHead(302, { Location: `${elsewhere}${req.url}` }).end();
        const onward = http.request(`${simulator.origin}${req.url}`,
            { method: req.method, headers: req.rawHeaders, agent: false }, (answer) => {
                res.writeHead(answer.statusCode, answer.rawHeaders);
                answer.pipe(res);
            });
        onward.on('error', () => res.destroy());
        return req.pipe(onward);
    };
}

async function listen(t, handle) {
    const server = http.createServer(handle);

    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => (server.closeAllConnections(), server.close()));
    return `http://127.0.0.1:${server.address().port}`;
}

/* A host of contents that has its own way to the simulator, and a note of the headers it was asked with. */
async function contentHost(t, simulator, asked) {
    return listen(t, (req, res) => {
        asked.push(req.headers);
        http.get(`${simulator.origin}${req.url}`, { agent: false, headers: { Authorization: `Bearer ${KEY}`,
            ...(req.headers.range === undefined ? {} : { Range: req.headers.range }) } }, (answer) => {
            res.writeHead(answer.statusCode, answer.rawHeaders);
            answer.pipe(res);
        });
    });
}

const KEYS = ['authorization', 'api-key', 'x-api-key', 'cookie', 'openai-organization', 'openai-project'];

test('contents from another host come without showing it the key, with both clients', async (t) => {
    const simulator = await Simulator.start(t, '--key', KEY);
    const asked = [];
    const front = await listen(t, redirector(simulator, await contentHost(t, simulator, asked)));
    const home = folder(t);
    const source = write(home, 'in.jsonl', jsonl(chatLines(500)));
    const { code, out } = await sheaf(t, home, runWords({ home, url: `${front}/v1` }, source)).ended;

    assert.equal(code, 0, out);
    checkRows(home, 500, 0);
    assert.ok(asked.length >= 1);
    const client = new OpenAI({ apiKey: KEY, baseURL: `${front}/v1`, maxRetries: 0 });
    const file = await client.files.create({ purpose: 'batch',
        file: toStreamingFile(Readable.from(bigLines(100000)), 'in.jsonl') });
    assert.equal((await (await client.files.content(file.id)).text()).length, 100000);
    for (const headers of asked)
        assert.deepEqual(Object.keys(headers).filter((name) => KEYS.includes(name)), []);
});

test('both clients follow the simulator to its content server', async (t) => {
    const simulator = await Simulator.start(t, '--key', KEY, '--content-port', '0', '--fault', 'redirect=2');
    const client = new OpenAI({ apiKey: KEY, baseURL: `${simulator.origin}/v1`, maxRetries: 0 });
    const home = folder(t);
    const source = write(home, 'in.jsonl', jsonl(chatLines(500)));
    const { code, out } = await sheaf(t, home, runWords({ home, url: `${simulator.origin}/v1` }, source)).ended;

    assert.equal(code, 0, out);
    checkRows(home, 500, 0);
    const file = await client.files.create({ purpose: 'batch',
        file: toStreamingFile(Readable.from(bigLines(100000)), 'in.jsonl') });
    assert.equal((await (await client.files.content(file.id)).text()).length, 100000);
    const ledger = await simulator.ledger();
    assert.ok(ledger.content_requests >= 4);
    assert.equal(ledger.keys_leaked, 0);
});
