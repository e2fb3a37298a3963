'use strict';
/*
 * The proxy finds what is wrong, and nothing else; and whatever it finds, bytes pass unchanged. The
 * server here answers with what the test tells it to.
 */
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const http = require('node:http');
const path = require('node:path');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const { chatLines, jsonl, pause, serve, statusKb, until } = require('./programs');
const { requestSchema, resultSchema } = require('./lines');
const { Proxy } = require('./proxy');
const { Spec } = require('./spec');

const AUTH = { Authorization: 'Bearer sk-test' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const B = 'xyzzy';
const FORM = { ...AUTH, 'Content-Type': `multipart/form-data; boundary=${B}` };

const FILE = { id: 'file-1', object: 'file', bytes: 3, created_at: 1700000000, filename: 'in.jsonl',
    purpose: 'batch', status: 'processed' };
const BATCH = { id: 'batch_1', object: 'batch', endpoint: '/v1/chat/completions', input_file_id: 'file-1',
    completion_window: '24h', status: 'completed', output_file_id: 'file-out', error_file_id: null,
    created_at: 1700000000, request_counts: { total: 1, completed: 1, failed: 0 }, errors: null, metadata: null };
const ORDER = { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' };
const ERROR = { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } };
const listOf = (...data) => ({ object: 'list', data, first_id: data[0].id, last_id: data.at(-1).id,
    has_more: false });
const CHAT = { id: 'c', object: 'chat.completion', created: 1700000000, model: 'm', choices: [{ index: 0,
    finish_reason: 'stop', logprobs: null, message: { role: 'assistant', content: 'hi', refusal: null } }] };
const RESULT = { id: 'r', custom_id: 'row-0', error: null,
    response: { status_code: 200, request_id: 'q', body: CHAT } };

function field(name, value, filename) {
    const file = filename === undefined ? '' : `; filename="${filename}"`;

    return `--${B}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;
}

const form = (...fields) => `${fields.join('')}--${B}--\r\n`;
const oneLine = jsonl(chatLines(1));
const upload = (...fields) => ({ method: 'POST', path: '/v1/files', headers: FORM, body: form(...fields) });
const uploadOf = (text) => upload(field('purpose', 'batch'), field('file', text, 'in.jsonl'));
const create = (more) => ({ method: 'POST', path: '/v1/batches', headers: { ...AUTH, ...JSON_TYPE },
    body: JSON.stringify({ ...ORDER, ...more }) });
const get = (where, headers = {}) => ({ method: 'GET', path: where, headers: { ...AUTH, ...headers } });

/* A server that answers with @answer, {status, headers, body} or a function (req, res). */
async function stub(t, answer) {
    const server = http.createServer((req, res) => {
        if (typeof answer === 'function')
            return answer(req, res);
        return req.resume().on('end', () => {
            res.writeHead(answer.status ?? 200, answer.headers ?? JSON_TYPE);
            res.end(typeof answer.body === 'string' || answer.body instanceof Buffer ? answer.body :
                JSON.stringify(answer.body));
        });
    });

    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => (server.closeAllConnections(), server.close()));
    return server.address().port;
}

/* One request; resolves to {status, headers, body} or throws what broke it. */
function send(port, { method, path: where, headers, body }) {
    return new Promise((resolve, reject) => {
        const request = http.request({ port, host: '127.0.0.1', method, path: where, headers, agent: false });

        request.on('error', reject);
        request.on('response', (answer) => {
            const chunks = [];
            answer.on('data', (chunk) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () =>
                resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
        });
        if (body !== undefined && typeof body.pipe === 'function')
            body.pipe(request);
        else
            request.end(body);
    });
}

/* A stream of @pieces, each written by itself. */
function slowly(pieces) {
    return Readable.from(pieces, { objectMode: true, highWaterMark: 1 });
}

async function proxyTo(t, port, options) {
    const proxy = await new Proxy(`http://127.0.0.1:${port}`, options).listen();

    t.after(() => proxy.close());
    return proxy;
}

/* What the proxy says of one request and its answer. */
async function look(t, request, answer = { body: FILE }) {
    const proxy = await proxyTo(t, await stub(t, answer));

    await send(proxy.port, request);
    return proxy;
}

test('what is right passes without a word', async (t) => {
    const exchanges = [
        [uploadOf(oneLine), { body: FILE }],
        [upload(field('file', oneLine, 'in.jsonl'), field('purpose', 'batch'),
            field('expires_after[anchor]', 'created_at'), field('expires_after[seconds]', '3600')), { body: FILE }],
        [uploadOf(jsonl(chatLines(1500)).slice(0, -1)), { body: FILE }],
        [create({}), { body: BATCH }],
        [create({ metadata: { a: 'b' } }), { body: { ...BATCH, metadata: { a: 'b' } } }],
        [create({}), { status: 429, headers: { ...JSON_TYPE, 'Retry-After': '3' }, body: ERROR }],
        [get('/v1/batches/batch_1'), { body: BATCH }],
        [get('/v1/batches/batch_1'), { status: 404, body: ERROR }],
        [get('/v1/batches?limit=100&after=batch_0'), { body: listOf(BATCH) }],
        [get('/v1/files?purpose=batch&order=asc&limit=10000'), { body: listOf(FILE) }],
        [get('/v1/files/file-1'), { body: FILE }],
        [{ ...get('/v1/files/file-1'), method: 'DELETE' }, { body: { id: 'file-1', object: 'file', deleted: true } }],
        [{ ...get('/v1/batches/batch_1/cancel'), method: 'POST' }, { body: BATCH }],
        [get('/v1/files/file-out/content'),
            { headers: { 'Content-Type': 'application/octet-stream' }, body: jsonl([RESULT]) }],
        [get('/v1/files/file-out/content', { Range: 'bytes=5-' }), { status: 206, body: jsonl([RESULT]).slice(5),
            headers: { 'Content-Type': 'application/octet-stream',
                'Content-Range': `bytes 5-${jsonl([RESULT]).length - 1}/${jsonl([RESULT]).length}` } }],
        [get('/v1/files/file-out/content', { Range: 'bytes=10-' }), { status: 416, body: ERROR,
            headers: { ...JSON_TYPE, 'Content-Range': 'bytes */10' } }],
        [get('/v1/models'), { body: { object: 'list', data: [] } }],
        [get('/_sim/state'), { status: 299, headers: { 'Content-Type': 'no/thing' }, body: 'whatever' }],
    ];

    for (const [request, answer] of exchanges) {
        const proxy = await look(t, request, answer);
        assert.equal(proxy.report, '', `${request.method} ${request.path}`);
    }
});

/* A request that is wrong, and what must be said of it. */
const line = chatLines(1)[0];
const badLine = (more) => uploadOf(jsonl([{ ...line, ...more }]));
const BAD_REQUESTS = [
    ['an unknown path', get('/v1/batch'), /path: no such path/],
    ['a path without its version', get('/files'), /path: no such path/],
    ['an unknown method', { ...get('/v1/files/file-1'), method: 'PUT' }, /method: no such method/],
    ['no key', { method: 'GET', path: '/v1/files', headers: {} }, /header \/authorization/],
    ['a key of another kind', get('/v1/files', { Authorization: 'Basic eDp5' }), /header \/authorization/],
    ['an unknown parameter', get('/v1/batches?status=completed'), /query \/status: no such parameter/],
    ['a limit that is too large', get('/v1/batches?limit=101'), /query \/limit: must be 1 to 100/],
    ['a limit that is too small', get('/v1/files?limit=0'), /query \/limit: must be 1 to 10000/],
    ['a limit that is no number', get('/v1/files?limit=ten'), /query \/limit: "ten" cannot be read/],
    ['an unknown order', get('/v1/files?order=newest'), /query \/order: .*asc, desc/],
    ['a parameter that stands twice', get('/v1/files?after=a&after=b'), /query \/after: stands twice/],
    ['a range of something else', get('/v1/files', { Range: 'bytes=0-' }), /header \/range/],
    ['two ranges', get('/v1/files/f/content', { Range: 'bytes=0-1,5-6' }), /header \/range/],
    ['an order without its file', create({ input_file_id: undefined }), /required property 'input_file_id'/],
    ['an order with an unknown endpoint', create({ endpoint: '/v4/chat/completions' }), /body \/endpoint/],
    ['an order with an unknown window', create({ completion_window: '1h' }), /body \/completion_window/],
    ['an order with an unknown member', create({ priority: 1 }), /additional properties: priority/],
    ['metadata that are no text', create({ metadata: { a: 1 } }), /body \/metadata/],
    ['a key of metadata that is too long', create({ metadata: { ['k'.repeat(65)]: '' } }), /body \/metadata/],
    ['a value of metadata that is too long', create({ metadata: { k: 'v'.repeat(513) } }), /body \/metadata/],
    ['17 metadata', create({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) }),
        /body \/metadata/],
    ['an expiry of an hour less', create({ output_expires_after: { anchor: 'created_at', seconds: 3599 } }),
        /body \/output_expires_after\/seconds/],
    ['an order that is no JSON', { ...create({}), body: '{' }, /body: not JSON/],
    ['an order of another type', { ...create({}), headers: { ...AUTH, 'Content-Type': 'text/plain' } },
        /header \/content-type/],
    ['a cancel with a body', { method: 'POST', path: '/v1/batches/b/cancel', headers: AUTH, body: '{}' },
        /body: there should be none/],
    ['an upload without a purpose', upload(field('file', oneLine, 'in.jsonl')), /required property 'purpose'/],
    ['an upload without a file', upload(field('purpose', 'batch')), /required property 'file'/],
    ['an unknown purpose', upload(field('purpose', 'batches'), field('file', oneLine, 'in.jsonl')), /\/purpose/],
    ['an unknown field', upload(field('purpose', 'batch'), field('file', oneLine, 'in.jsonl'), field('x', '1')),
        /additional properties: x/],
    ['a field that stands twice', upload(field('purpose', 'batch'), field('purpose', 'batch'),
        field('file', oneLine, 'in.jsonl')), /field purpose: stands twice/],
    ['half an expiry', upload(field('purpose', 'batch'), field('expires_after[seconds]', '3600'),
        field('file', oneLine, 'in.jsonl')), /needs both/],
    ['an expiry that is too far', upload(field('purpose', 'batch'), field('expires_after[anchor]', 'created_at'),
        field('expires_after[seconds]', '2592001'), field('file', oneLine, 'in.jsonl')), /2592001/],
    ['a file without a name', upload(field('purpose', 'batch'), field('file', oneLine)), /has no file name/],
    ['a file that is no .jsonl', upload(field('purpose', 'batch'), field('file', oneLine, 'in.json')),
        /does not end in \.jsonl/],
    ['a purpose with a file name', upload(field('purpose', 'batch', 'x'), field('file', oneLine, 'in.jsonl')),
        /field purpose: has a file name/],
    ['a part without a name', { ...uploadOf(oneLine),
        body: form(`--${B}\r\nContent-Disposition: form-data\r\n\r\n\r\n`) }, /without a form-data name/],
    ['a part that is an attachment', { ...uploadOf(oneLine), body: form(field('purpose', 'batch'),
        field('file', oneLine, 'in.jsonl').replace('form-data', 'attachment')) }, /without a form-data name/],
    ['bytes before the form', { ...uploadOf(oneLine), body: `x\r\n${uploadOf(oneLine).body}` }, /before the first/],
    ['bytes after the form', { ...uploadOf(oneLine), body: `${uploadOf(oneLine).body}x` }, /after the closing/],
    ['a part whose headers never end', { ...uploadOf(oneLine), body: `--${B}\r\nX: ${'x'.repeat(20000)}` },
        /headers of a part/],
    ['more than 50,000 lines', uploadOf('{}\n'.repeat(50001)), /50001 lines are more/],
    ['an empty file', uploadOf(''), /is empty/],
    ['a form that is not closed', { ...uploadOf(oneLine), body: field('file', oneLine, 'in.jsonl') },
        /before the closing boundary/],
    ['a form with another boundary', { ...uploadOf(oneLine), body: '--other\r\n\r\n\r\n--other--\r\n' },
        /does not start with the boundary/],
    ['a form without a boundary', { ...uploadOf(oneLine), headers: { ...AUTH,
        'Content-Type': 'multipart/form-data' } }, /has no boundary/],
    ['a line that is no JSON', uploadOf(`${oneLine}{"custom_id":\n`), /line 2: not JSON/],
    ['an empty line', uploadOf(`${oneLine}\n${oneLine.replace('row-0', 'row-1')}`), /line 2: not JSON/],
    ['a byte order mark', uploadOf(`\ufeff${oneLine}`), /line 1: not JSON/],
    ['a line without custom_id', badLine({ custom_id: undefined }), /line 1: .*'custom_id'/],
    ['a custom_id that is no text', badLine({ custom_id: 7 }), /line 1 \/custom_id/],
    ['a custom_id that stands twice', uploadOf(oneLine + oneLine), /line 2 \/custom_id: "row-0" was there before/],
    ['a line with another method', badLine({ method: 'GET' }), /line 1 \/method/],
    ['a line with an unknown url', badLine({ url: 'https://api.openai.com/v1/chat/completions' }), /line 1 \/url/],
    ['a line with an unknown member', badLine({ ordinal: 1 }), /line 1: .*ordinal/],
    ['a body without a model', badLine({ body: { messages: line.body.messages } }), /line 1 \/body: .*'model'/],
    ['a body without messages', badLine({ body: { model: 'm', messages: [] } }), /line 1 \/body\/messages/],
    ['an embedding without input', badLine({ url: '/v1/embeddings', body: { model: 'm' } }), /'input'/],
    ['the last of many lines', uploadOf(`${jsonl(chatLines(999))}[]`), /line 1000/],
];

for (const [name, request, said] of BAD_REQUESTS) {
    test(`a bad request is found: ${name}`, async (t) => {
        const proxy = await look(t, request);

        assert.match(proxy.report, said);
        assert.ok(proxy.deviations.some((d) => d.side === 'request'));
    });
}

/* An answer that is wrong: to which request, and what must be said of it. */
const content = get('/v1/files/file-out/content');
const octets = { 'Content-Type': 'application/octet-stream' };
const ofLine = (more) => ({ headers: octets, body: jsonl([{ ...RESULT, ...more }]) });
const part = (range, length) => ({ status: 206, headers: { ...octets, 'Content-Range': range },
    body: 'x'.repeat(length) });
const BAD_ANSWERS = [
    ['a status that is not documented', get('/v1/batches/batch_1'), { status: 418, body: ERROR }, /418: status/],
    ['a redirect', get('/v1/batches/batch_1'), { status: 302, headers: { Location: '/x' }, body: '' }, /302: status/],
    ['202 for a create', create({}), { status: 202, body: BATCH }, /202: status/],
    ['a web page', get('/v1/files'), { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>' },
        /502: header \/content-type: "text\/html"/],
    ['JSON that is cut', get('/v1/files/file-1'), { body: '{"id":' }, /body: not JSON/],
    ['an unknown status of a batch', get('/v1/batches/batch_1'), { body: { ...BATCH, status: 'Completed' } },
        /body \/status/],
    ['milliseconds', get('/v1/batches/batch_1'), { body: { ...BATCH, created_at: 1700000000000 } },
        /body \/created_at: .*unixtime/],
    ['a time as text', get('/v1/batches/batch_1'), { body: { ...BATCH, created_at: '2026-01-01T00:00:00Z' } },
        /body \/created_at/],
    ['a member that is not documented', get('/v1/batches/batch_1'), { body: { ...BATCH, progress: 1 } },
        /additional properties: progress/],
    ['a batch without a status', get('/v1/batches/batch_1'), { body: { ...BATCH, status: undefined } },
        /required property 'status'/],
    ['counts of nulls', get('/v1/batches/batch_1'), { body: { ...BATCH, request_counts: { total: null,
        completed: null, failed: null } } }, /body \/request_counts\/total/],
    ['errors as an array', get('/v1/batches/batch_1'), { body: { ...BATCH, errors: [] } }, /body \/errors/],
    ['another batch', get('/v1/batches/batch_1'), { body: { ...BATCH, id: 'batch_2' } }, /body \/id/],
    ['another file deleted', { ...get('/v1/files/file-1'), method: 'DELETE' },
        { body: { id: 'file-2', object: 'file', deleted: true } }, /body \/id/],
    ['a batch of another file', create({}), { body: { ...BATCH, input_file_id: 'file-2' } }, /\/input_file_id/],
    ['metadata that were lost', create({ metadata: { a: 'b' } }), { body: BATCH }, /body \/metadata/],
    ['a file without a status', get('/v1/files/file-1'), { body: { ...FILE, status: undefined } }, /'status'/],
    ['a file with a null', get('/v1/files/file-1'), { body: { ...FILE, expires_at: null } }, /\/expires_at/],
    ['a listing under another name', get('/v1/batches'), { body: { object: 'list', value: [], has_more: false } },
        /'data'/],
    ['a listing that ends elsewhere', get('/v1/files'), { body: { ...listOf(FILE), last_id: 'file-0' } },
        /last_id/],
    ['more than was asked for', get('/v1/files?limit=1'), { body: listOf(FILE, { ...FILE, id: 'file-2' }) },
        /more than limit 1/],
    ['an item that is listed twice', get('/v1/files'), { body: listOf(FILE, FILE) }, /stands twice/],
    ['a listing that goes on from nowhere', get('/v1/batches'),
        { body: { object: 'list', data: [], has_more: true } }, /has_more/],
    ['a bad item of a listing', get('/v1/batches'), { body: listOf({ ...BATCH, status: 'done' }) },
        /body \/data\/0\/status/],
    ['an error without its members', get('/v1/files/file-1'), { status: 404, body: { error: { message: 'no' } } },
        /body \/error/],
    ['an error as text', get('/v1/files/file-1'), { status: 404, body: { error: 'no' } }, /body \/error/],
    ['a code that is a number', get('/v1/files/file-1'),
        { status: 400, body: { error: { ...ERROR.error, code: 1210 } } }, /body \/error\/code/],
    ['a strange Retry-After', get('/v1/files/file-1'),
        { status: 429, headers: { ...JSON_TYPE, 'Retry-After': 'soon' }, body: ERROR }, /header \/retry-after/],
    ['a body that is packed', get('/v1/files/file-1'), { headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' },
        body: 'x' }, /header \/content-encoding/],
    ['another range', get('/v1/files/file-out/content', { Range: 'bytes=5-' }), part('bytes 0-9/10', 10),
        /content-range/],
    ['a range that stops early', get('/v1/files/file-out/content', { Range: 'bytes=5-' }), part('bytes 5-8/10', 4),
        /content-range/],
    ['a length that is not the range\'s', get('/v1/files/file-out/content', { Range: 'bytes=5-' }),
        { ...part('bytes 5-9/10', 7), headers: { ...part('bytes 5-9/10', 7).headers, 'Content-Length': 7 } },
        /content-length: is not that of the range/],
    ['a range that cannot be there but is told whole', get('/v1/files/file-out/content', { Range: 'bytes=5-' }),
        { status: 416, headers: { ...JSON_TYPE, 'Content-Range': 'bytes 5-9/10' }, body: ERROR }, /does not fit 416/],
    ['a range that nobody asked for', content, part('bytes 0-9/10', 10), /206: status/],
    ['a range without saying which', get('/v1/files/file-out/content', { Range: 'bytes=5-' }),
        { status: 206, headers: octets, body: 'x' }, /content-range: "" does not fit/],
    ['a content of another type', content, { headers: { 'Content-Type': 'image/png' }, body: '' },
        /header \/content-type/],
    ['a result without its custom_id', content, ofLine({ custom_id: undefined }), /line 1: .*'custom_id'/],
    ['a result without an id', content, ofLine({ id: undefined }), /line 1: .*'id'/],
    ['a result with an answer and an error', content, ofLine({ error: { code: 'x', message: 'y' } }),
        /line 1 \/error/],
    ['a result with neither', content, ofLine({ response: null }), /line 1 \/error/],
    ['a result whose status is text', content, ofLine({ response: { ...RESULT.response, status_code: '200' } }),
        /line 1 \/response\/status_code/],
    ['a result whose status is 0', content, ofLine({ response: { ...RESULT.response, status_code: 0 } }),
        /line 1 \/response\/status_code/],
    ['a failed result without an error', content, ofLine({ response: { ...RESULT.response, status_code: 500 } }),
        /line 1 \/response\/body/],
    ['a body that is text', content, ofLine({ response: { ...RESULT.response, body: 'hi' } }),
        /line 1 \/response\/body/],
    ['a result that stands twice', content, { headers: octets, body: jsonl([RESULT, RESULT]) },
        /line 2 \/custom_id: "row-0" was there before/],
    ['a result that is cut', content, { headers: octets, body: jsonl([RESULT]).slice(0, -5) }, /line 1: not JSON/],
];

for (const [name, request, answer, said] of BAD_ANSWERS) {
    test(`a bad answer is found: ${name}`, async (t) => {
        const proxy = await look(t, request, answer);

        assert.match(proxy.report, said);
        assert.ok(proxy.deviations.some((d) => d.side === 'answer'));
    });
}

/* A body for each other endpoint and its answer, of members that must be there, and nothing else. */
const USAGE = { prompt_tokens: 1, total_tokens: 1 };
const OTHERS = {
    '/v1/embeddings': [{ model: 'm', input: 'text' },
        { object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: [0.5] }], usage: USAGE }],
    '/v1/responses': [{ model: 'm', input: 'text' },
        { id: 'r', object: 'response', created_at: 1700000000, status: 'completed', model: 'm',
            output: [{ type: 'message' }], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } }],
    '/v1/completions': [{ model: 'm', prompt: 'text' },
        { id: 'c', object: 'text_completion', created: 1700000000, model: 'm',
            choices: [{ text: 'x', index: 0, finish_reason: 'stop' }] }],
    '/v1/moderations': [{ input: 'text' }, { id: 'm', model: 'm', results: [{ flagged: false }] }],
};

/* Copies of @value, each with one member gone or of another kind. */
function* spoilt(value) {
    for (const key of Object.keys(value)) {
        if (!Array.isArray(value))
            yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
        const copies = value[key] !== null && typeof value[key] === 'object' ? spoilt(value[key]) : [];
        for (const copy of [true, ...copies])
            yield Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: copy });
    }
}

function* spoiltLines() {
    for (const [url, [body, answer]] of Object.entries(OTHERS)) {
        for (const bad of spoilt({ custom_id: 'a', method: 'POST', url, body }))
            yield ['input', requestSchema(bad.url), bad];
        for (const bad of spoilt({ id: 'r', custom_id: 'a', error: null,
            response: { status_code: 200, request_id: 'q', body: answer } }))
            yield ['output', resultSchema(url), bad];
    }
    for (const error of [{ code: 'batch_expired', message: 'late' }])
        for (const bad of spoilt({ id: 'r', custom_id: 'a', response: null, error }))
            yield ['error', resultSchema('/v1/responses'), bad];
    for (const more of [{ error: { code: 'x', message: 'y', more: 1 }, response: null }, { more: 1 },
        { response: { ...RESULT.response, more: 1 } }])
        yield ['closed', resultSchema('/v1/chat/completions'), { ...RESULT, ...more }];
    yield ['status', resultSchema('/v1/responses'), { ...RESULT,
        response: { ...RESULT.response, body: { ...OTHERS['/v1/responses'][1], status: 'done' } } }];
    yield ['stream', requestSchema('/v1/responses'), { custom_id: 'a', method: 'POST', url: '/v1/responses',
        body: { model: 'm', input: 'x', stream: true } }];
    yield ['stream', requestSchema('/v1/completions'), { custom_id: 'a', method: 'POST', url: '/v1/completions',
        body: { model: 'm', prompt: 'x', stream: true } }];
}

/* What is right all the same: the other answer to a moderation, a response without its usage. */
const MAY = [/"flagged":true/, /"output":\[\{"type":"message"\}\]\}\}\}$/];

test('a line is found whichever of its members is missing or of another kind', () => {
    const spec = new Spec();

    for (const [url, [body, answer]] of Object.entries(OTHERS)) {
        const good = { custom_id: 'a', method: 'POST', url, body };
        assert.deepEqual(spec.problems(requestSchema(url), good), []);
        const result = { ...RESULT, response: { ...RESULT.response, body: answer } };
        assert.deepEqual(spec.problems(resultSchema(url), result), []);
    }
    const missed = [];
    for (const [kind, schema, bad] of spoiltLines()) {
        const text = `${kind} ${JSON.stringify(bad)}`;
        if (spec.problems(schema, bad).length === 0 && !MAY.some((may) => may.test(text)))
            missed.push(text);
    }
    assert.deepEqual(missed, []);
});

test('a form is understood in whatever pieces it comes', async (t) => {
    const body = Buffer.from(upload(field('purpose', 'batch'), field('expires_after[anchor]', 'created_at'),
        field('expires_after[seconds]', '3600'), field('file', `${jsonl(chatLines(3))}\r\n--${B.slice(0, -1)}`,
            'in.jsonl')).body);
    for (const size of [1, 2, 3, 7, 100]) {
        const proxy = await proxyTo(t, await stub(t, { body: FILE }));
        const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, i) =>
            body.subarray(i * size, (i + 1) * size));
        await send(proxy.port, { method: 'POST', path: '/v1/files', headers: FORM, body: slowly(pieces) });
        assert.match(proxy.report, /^request POST \/v1\/files: line 4: not JSON[^\n]*\n[^\n]*line 5: not JSON[^\n]*$/);
    }
});

test('a part that begins within a line is looked at from the next one on', async (t) => {
    const text = jsonl([{ ...RESULT, id: 'x'.repeat(200000) }, { ...RESULT, custom_id: 7 }]);
    const proxy = await look(t, get('/v1/files/file-out/content', { Range: 'bytes=5-' }), { status: 206,
        body: text.slice(5), headers: { ...octets, 'Content-Range': `bytes 5-${text.length - 1}/${text.length}` } });

    assert.match(proxy.report, /^[^\n]*line 1 \/custom_id: must be string[^\n]*\n?[^\n]*$/);
    assert.equal(proxy.watch.linesSeen, 1);
});

test('an uploaded file is known as input when it comes back, and a listed batch tells of its files', async (t) => {
    const answers = {
        'POST /v1/files': [JSON_TYPE, JSON.stringify(FILE)],
        'GET /v1/files/file-1/content': [octets, jsonl([{ ...line, method: undefined }])],
        'GET /v1/batches': [JSON_TYPE, JSON.stringify(listOf({ ...BATCH, endpoint: '/v1/embeddings' }))],
        'GET /v1/files/file-out/content': [octets, jsonl([RESULT])],
    };
    const port = await stub(t, (req, res) => req.resume().on('end', () => {
        const [headers, body] = answers[`${req.method} ${req.url}`];
        res.writeHead(200, headers).end(body);
    }));
    const proxy = await proxyTo(t, port);

    await send(proxy.port, uploadOf(oneLine));
    assert.equal(proxy.report, '');
    await send(proxy.port, get('/v1/files/file-1/content'));
    assert.match(proxy.report, /line 1: must have required property 'method'/);
    await send(proxy.port, get('/v1/batches'));
    await send(proxy.port, content);
    assert.match(proxy.report, /line 1 \/response\/body: must have required property 'data'/);
});

test('what a result must be is known from its batch', async (t) => {
    const answers = {
        '/v1/batches/batch_1': [JSON_TYPE, JSON.stringify({ ...BATCH, endpoint: '/v1/embeddings' })],
        '/v1/files/file-out/content': [octets, jsonl([RESULT])],
    };
    const port = await stub(t, (req, res) => {
        res.writeHead(200, answers[req.url][0]);
        res.end(answers[req.url][1]);
    });
    const proxy = await proxyTo(t, port);

    await send(proxy.port, get('/v1/batches/batch_1'));
    assert.equal(proxy.report, '');
    await send(proxy.port, content);
    assert.match(proxy.report, /line 1 \/response\/body: .*'data'/, 'a chat answer to an embedding');
});

test('of a large file the first 1,000 lines and then a sample are looked at', async (t) => {
    const port = await stub(t, { body: FILE });
    const lines = jsonl(chatLines(3000)).split('\n').slice(0, -1);
    const proxy = await proxyTo(t, port, { sample: 50 });

    lines[2001] = 'not looked at';
    await send(proxy.port, uploadOf(lines.join('\n')));
    assert.equal(proxy.report, '');
    assert.equal(proxy.watch.linesSeen, 1040);
    lines[2049] = 'looked at';
    await send(proxy.port, uploadOf(lines.join('\n')));
    assert.match(proxy.report, /line 2050: not JSON/);
});

test('headers pass as they are, the wrong ones too', async (t) => {
    let got;
    const port = await stub(t, (req, res) => {
        got = req.rawHeaders;
        res.writeHead(200, 'Fine', ['X-One', '1', 'x-two', '2', 'X-One', '3', 'Content-Length', '0']);
        res.end();
    });
    const proxy = await proxyTo(t, port);
    const sent = ['Host', 'api.example', 'X-Odd', 'a', 'x-odd', 'b', 'Authorization', 'Bearer k',
        'Connection', 'close'];
    const answer = await new Promise((resolve, reject) => {
        const request = http.request({ port: proxy.port, method: 'GET', path: '/v1/files', headers: sent,
            agent: false }, resolve);
        request.on('error', reject).end();
    });

    answer.resume();
    assert.deepEqual(got, sent);
    assert.equal(answer.statusMessage, 'Fine');
    assert.deepEqual(answer.rawHeaders.slice(0, 8), ['X-One', '1', 'x-two', '2', 'X-One', '3', 'Content-Length', '0']);
});

const MB = 1 << 20;

/* 200 MB of request lines of 8 kB, in chunks that end anywhere, and their hash. */
function* bigFile() {
    const body = jsonl(chatLines(1, () => ({ user: 'x'.repeat(8000) })));
    let left = 200 * MB;
    let rest = '';

    for (let n = 0; left > 0; n++) {
        while (rest.length < 65536 + (n % 13))
            rest += body.replace('row-0', `row-${n}-${rest.length}`);
        const chunk = Buffer.from(rest.slice(0, Math.min(left, 65536 + (n % 13))));
        rest = rest.slice(chunk.length);
        left -= chunk.length;
        yield chunk;
    }
}

function bigForm() {
    return function* () {
        yield Buffer.from(field('purpose', 'batch'));
        yield Buffer.from(field('file', '', 'in.jsonl').slice(0, -2));
        yield* bigFile();
        yield Buffer.from(`\r\n--${B}--\r\n`);
    };
}

async function sendBig(port, headers, pieces) {
    const hash = createHash('sha256');
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/files', agent: false,
        headers: { ...FORM, ...headers } });
    const answered = new Promise((resolve, reject) =>
        request.on('error', reject).on('response', (answer) => answer.resume().on('end', resolve)));

    for (const chunk of pieces()) {
        hash.update(chunk);
        if (!request.write(chunk))
            await new Promise((resolve) => request.once('drain', resolve));
    }
    request.end();
    await answered;
    return hash.digest('hex');
}

test('200 MB pass unchanged, up and down, in little memory', { timeout: 240000 }, async (t) => {
    let got;
    const port = await stub(t, async (req, res) => {
        const hash = createHash('sha256');

        for await (const chunk of req)
            hash.update(chunk);
        got = { hash: hash.digest('hex'), length: req.headers['content-length'], method: req.method };
        if (req.method === 'POST')
            return res.writeHead(200, JSON_TYPE).end(JSON.stringify(FILE));
        res.writeHead(200, octets);
        for (const chunk of bigFile())
            if (!res.write(chunk))
                await new Promise((resolve) => res.once('drain', resolve));
        return res.end();
    });
    const proxy = await serve(t, process.execPath, [path.join(__dirname, 'proxy.js'), `http://127.0.0.1:${port}`]);
    const length = [...bigForm()()].reduce((sum, chunk) => sum + chunk.length, 0);

    const chunked = await sendBig(proxy.port, { 'Transfer-Encoding': 'chunked' }, bigForm());
    assert.equal(got.hash, chunked);
    assert.equal(got.length, undefined);
    const counted = await sendBig(proxy.port, { 'Content-Length': length }, bigForm());
    assert.equal(got.hash, counted);
    assert.equal(got.length, String(length));

    const wanted = createHash('sha256');
    for (const chunk of bigFile())
        wanted.update(chunk);
    const found = createHash('sha256');
    await new Promise((resolve, reject) => http.get({ port: proxy.port, path: content.path, headers: AUTH,
        agent: false }, (answer) => answer.on('data', (chunk) => found.update(chunk)).on('end', resolve)
        .on('error', reject)).on('error', reject));
    assert.equal(found.digest('hex'), wanted.digest('hex'));

    const peak = statusKb(proxy.child.pid, 'VmHWM');
    t.diagnostic(`peak resident ${(peak / 1000).toFixed(0)} MB`);
    assert.ok(peak < 150000, `${peak} kB`);
});

test('a connection that breaks on one side breaks on the other', async (t) => {
    const before = await stub(t, (req) => req.resume().on('end', () => req.socket.destroy()));
    const within = await stub(t, (req, res) => {
        req.resume();
        res.writeHead(200, { ...octets, 'Content-Length': '1000' });
        res.write('x'.repeat(100), () => setTimeout(() => req.socket.destroy(), 50));
    });

    for (const [port, said] of [[before, /no answer/], [within, /answer cut/]]) {
        const proxy = await proxyTo(t, port);
        await assert.rejects(send(proxy.port, get('/v1/files/file-1/content')));
        await until('it is noted', () => said.test(proxy.broken.join()));
        await assert.rejects(send(port, get('/v1/files/file-1/content')), 'as without the proxy');
    }
    const gone = http.createServer();
    await new Promise((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const free = gone.address().port;
    await new Promise((resolve) => gone.close(resolve));
    const proxy = await proxyTo(t, free);
    await assert.rejects(send(proxy.port, uploadOf(oneLine)));
    assert.match(proxy.broken.join(), /ECONNREFUSED/);
});

test('a client that leaves takes its connection to the server along', async (t) => {
    let broken = false;
    const port = await stub(t, (req) => req.resume().on('error', () => (broken = true)));
    const proxy = await proxyTo(t, port);
    const request = http.request({ port: proxy.port, method: 'POST', path: '/v1/files', agent: false,
        headers: { ...FORM, 'Content-Length': 1000000 } }).on('error', () => {});

    request.write(field('purpose', 'batch'));
    await pause(100);
    request.destroy();
    await until('the server sees it', () => broken);
});
