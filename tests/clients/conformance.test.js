'use strict';
/*
 * Two clients, OpenAI's SDK and our own, speak with sheaf-simulator through the proxy. Neither side may
 * deviate from the API document, in good times or when things go wrong.
 */
const assert = require('node:assert/strict');
const path = require('node:path');
const { Readable } = require('node:stream');
const { describe, it, test } = require('node:test');
const { KEY, Simulator, chatLines, checkRows, folder, jsonl, pause, runWords, sheaf, stop, until, write } =
    require('./programs');
const { Proxy } = require('./proxy');
const { OpenAI, toFile, toStreamingFile } = require('openai');

/* A simulator, a proxy before it that looks at every line, and a folder. */
async function start(t, ...flags) {
    const simulator = await Simulator.start(t, ...flags);
    const proxy = await new Proxy(simulator.origin, { sample: 1 }).listen();

    t.after(() => proxy.close());
    return { simulator, proxy, home: folder(t), url: `${proxy.url}/v1` };
}

const noDeviations = (proxy) => assert.equal(proxy.report, '');

const run = (t, place, source, ...flags) => sheaf(t, place.home, runWords(place, source, ...flags)).ended;

async function startSdk(t, ...flags) {
    const place = await start(t, ...flags);

    place.client = new OpenAI({ apiKey: KEY, baseURL: place.url, maxRetries: 0 });
    place.upload = async (text, more = {}) =>
        place.client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch', ...more });
    place.create = (file, more = {}) => place.client.batches.create({ input_file_id: file.id,
        endpoint: '/v1/chat/completions', completion_window: '24h', ...more });
    place.ended = (batch) => until('the batch ends', async () => {
        const now = await place.client.batches.retrieve(batch.id).catch(() => ({}));
        return ['completed', 'failed', 'expired', 'cancelled'].includes(now.status) && now;
    });
    return place;
}

/* Everything that the SDK can do with files and batches. */
test('the SDK and the simulator keep to the document', async (t) => {
    const { proxy, client, upload, create, ended } = await startSdk(t, '--delay', '300ms');
    const expiry = { anchor: 'created_at', seconds: 7200 };
    const file = await upload(jsonl(chatLines(300)), { expires_after: expiry });

    await client.files.create({ purpose: 'batch',
        file: toStreamingFile(Readable.from([Buffer.from(jsonl(chatLines(3)))]), 'streamed.jsonl') });
    await client.files.retrieve(file.id);
    for await (const _ of client.files.list({ limit: 1, order: 'asc', purpose: 'batch' }))
        continue;
    const made = await create(file, { metadata: { a: 'b' }, output_expires_after: expiry });
    const batch = await ended(made);
    assert.equal(batch.status, 'completed');
    await (await client.files.content(batch.output_file_id)).text();
    await (await client.files.content(batch.output_file_id, { headers: { Range: 'bytes=1000-' } })).text();
    const other = await create(file);
    await client.batches.cancel(other.id);
    const over = await ended(other);
    await (await client.files.content(over.error_file_id)).text();
    for await (const _ of client.batches.list({ limit: 1 }))
        continue;
    assert.equal((await client.files.list({ purpose: 'vision' })).data.length, 0);
    await client.files.delete(file.id);
    await client.models.list();
    noDeviations(proxy);
    assert.equal(proxy.calls.size, 10, 'every call that there is');
    assert.ok(proxy.watch.linesSeen > 900);
});

for (const [endpoint, body] of Object.entries({
    '/v1/embeddings': { model: 'text-embedding-3-small', input: 'text' },
    '/v1/responses': { model: 'gpt-4.1', input: 'text' },
    '/v1/completions': { model: 'gpt-3.5-turbo-instruct', prompt: 'text' },
    '/v1/moderations': { model: 'omni-moderation-latest', input: 'text' },
})) {
    test(`results of ${endpoint} are what the reference says`, async (t) => {
        const { proxy, client, upload, create, ended } = await startSdk(t);
        const rows = Array.from({ length: 20 }, (_, i) =>
            ({ custom_id: `r${i}`, method: 'POST', url: endpoint, body: { ...body, user: `u${i}` } }));
        const batch = await ended(await create(await upload(jsonl(rows)), { endpoint }));

        await (await client.files.content(batch.output_file_id)).text();
        noDeviations(proxy);
        assert.equal(proxy.watch.linesSeen, 40);
    });
}

test('errors that the simulator finds by itself are of the document', async (t) => {
    const { proxy, client, upload, create, ended } = await startSdk(t, '--key', KEY, '--max-live', '1');
    const stranger = new OpenAI({ apiKey: 'sk-other', baseURL: client.baseURL, maxRetries: 0 });
    const broken = chatLines(5);

    broken[1].body.stream = true;
    broken[2].url = '/v1/embeddings';
    broken[3].custom_id = 'row-0';
    delete broken[4].body.model;
    for (const call of [
        () => stranger.files.list(),
        () => stranger.batches.create({ input_file_id: 'f', endpoint: '/v1/embeddings', completion_window: '24h' }),
        () => client.files.retrieve('file-nobody'),
        () => client.files.content('file-nobody'),
        () => client.files.delete('file-nobody'),
        () => client.batches.retrieve('batch_nobody'),
        () => client.batches.cancel('batch_nobody'),
        () => client.batches.list({ after: 'batch_nobody' }),
    ])
        await assert.rejects(call, OpenAI.APIError);
    noDeviations(proxy);

    const failed = await ended(await create(await upload(jsonl(broken))));
    assert.equal(failed.errors.data.length, 4);
    const lost = await ended(await create({ id: 'file-nobody' }));
    assert.equal(lost.status, 'failed');
    const done = await ended(await create(await upload(jsonl(chatLines(2)))));
    await assert.rejects(client.batches.cancel(done.id), OpenAI.ConflictError);
    /* the lines are bad on purpose: nothing but them may be found */
    assert.deepEqual(proxy.deviations.filter((d) => !(d.side === 'request' && d.where.startsWith('line'))), []);
});

test('what the server refuses of bad requests is answered as the document says', async (t) => {
    const { proxy, client, upload, create } = await startSdk(t, '--max-bytes', '50kB');
    const file = await upload(jsonl(chatLines(1)));
    const calls = [
        () => create(file, { endpoint: '/v1/nothing' }),
        () => create(file, { completion_window: '1h' }),
        () => create(file, { metadata: { a: 1 } }),
        () => create({}),
        () => client.batches.list({ limit: 1000 }),
        () => upload('no JSON'),
        () => upload(''),
        () => upload(jsonl(chatLines(1000))),
        () => client.files.create({ file: new File([jsonl(chatLines(1))], 'in.txt'), purpose: 'batch' }),
        () => upload(jsonl(chatLines(1)), { purpose: 'nothing' }),
        () => client.post('/nothing'),
    ];

    for (const call of calls)
        await assert.rejects(call, OpenAI.APIError);
    assert.deepEqual(proxy.deviations.filter((d) => d.side === 'answer'), []);
    assert.ok(proxy.deviations.length >= calls.length - 2, 'the requests were bad');
});

test('our client and the simulator keep to the document', async (t) => {
    const place = await start(t, '--delay', '300ms', '--key', KEY);
    const source = write(place.home, 'in.jsonl', jsonl(chatLines(2500)));
    const { code, out } = await run(t, place, source, '--max-requests', '1000');

    assert.equal(code, 0, out);
    checkRows(place.home, 2500, 0);
    noDeviations(place.proxy);
    for (const call of ['POST /v1/files', 'POST /v1/batches', 'GET /v1/batches/{batch_id}',
        'GET /v1/files/{file_id}/content', 'DELETE /v1/files/{file_id}'])
        assert.ok(place.proxy.calls.get(call) >= 3, `${call} was made`);
    assert.ok(place.proxy.watch.linesSeen >= 5000);
    assert.equal((await place.simulator.ledger()).billed_twice, 0);
});

test('our client keeps to it with several endpoints, models and unusual text', async (t) => {
    const place = await start(t);
    const chat = chatLines(200, (i) =>
        ({ model: i % 2 ? 'gpt-4o' : 'gpt-4o-mini', user: '\u2028 ü \ud83d\ude00 \\' }));
    const more = (url, body) => Array.from({ length: 50 }, (_, i) =>
        ({ custom_id: `${url}-${i} "ü"`, method: 'POST', url, body }));
    const source = write(place.home, 'in.jsonl', jsonl([...chat,
        ...more('/v1/embeddings', { model: 'text-embedding-3-small', input: ['a', 'b'] }),
        ...more('/v1/responses', { model: 'gpt-4.1', input: 'text' })]));
    const { code, out } = await run(t, place, source);

    assert.equal(code, 0, out);
    checkRows(place.home, 300, 0);
    noDeviations(place.proxy);
});

test('a cancel keeps to the document', async (t) => {
    const place = await start(t, '--delay', '60s');
    const source = write(place.home, 'in.jsonl', jsonl(chatLines(500)));
    const job = sheaf(t, place.home, runWords(place, source, '--max-requests', '100'));

    await until('batches run', async () => (await place.simulator.state()).batches_live >= 3);
    const cancel = await sheaf(t, place.home, ['cancel', 'nightly', '-y', '--state-dir',
        path.join(place.home, 'out.jsonl.sheaf')]).ended;
    assert.equal(cancel.code, 0, cancel.out);
    const { code, out } = await job.ended;
    assert.equal(code, 3, out);
    noDeviations(place.proxy);
    assert.ok(place.proxy.calls.get('POST /v1/batches/{batch_id}/cancel') >= 3);
    checkRows(place.home, 500);
});

test('a job that goes on after a kill keeps to the document', async (t) => {
    const place = await start(t, '--delay', '2s', '--fault', 'lost-create=2');
    const source = write(place.home, 'in.jsonl', jsonl(chatLines(600)));
    const words = runWords(place, source, '--max-requests', '100', '--reap-after', '1s');
    const first = sheaf(t, place.home, words);

    await until('batches run', async () => (await place.simulator.state()).batches_live >= 2);
    await stop(first.child, 'SIGKILL');
    await first.ended;
    const { code, out } = await sheaf(t, place.home, words).ended;
    assert.equal(code, 0, out);
    checkRows(place.home, 600, 0);
    noDeviations(place.proxy);
    assert.ok(place.proxy.calls.get('GET /v1/batches') >= 1, 'the lost create was looked for');
    assert.equal((await place.simulator.ledger()).billed_twice, 0);
});

test('the look for files that belong to nobody and doctor keep to the document', async (t) => {
    const place = await start(t, '--delay', '3s');
    const source = write(place.home, 'in.jsonl', jsonl(chatLines(10)));
    const { code, out } = await run(t, place, source, '--reap-after', '1s');

    assert.equal(code, 0, out);
    await sheaf(t, place.home, ['doctor', '--base-url', place.url]).ended;
    noDeviations(place.proxy);
    for (const call of ['GET /v1/files', 'GET /v1/models'])
        assert.ok(place.proxy.calls.get(call) >= 1, `${call} was made`);
});

/* Faults, and what the proxy may say of them. */
const FAULTS = [
    [['poll-404=3']],
    [['lost-create=2@every']],
    [['lost-upload=2@every']],
    [['create-500=1', 'upload-500=1', 'poll-500=0.3']],
    [['create-500-refused=1']],
    [['list-lag=500ms', 'lost-create=1']],
    [['file-lag=300ms']],
    [['rate-429=7@every']],
    [['batch-failed=1']],
    [['batch-expired=1']],
    [['only-error-file=1']],
    [['empty-ids=2']],
    [['rows-failed=0.1:always']],
    [['rows-500=0.2']],
    [['rows-expired=0.3']],
    [['rows-missing=0.1']],
    [['rows-alien=0.1']],
    [['truncate=2@every']],
    [['no-range', 'truncate=1']],
    [['slow-download=200kB']],
    [['file-get-lag=300ms', 'file-list-lag=300ms', 'batch-get-lag=300ms']],
    [['stale=0.5']],
    [['batch-cancelled=1', 'cancel-loses']],
    [['no-files=1', 'empty-files=2']],
    [['empty-error-file']],
    [['rows-429=0.1']],
    [['rows-policy=0.1']],
    [['rows-timeout=0.1']],
    [['rows-cancelled=0.1']],
    [['crlf', 'no-final-newline']],
    [['range=416', 'truncate=1']],
    [['cut=chunked:when=1']],
    [['etag=changing', 'truncate=2@every']],
    [['content-lag=300ms']],
        [['reorder']],
    [['rate-headers=200ms:when=5@every']],
    [['status=503:when=9@every', 'drop=reset:when=11@every']],
    [['status=429:retry-after=date+1s:when=9@every']],
    [['rows-duplicated=0.1'], /line \d+ \/custom_id: "[^"]+" was there before/],
    [['redirect=2'], /302: status: the document has no such status here/, '--content-port'],
    [['late-create=300ms:when=1'], /504: status: the document has no such status here/],
    [['rows-0=0.1'], /line \d+( \/response.*)?: /],
    [['rows-torn=0.05'], /not JSON/],
    [['bom'], /line 1: not JSON/],
    [['blank-lines'], /not JSON/],
    [['gzip=1'], /content-encoding/],
    [['html-502=7@every'], /502: header \/content-type: "text\/html"/],
];

describe('our client and the simulator with faults', { concurrency: 3 }, () => {
    for (const [faults, mayBeSaid, option] of FAULTS) {
        it(`keep to the document with ${faults.join(', ')}`, { timeout: 120000 }, async (t) => {
            const place = await start(t, '--delay', '100ms', ...(option === undefined ? [] : [option, '0']),
                ...faults.flatMap((fault) => ['--fault', fault]));
            const source = write(place.home, 'in.jsonl', jsonl(chatLines(300)));
            const { code, out } = await run(t, place, source, '--max-requests', '100', '--max-attempts', '10');
            const said = place.proxy.report.split('\n').filter((line) => line !== '');

            assert.ok(code === 0 || code === 3, out);
            checkRows(place.home, 300, code === 0 ? 0 : undefined);
            assert.deepEqual(said.filter((line) => !mayBeSaid?.test(line)), []);
            assert.ok(mayBeSaid === undefined || said.length > 0, 'the proxy saw the fault');
            assert.equal((await place.simulator.ledger()).billed_twice, 0);
        });
    }
});

test('a spent quota is told as the document says', async (t) => {
    const place = await start(t, '--fault', 'insufficient-quota');
    const job = sheaf(t, place.home, runWords(place, write(place.home, 'in.jsonl', jsonl(chatLines(10)))));

    await until('a create was refused', () => place.proxy.calls.get('POST /v1/batches') >= 1);
    await pause(200); /* its answer */
    await stop(job.child);
    await job.ended;
    noDeviations(place.proxy);
});

test('a refused key is told as the document says, and ends the run', async (t) => {
    const place = await start(t, '--key', 'sk-other');
    const { code, out } = await run(t, place, write(place.home, 'in.jsonl', jsonl(chatLines(10))));

    assert.equal(code, 4, out);
    noDeviations(place.proxy);
});
