'use strict';
/* OpenAI's own SDK for Node against sheaf-simulator: what the SDK can do, the simulator must bear. */
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const { KEY, Simulator, chatLines, folder, jsonl, parseJsonl, until } = require('./programs');
const { OpenAI, toFile, toStreamingFile } = require('openai');

/* A simulator of its own for each test, and a client of it that repeats nothing unless told to. */
async function start(t, ...flags) {
    const simulator = await Simulator.start(t, ...flags);
    const client = new OpenAI({ apiKey: KEY, baseURL: `${simulator.origin}/v1`, maxRetries: 0 });

    return { simulator, client };
}

const upload = async (client, text, name = 'in.jsonl', more = {}) =>
    client.files.create({ file: await toFile(Buffer.from(text), name), purpose: 'batch', ...more });

const order = (file, more = {}) =>
    ({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h', ...more });

const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

const ended = (client, batch) => until('the batch ends', async () => {
    const now = await client.batches.retrieve(batch.id);
    return ENDED.includes(now.status) && now;
});

/* Upload, create, wait. */
async function runBatch(client, lines, more = {}) {
    const batch = await client.batches.create(order(await upload(client, jsonl(lines)), more));
    return ended(client, batch);
}

const results = async (client, id) => parseJsonl(await (await client.files.content(id)).text());

/* The error of a call that must fail with this class, status and code. */
async function fails(call, kind, status, code) {
    let caught;

    await assert.rejects(call, (error) => ((caught = error), true));
    assert.ok(caught instanceof kind, `${caught.constructor.name} is not ${kind.name}: ${caught.message}`);
    assert.equal(caught.status, status);
    if (code !== undefined)
        assert.equal(caught.code, code);
    return caught;
}

test('a file comes back as it was sent, and is gone after its deletion', async (t) => {
    const { client } = await start(t);
    const text = jsonl(chatLines(50, (i) => ({ user: `ü \u2028 ${'x'.repeat(i * 100)}` })));

    const file = await upload(client, text);
    assert.equal(file.object, 'file');
    assert.equal(file.purpose, 'batch');
    assert.equal(file.filename, 'in.jsonl');
    assert.equal(file.bytes, Buffer.byteLength(text));
    assert.deepEqual(await client.files.retrieve(file.id), file);
    assert.equal(await (await client.files.content(file.id)).text(), text);
    assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true });
    await fails(client.files.retrieve(file.id), OpenAI.NotFoundError, 404);
    await fails(client.files.content(file.id), OpenAI.NotFoundError, 404);
    await fails(client.files.delete(file.id), OpenAI.NotFoundError, 404);
});

test('a file that is to expire says when', async (t) => {
    const { client } = await start(t);
    const file = await upload(client, jsonl(chatLines(1)), 'in.jsonl',
        { expires_after: { anchor: 'created_at', seconds: 3600 } });

    assert.equal(file.expires_at - file.created_at, 3600);
    for (const seconds of [3599, 2592001])
        await fails(upload(client, jsonl(chatLines(1)), 'in.jsonl',
            { expires_after: { anchor: 'created_at', seconds } }), OpenAI.BadRequestError, 400);
});

test('files can be sent in every way that the SDK has', async (t) => {
    const { client } = await start(t);
    const text = jsonl(chatLines(2000));
    const where = path.join(folder(t), 'on-disk.jsonl');
    const pieces = () => Readable.from([text.slice(0, 70000), text.slice(70000)].map((s) => Buffer.from(s)));

    fs.writeFileSync(where, text);
    const ways = {
        'a buffer': toFile(Buffer.from(text), 'a.jsonl'),
        'a stream that is read first': toFile(pieces(), 'a.jsonl'),
        'a stream that is sent as it comes': toStreamingFile(pieces(), 'a.jsonl'),
        'a File': new File([text], 'a.jsonl'),
        'a stream of a file on disk': fs.createReadStream(where),
        'a Response': new Response(text).blob().then((blob) => toFile(blob, 'a.jsonl')),
    };
    for (const [name, file] of Object.entries(ways)) {
        const made = await client.files.create({ file: await file, purpose: 'batch' });
        const back = await (await client.files.content(made.id)).text();
        assert.ok(back === text, `${name} came back changed`);
    }
});

test('a listing of files goes on from page to page, either way round', async (t) => {
    const { client } = await start(t);
    const ids = [];

    for (let i = 0; i < 7; i++)
        ids.push((await upload(client, jsonl(chatLines(1)), `${i}.jsonl`)).id);
    const listed = async (query) => {
        const found = [];
        for await (const file of client.files.list(query))
            found.push(file.id);
        return found;
    };
    assert.deepEqual(await listed({ limit: 2, order: 'asc' }), ids);
    assert.deepEqual(await listed({ limit: 3, order: 'desc' }), [...ids].reverse());
    assert.deepEqual(await listed({}), [...ids].reverse(), 'newest first when nothing is said');
    assert.deepEqual(await listed({ purpose: 'batch', limit: 7, order: 'asc' }), ids);
    assert.deepEqual(await listed({ purpose: 'batch_output' }), []);
    assert.deepEqual(await listed({ after: ids[2], order: 'asc', limit: 1 }), ids.slice(3));
    const page = await client.files.list({ limit: 2, order: 'asc' });
    assert.ok(page.hasNextPage());
    assert.deepEqual((await page.getNextPage()).data.map((file) => file.id), ids.slice(2, 4));
});

test('a batch keeps its metadata and is found by its id', async (t) => {
    const { client } = await start(t, '--delay', '1h');
    const metadata = { nightly: 'yes', ['k'.repeat(64)]: 'v'.repeat(512) };
    const file = await upload(client, jsonl(chatLines(3)));
    const batch = await client.batches.create(order(file, { metadata }));

    assert.match(batch.id, /^batch_/);
    assert.equal(batch.object, 'batch');
    assert.equal(batch.input_file_id, file.id);
    assert.equal(batch.endpoint, '/v1/chat/completions');
    assert.equal(batch.completion_window, '24h');
    assert.ok(['validating', 'in_progress'].includes(batch.status));
    assert.deepEqual(batch.metadata, metadata);
    const again = await client.batches.retrieve(batch.id);
    assert.deepEqual(again.metadata, metadata);
    assert.equal(again.id, batch.id);
    assert.equal((await client.batches.list()).data[0].metadata.nightly, 'yes');
});

test('metadata has its limits', async (t) => {
    const { client, simulator } = await start(t);
    const file = await upload(client, jsonl(chatLines(1)));
    const pairs = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
    const refused = [pairs(17), { ['k'.repeat(65)]: 'v' }, { k: 'v'.repeat(513) }, { k: 1 }, { k: ['v'] }];

    for (const metadata of refused)
        await fails(client.batches.create(order(file, { metadata })), OpenAI.BadRequestError, 400);
    assert.equal((await simulator.ledger()).batches_created, 0);
    await client.batches.create(order(file, { metadata: pairs(16) }));
});

test('a listing of batches is newest first and goes on from page to page', async (t) => {
    const { client } = await start(t, '--delay', '1h');
    const file = await upload(client, jsonl(chatLines(1)));
    const ids = [];

    for (let i = 0; i < 25; i++)
        ids.unshift((await client.batches.create(order(file))).id);
    const listed = async (query) => {
        const found = [];
        for await (const batch of client.batches.list(query))
            found.push(batch.id);
        return found;
    };
    assert.equal((await client.batches.list()).data.length, 20, 'twenty a page when nothing is said');
    assert.deepEqual(await listed({}), ids);
    assert.deepEqual(await listed({ limit: 7 }), ids);
    assert.deepEqual(await listed({ limit: 100 }), ids);
    assert.deepEqual(await listed({ limit: 5, after: ids[9] }), ids.slice(10));
    await fails(client.batches.list({ limit: 0 }), OpenAI.BadRequestError, 400);
});

/* Endpoint, a body, and where its answer is. */
const CYCLES = {
    '/v1/chat/completions': {
        body: (i) => ({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: `question ${i}` }] }),
        check: (answer, body) => {
            assert.equal(answer.object, 'chat.completion');
            const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
            assert.equal(answer.choices[0].message.content, `sim:${hash}`);
            assert.ok(answer.usage.total_tokens > 0);
        },
    },
    '/v1/embeddings': {
        body: (i) => ({ model: 'text-embedding-3-small', input: [`text ${i}`, 'and one more'] }),
        check: (answer) => {
            assert.equal(answer.object, 'list');
            assert.equal(answer.data[0].object, 'embedding');
            assert.ok(answer.data[0].embedding.every(Number.isFinite));
        },
    },
    '/v1/responses': {
        body: (i) => ({ model: 'gpt-4.1', input: `question ${i}` }),
        check: (answer) => {
            assert.equal(answer.object, 'response');
            assert.equal(answer.status, 'completed');
            assert.ok(answer.output.some((item) => item.type === 'message'));
        },
    },
};

for (const [endpoint, { body, check }] of Object.entries(CYCLES)) {
    test(`a whole cycle of ${endpoint}`, async (t) => {
        const { client, simulator } = await start(t, '--delay', '200ms');
        const lines = Array.from({ length: 40 }, (_, i) =>
            ({ custom_id: `r-${i}`, method: 'POST', url: endpoint, body: body(i) }));
        const batch = await runBatch(client, lines, { endpoint });

        assert.equal(batch.status, 'completed');
        assert.deepEqual(batch.request_counts, { total: 40, completed: 40, failed: 0 });
        assert.equal(batch.error_file_id ?? '', '');
        assert.ok(batch.created_at <= batch.in_progress_at && batch.in_progress_at <= batch.completed_at);
        const found = new Map((await results(client, batch.output_file_id)).map((r) => [r.custom_id, r]));
        assert.equal(found.size, 40);
        for (const line of lines) {
            const { response, error } = found.get(line.custom_id);
            assert.equal(error, null);
            assert.equal(response.status_code, 200);
            check(response.body, line.body);
        }
        const output = await client.files.retrieve(batch.output_file_id);
        assert.equal(output.purpose, 'batch_output');
        assert.equal((await simulator.ledger()).rows_billed, 40);
    });
}

test('rows that failed are in the error file, the others in the output file', async (t) => {
    const { client } = await start(t);
    const batch = await runBatch(client, chatLines(20, (i) => (i % 4 === 0 ? { sim_status: 400 } : {})));

    assert.equal(batch.status, 'completed');
    assert.deepEqual(batch.request_counts, { total: 20, completed: 15, failed: 5 });
    assert.equal((await results(client, batch.output_file_id)).length, 15);
    const bad = await results(client, batch.error_file_id);
    assert.equal(bad.length, 5);
    for (const line of bad) {
        assert.equal(line.response.status_code, 400);
        assert.equal(typeof line.response.body.error.message, 'string');
    }
});

test('a bad line fails the whole batch, later, and is named', async (t) => {
    const { client, simulator } = await start(t);
    const lines = chatLines(5);

    lines[2].body.stream = true;
    lines[4].custom_id = 'row-0';
    const batch = await runBatch(client, lines);
    assert.equal(batch.status, 'failed');
    assert.deepEqual(batch.errors.data.map(({ line, code }) => [line, code]),
        [[3, 'streaming_unsupported'], [5, 'duplicate_custom_id']]);
    assert.equal((await simulator.ledger()).rows_executed, 0);
});

test('a batch that names no file is accepted and fails later', async (t) => {
    const { client } = await start(t);
    const batch = await ended(client, await client.batches.create(order({ id: 'file-nobody' })));

    assert.equal(batch.status, 'failed');
    assert.equal(batch.errors.data[0].param, 'file_id');
    assert.match(batch.errors.data[0].message, /^Cannot find file file-nobody/);
});

test('a batch that expires says so in the lines it did not run', async (t) => {
    const { client } = await start(t, '--fault', 'rows-expired=0.5');
    const batch = await runBatch(client, chatLines(40));
    const late = await results(client, batch.error_file_id);
    const good = await results(client, batch.output_file_id);

    assert.equal(batch.status, 'expired');
    assert.equal(late.length + good.length, 40);
    assert.ok(late.length > 0 && good.length > 0);
    for (const line of late) {
        assert.equal(line.response, null);
        assert.equal(line.error.code, 'batch_expired');
    }
});

test('a running batch can be cancelled, and keeps what it has done', async (t) => {
    const { client, simulator } = await start(t, '--delay', '2s');
    const batch = await client.batches.create(order(await upload(client, jsonl(chatLines(100)))));

    await until('it runs', async () => (await client.batches.retrieve(batch.id)).status === 'in_progress');
    const asked = await client.batches.cancel(batch.id);
    assert.ok(['cancelling', 'cancelled'].includes(asked.status), asked.status);
    const over = await ended(client, batch);
    assert.equal(over.status, 'cancelled');
    assert.ok(over.cancelling_at <= over.cancelled_at);
    const good = over.output_file_id ? await results(client, over.output_file_id) : [];
    const bad = await results(client, over.error_file_id);
    assert.equal(good.length + bad.length, 100);
    assert.ok(bad.every((line) => line.error.code === 'batch_cancelled'));
    assert.equal((await simulator.ledger()).rows_billed, good.length);
    assert.equal((await client.batches.cancel(batch.id)).status, 'cancelled', 'once more is no error');
});

test('a batch that has completed cannot be cancelled', async (t) => {
    const { client, simulator } = await start(t);
    const batch = await runBatch(client, chatLines(1));
    const error = await fails(client.batches.cancel(batch.id), OpenAI.ConflictError, 409);

    assert.match(error.message, /Cannot cancel a batch with status 'completed'/);
    await fails(client.batches.cancel(batch.id, { maxRetries: 1 }), OpenAI.ConflictError, 409);
    const asked = (await simulator.state()).requests['POST /batches/{id}/cancel'];
    assert.equal(asked, 3, 'the SDK repeats a 409 as well');
});

test('a wrong key, an unknown id and a bad order have their own errors', async (t) => {
    const { client, simulator } = await start(t, '--key', KEY);
    const stranger = new OpenAI({ apiKey: 'sk-other', baseURL: client.baseURL, maxRetries: 0 });
    const file = await upload(client, jsonl(chatLines(1)));

    const refused = await fails(stranger.files.list(), OpenAI.AuthenticationError, 401);
    assert.equal(refused.code, 'invalid_api_key');
    assert.ok(!refused.message.includes('sk-other'), 'a key is not said back');
    await fails(stranger.batches.create(order(file)), OpenAI.AuthenticationError, 401);
    await fails(client.batches.retrieve('batch_nobody'), OpenAI.NotFoundError, 404);
    await fails(client.batches.cancel('batch_nobody'), OpenAI.NotFoundError, 404);
    await fails(client.files.content('file-nobody'), OpenAI.NotFoundError, 404);
    for (const [more, param, code] of [
        [{ endpoint: '/v1/images' }, 'endpoint', 'invalid_value'],
        [{ completion_window: '1h' }, 'completion_window', undefined],
        [{ input_file_id: undefined }, 'input_file_id', 'missing_required_parameter'],
        [{ endpoint: undefined }, 'endpoint', 'missing_required_parameter'],
        [{ completion_window: undefined }, 'completion_window', 'missing_required_parameter'],
        [{ input_file_id: 7 }, 'input_file_id', 'invalid_type'],
        [{ metadata: { tags: ['a'] } }, 'metadata.tags', 'invalid_type'],
        [{ output_expires_after: { anchor: 'created_at', seconds: 1 } }, undefined, undefined],
    ]) {
        const error = await fails(client.batches.create(order(file, more)), OpenAI.BadRequestError, 400, code);
        assert.equal(error.type, 'invalid_request_error');
        if (param !== undefined)
            assert.equal(error.param, param);
    }
    assert.equal((await simulator.ledger()).batches_created, 0);
});

test('uploads that are no batch file are refused', async (t) => {
    const { client } = await start(t, '--max-bytes', '100kB');
    const line = jsonl(chatLines(1));

    await fails(upload(client, line, 'in.txt'), OpenAI.BadRequestError, 400);
    await fails(upload(client, 'no JSON\n'), OpenAI.BadRequestError, 400);
    await fails(upload(client, ''), OpenAI.BadRequestError, 400);
    await fails(upload(client, line, 'in.jsonl', { purpose: 'nothing' }), OpenAI.BadRequestError, 400);
    const big = await upload(client, jsonl(chatLines(2000))).then(() => null, (error) => error);
    assert.ok(big instanceof OpenAI.APIError && [400, 413].includes(big.status), String(big));
});

test('a rate limit is an error of its own, and its Retry-After is kept', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'rate-429=1');
    const error = await fails(client.batches.list(), OpenAI.RateLimitError, 429, 'rate_limit_exceeded');

    assert.equal(error.headers.get('retry-after'), '1');
    await simulator.arm('rate-429=1');
    const began = performance.now();
    await client.batches.list({}, { maxRetries: 1 });
    const waited = performance.now() - began;
    assert.ok(waited >= 990 && waited < 5000, `waited ${waited} ms, not the second it was told`);
});

test('a spent quota is a RateLimitError with a code of its own', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'insufficient-quota');
    const file = await upload(client, jsonl(chatLines(1)));

    await fails(client.batches.create(order(file)), OpenAI.RateLimitError, 429, 'insufficient_quota');
    assert.equal((await simulator.ledger()).batches_created, 0);
});

test('a server that fails is an InternalServerError, in JSON or in HTML', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'poll-500=1');
    const batch = await client.batches.create(order(await upload(client, jsonl(chatLines(1)))));

    await fails(client.batches.retrieve(batch.id), OpenAI.InternalServerError, 500);
    await simulator.arm('html-502=1');
    await fails(client.batches.list(), OpenAI.InternalServerError, 502);
});

test('a create whose answer is lost is sent again by the SDK, and both batches are billed', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'lost-create=1');
    const file = await upload(client, jsonl(chatLines(10)));
    const batch = await client.batches.create(order(file), { maxRetries: 2 });

    await ended(client, batch);
    const ledger = await until('both have run', async () => {
        const now = await simulator.ledger();
        return now.batches_live === 0 && now;
    });
    assert.equal(ledger.batches_created, 2);
    assert.equal(ledger.creates_lost, 1);
    assert.equal(ledger.input_files_used_twice, 1);
    assert.equal(ledger.input_files_executed_twice, 1);
    assert.equal(ledger.billed_twice, 10);
});

test('a create that is answered with 500 although it was done is sent again as well', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'create-500=1', '--delay', '1h');
    const file = await upload(client, jsonl(chatLines(1)));

    await client.batches.create(order(file), { maxRetries: 2 });
    assert.equal((await simulator.ledger()).batches_created, 2);
});

test('a create that nobody answers is a connection error, and there is one batch', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'lost-create=1', '--delay', '1h');
    const file = await upload(client, jsonl(chatLines(1)));

    await assert.rejects(client.batches.create(order(file)), OpenAI.APIConnectionError);
    assert.equal((await simulator.ledger()).batches_created, 1);
    assert.equal((await client.batches.list()).data[0].input_file_id, file.id, 'it can be found');
});

test('an upload whose answer is lost leaves two files', async (t) => {
    const { client, simulator } = await start(t, '--fault', 'lost-upload=1');
    const file = await toFile(Buffer.from(jsonl(chatLines(1))), 'in.jsonl');

    await client.files.create({ file, purpose: 'batch' }, { maxRetries: 1 });
    assert.equal((await client.files.list()).data.length, 2);
    assert.equal((await simulator.state()).files, 2);
});

test('a download that breaks off is an error, not a short file', async (t) => {
    const { client } = await start(t, '--fault', 'truncate=1');
    const file = await upload(client, jsonl(chatLines(5000)));

    await assert.rejects(client.files.content(file.id).then((answer) => answer.text()));
    assert.equal((await (await client.files.content(file.id)).text()).length, file.bytes);
});

test('a part of a file can be asked for', async (t) => {
    const { client } = await start(t);
    const text = jsonl(chatLines(100));
    const file = await upload(client, text);
    const part = async (range) => client.files.content(file.id, { headers: { Range: range } });

    const middle = await part('bytes=100-199');
    assert.equal(middle.status, 206);
    assert.equal(middle.headers.get('content-range'), `bytes 100-199/${text.length}`);
    assert.equal(await middle.text(), text.slice(100, 200));
    assert.equal(await (await part(`bytes=${text.length - 7}-`)).text(), text.slice(-7));
    await fails(part(`bytes=${text.length}-`), OpenAI.APIError, 416);
});

test('a batch that is not there yet can be polled until it is', async (t) => {
    const { client } = await start(t, '--fault', 'poll-404=2', '--delay', '1h');
    const batch = await client.batches.create(order(await upload(client, jsonl(chatLines(1)))));

    await fails(client.batches.retrieve(batch.id), OpenAI.NotFoundError, 404);
    await fails(client.batches.retrieve(batch.id), OpenAI.NotFoundError, 404);
    assert.equal((await client.batches.retrieve(batch.id)).id, batch.id);
});
