'use strict';
/*
 * Looks at what a client and a server say to each other and notes every deviation from the API
 * document (spec.js) and from the format of batch lines (lines.js). No sockets here: bytes come in
 * by chunks and are not kept, but for JSON bodies of up to 32 MiB.
 *
 * A deviation is {side: 'request' | 'answer', call: 'POST /v1/files', status, where, pointer, text}.
 * "where" is path, method, query, header, body, field <name> or line <n>.
 */
const { LineCutter, requestSchema, resultSchema } = require('./lines');
const { Multipart } = require('./multipart');
const { Spec } = require('./spec');

const JSON_MAX = 32 << 20;
const FIELD_MAX = 4096;
const FILE_MAX = 200 << 20;
const REQUESTS_MAX = 50000;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const mediaType = (value) => (value ?? '').split(';')[0].trim().toLowerCase();

/* JSON as it must be: UTF-8 without a byte order mark. */
function parseJson(bytes) {
    return JSON.parse(utf8.decode(bytes));
}

/* A value of a query or a form, which is text, as its schema wants it; undefined if it is no number. */
function fromText(schema, value) {
    if (schema?.type !== 'integer')
        return value;
    return /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Collects the chunks of a small body. */
class Whole {
    constructor() {
        this.chunks = [];
        this.bytes = 0;
    }

    push(chunk) {
        this.bytes += chunk.length;
        if (this.bytes <= JSON_MAX)
            this.chunks.push(Buffer.from(chunk));
    }

    get content() {
        return this.bytes <= JSON_MAX ? Buffer.concat(this.chunks) : undefined;
    }
}

/** The lines of one batch file as they pass. */
class LineWatch {
    constructor(watch, report, kind) {
        this.watch = watch;
        this.report = report;
        this.kind = kind;
        this.ids = new Set();
        this.cutter = new LineCutter(watch.wanted, (bytes, number) => this.look(bytes, number));
        this.bytes = 0;
    }

    push(chunk) {
        this.bytes += chunk.length;
        this.cutter.push(chunk);
    }

    end() {
        this.cutter.end();
    }

    look(bytes, number) {
        const where = `line ${number}`;
        let line;

        this.watch.linesSeen++;
        try {
            line = parseJson(bytes);
        } catch (error) {
            this.report(where, '', `not JSON: ${error.message}`);
            return;
        }
        for (const { pointer, text } of this.watch.spec.problems(this.schema(line), line))
            this.report(where, pointer, text);
        if (typeof line?.custom_id !== 'string')
            return;
        if (this.ids.has(line.custom_id))
            this.report(where, '/custom_id', `"${line.custom_id}" was there before`);
        else if (this.ids.size < REQUESTS_MAX)
            this.ids.add(line.custom_id);
    }

    /* A file that the watch has not seen being made may be an input or a result. */
    schema(line) {
        if (this.kind.role === 'input' || (this.kind.role === undefined && line?.method !== undefined))
            return requestSchema(line?.url);
        return resultSchema(this.kind.endpoint);
    }
}

/** The multipart form of an upload. */
class FormWatch {
    constructor(watch, report, boundary) {
        this.report = report;
        this.fields = {};
        this.lines = new LineWatch(watch, report, { role: 'input' });
        this.part = undefined;
        this.multipart = new Multipart(boundary, {
            part: (part) => this.open(part),
            data: (chunk) => this.take(chunk),
            partEnd: () => this.close(),
            problem: (text) => report('body', '', text),
        });
    }

    open(part) {
        const where = `field ${part.name}`;

        this.part = { name: part.name, filename: part.filename, value: '' };
        if (!part.isFormData || part.name === undefined)
            this.report('body', '', 'a part without a form-data name');
        if (part.name in this.fields)
            this.report(where, '', 'stands twice');
        if (part.name === 'file' && !part.filename)
            this.report(where, '', 'has no file name');
        if (part.name !== 'file' && part.filename !== undefined)
            this.report(where, '', 'has a file name');
    }

    take(chunk) {
        if (this.part.name === 'file')
            this.lines.push(chunk);
        else if (this.part.value.length < FIELD_MAX)
            this.part.value += chunk.toString('utf8');
    }

    close() {
        this.fields[this.part.name] = this.part.name === 'file' ? this.part.filename ?? '' : this.part.value;
        if (this.part.name === 'file')
            this.lines.end();
    }

    push(chunk) {
        this.multipart.push(chunk);
    }

    end(watch, schema) {
        this.multipart.end();
        for (const { pointer, text } of watch.spec.problems(schema, this.fields))
            this.report('body', pointer, text);
        this.checkExpiry();
        if (this.fields.purpose === 'batch')
            this.checkBatchFile();
    }

    /* FileExpirationAfter of the document, in the form's own spelling. */
    checkExpiry() {
        const anchor = this.fields['expires_after[anchor]'];
        const seconds = this.fields['expires_after[seconds]'];

        if ((anchor === undefined) !== (seconds === undefined))
            this.report('field expires_after', '', 'needs both an anchor and seconds');
        if (seconds !== undefined && !(/^\d+$/.test(seconds) && seconds >= 3600 && seconds <= 2592000))
            this.report('field expires_after[seconds]', '', `"${seconds}" is not 3600 to 2592000`);
    }

    /* What the Batch guide says of an input file. */
    checkBatchFile() {
        if (!/\.jsonl$/.test(this.fields.file ?? ''))
            this.report('field file', '', `"${this.fields.file}" does not end in .jsonl`);
        if (this.lines.bytes > FILE_MAX)
            this.report('field file', '', `${this.lines.bytes} bytes are more than 200 MB`);
        if (this.lines.cutter.count > REQUESTS_MAX)
            this.report('field file', '', `${this.lines.cutter.count} lines are more than 50,000`);
        if (this.lines.bytes === 0)
            this.report('field file', '', 'is empty');
    }
}

class RequestWatch {
    constructor(watch, method, url, headers) {
        const at = new URL(url, 'http://host');

        this.watch = watch;
        this.method = method;
        this.headers = headers;
        this.query = at.searchParams;
        this.call = `${method} ${at.pathname}`;
        this.report = (where, pointer, text) =>
            watch.deviations.push({ side: 'request', call: this.call, where, pointer, text });
        this.found = watch.spec.findPath(at.pathname);
        this.operation = this.found?.methods[method.toLowerCase()];
        this.body = new Whole();
        this.checkHead();
    }

    checkHead() {
        if (this.found === undefined)
            return this.report('path', '', 'no such path');
        if (this.operation === undefined)
            return this.report('method', '', 'no such method for this path');
        watchKey(this);
        this.checkQuery();
        this.checkRange();
        if (this.operation.requestBody !== undefined)
            this.checkBodyType();
    }

    checkQuery() {
        const known = new Map((this.operation.parameters ?? []).map((p) => this.watch.spec.resolve(p))
            .filter((p) => p.in === 'query').map((p) => [p.name, p]));

        for (const name of new Set(this.query.keys())) {
            const values = this.query.getAll(name);
            const parameter = known.get(name);

            if (parameter === undefined)
                this.report('query', `/${name}`, 'no such parameter');
            else if (values.length > 1)
                this.report('query', `/${name}`, 'stands twice');
            else
                this.checkParameter(parameter, values[0]);
        }
    }

    checkParameter({ name, schema }, text) {
        const value = fromText(this.watch.spec.resolve(schema), text);
        const range = this.watch.spec.limitRange(this.method, this.found.template);

        if (value === undefined || value === '')
            this.report('query', `/${name}`, `"${text}" cannot be read`);
        else
            for (const problem of this.watch.spec.problems(schema, value))
                this.report('query', `/${name}`, problem.text);
        if (name === 'limit' && range !== undefined && !(value >= range[0] && value <= range[1]))
            this.report('query', '/limit', `must be ${range[0]} to ${range[1]}`);
    }

    /* Not in the document; RFC 9110, 14.2. */
    checkRange() {
        this.range = /^bytes=(\d+)-(\d*)$/.exec(this.headers.range ?? '') ?? undefined;
        if (this.headers.range !== undefined && this.range === undefined)
            this.report('header', '/range', `"${this.headers.range}" is not one range`);
        if (this.range !== undefined && !this.isContent)
            this.report('header', '/range', 'only of the content of a file');
    }

    get isContent() {
        return this.operation?.operationId === 'downloadFile';
    }

    checkBodyType() {
        const type = mediaType(this.headers['content-type']);
        const content = this.operation.requestBody.content[type];

        if (content === undefined)
            return this.report('header', '/content-type', `"${type}" is not what is wanted`);
        this.schema = content.schema;
        if (type !== 'multipart/form-data')
            return undefined;
        const match = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(this.headers['content-type']);
        if (match === null)
            return this.report('header', '/content-type', 'has no boundary');
        this.body = new FormWatch(this.watch, this.report, match[1] ?? match[2]);
        return undefined;
    }

    push(chunk) {
        this.body.push(chunk);
    }

    end() {
        if (this.operation === undefined)
            return;
        if (this.body instanceof FormWatch)
            this.body.end(this.watch, this.schema);
        else if (this.operation.requestBody === undefined && this.body.bytes > 0)
            this.report('body', '', 'there should be none');
        else if (this.schema !== undefined)
            this.checkJson();
    }

    checkJson() {
        try {
            this.json = parseJson(this.body.content);
        } catch (error) {
            this.report('body', '', `not JSON: ${error.message}`);
            return;
        }
        for (const { pointer, text } of this.watch.spec.problems(this.schema, this.json))
            this.report('body', pointer, text);
    }

    /** The watch of the answer to this request. */
    answer(status, headers) {
        return new AnswerWatch(this, status, headers);
    }
}

/* The document's security: one HTTP Bearer scheme for everything. */
function watchKey(request) {
    if (!/^Bearer \S+$/.test(request.headers.authorization ?? ''))
        request.report('header', '/authorization', 'no Bearer key');
}

class AnswerWatch {
    constructor(request, status, headers) {
        this.request = request;
        this.watch = request.watch;
        this.status = status;
        this.headers = headers;
        this.body = new Whole();
        this.report = (where, pointer, text) =>
            this.watch.deviations.push({ side: 'answer', call: request.call, status, where, pointer, text });
        if (request.operation !== undefined)
            this.checkHead();
    }

    get isPart() {
        return this.request.range !== undefined && this.request.isContent;
    }

    checkHead() {
        const { responses } = this.request.operation;
        const known = this.watch.spec.resolve(responses[this.status]);

        if (this.isPart && (this.status === 206 || this.status === 416))
            return this.checkPart(responses[200]);
        if (known === undefined)
            return this.report('status', '', 'the document has no such status here');
        this.checkRetryAfter();
        return this.checkType(known);
    }

    /* RFC 9110, 10.2.3. */
    checkRetryAfter() {
        const value = this.headers['retry-after'];

        if (value !== undefined && !/^\d+$/.test(value) && Number.isNaN(Date.parse(value)))
            this.report('header', '/retry-after', `"${value}" is neither seconds nor a date`);
    }

    /* Parts are not in the document; RFC 9110, 14.4 and 15.3.7. */
    checkPart(whole) {
        const given = this.headers['content-range'] ?? '';
        const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(given);

        if (match === null || (match[1] === undefined) !== (this.status === 416))
            return this.report('header', '/content-range', `"${given}" does not fit ${this.status}`);
        if (this.status === 416)
            return undefined;
        const [first, last, total] = match.slice(1).map(Number);
        const [wanted, upTo] = [Number(this.request.range[1]), this.request.range[2]];
        const most = upTo === '' ? total - 1 : Math.min(Number(upTo), total - 1);
        if (first !== wanted || last !== most)
            this.report('header', '/content-range', `"${given}" is not what was asked for`);
        if (Number(this.headers['content-length'] ?? last - first + 1) !== last - first + 1)
            this.report('header', '/content-length', 'is not that of the range');
        this.part = { first, last, total };
        return this.checkType(whole);
    }

    checkType(known) {
        const type = mediaType(this.headers['content-type']);
        const content = known.content?.[type];

        if (this.headers['content-encoding'] !== undefined)
            return this.report('header', '/content-encoding', 'nobody asked for it');
        if (content === undefined)
            return this.report('header', '/content-type', `"${type}" is not in the document`);
        if (type === 'application/json')
            this.schema = content.schema;
        else
            this.body = new ContentWatch(this);
        return undefined;
    }

    push(chunk) {
        this.body.push(chunk);
    }

    end() {
        if (this.body instanceof ContentWatch)
            this.body.end();
        else if (this.schema !== undefined)
            this.checkJson();
    }

    checkJson() {
        let json;

        try {
            json = parseJson(this.body.content);
        } catch (error) {
            this.report('body', '', `not JSON: ${error.message}`);
            return;
        }
        for (const { pointer, text } of this.watch.spec.problems(this.schema, json))
            this.report('body', pointer, text);
        if (this.status === 200)
            this.learn(json);
    }

    learn(json) {
        if (json?.object === 'list' && 'has_more' in json)
            this.checkList(json);
        else if (json?.object === 'file' && this.request.method === 'POST')
            this.watch.files.set(json.id, { role: 'input' });
        else if (json?.object === 'batch')
            this.checkBatch(json);
        const { params } = this.request.found;
        const asked = params.file_id ?? params.batch_id;
        if (asked !== undefined && json?.id !== decodeURIComponent(asked))
            this.report('body', '/id', `"${json?.id}" is not the one that was asked for`);
    }

    /* What first_id, last_id and limit mean. */
    checkList(json) {
        const data = Array.isArray(json.data) ? json.data : [];
        const limit = Number(this.request.query.get('limit') ?? 10000);

        if (data.length > 0 && (json.first_id !== data[0].id || json.last_id !== data.at(-1).id))
            this.report('body', '', 'first_id or last_id is not that of the data');
        if (data.length > limit)
            this.report('body', '/data', `${data.length} are more than limit ${limit}`);
        if (new Set(data.map((item) => item.id)).size !== data.length)
            this.report('body', '/data', 'an id stands twice');
        if (json.has_more === true && data.length === 0)
            this.report('body', '/has_more', 'but there is nothing to go on from');
        for (const item of data)
            if (item.object === 'batch')
                this.checkBatch(item);
    }

    /* A batch says what its files are, and keeps what it was created with. */
    checkBatch(batch) {
        const { json, found } = this.request;

        for (const id of [batch.output_file_id, batch.error_file_id])
            if (typeof id === 'string')
                this.watch.files.set(id, { role: 'result', endpoint: batch.endpoint });
        if (this.request.method !== 'POST' || found.template !== '/v1/batches')
            return;
        for (const name of ['input_file_id', 'endpoint', 'completion_window'])
            if (json?.[name] !== batch[name])
                this.report('body', `/${name}`, `"${batch[name]}" is not what was ordered`);
        if (JSON.stringify(json?.metadata ?? null) !== JSON.stringify(batch.metadata ?? null))
            this.report('body', '/metadata', 'is not what was ordered');
    }
}

/** The content of a file, all of it or a part. */
class ContentWatch {
    constructor(answer) {
        const id = decodeURIComponent(answer.request.found.params.file_id);
        const kind = answer.watch.files.get(id) ?? {};

        this.lines = new LineWatch(answer.watch, answer.report, kind);
        this.part = answer.part;
        /* a part may begin and end within a line: those two are not looked at */
        this.skipping = this.part !== undefined && this.part.first > 0;
    }

    push(chunk) {
        let from = 0;

        if (this.skipping) {
            const end = chunk.indexOf(10);

            if (end < 0)
                return;
            this.skipping = false;
            from = end + 1;
        }
        this.lines.push(chunk.subarray(from));
    }

    end() {
        if (this.part === undefined || this.part.last === this.part.total - 1)
            this.lines.end();
    }
}

class Watch {
    /** @sample: of a file's lines, the first 1,000 and then every @sample-th are looked at. */
    constructor({ sample = 100 } = {}) {
        this.spec = new Spec();
        this.deviations = [];
        this.files = new Map();
        this.linesSeen = 0;
        this.wanted = (number) => number <= 1000 || number % sample === 0;
    }

    /** The watch of a request; headers are an object with lower-case names. */
    request(method, url, headers) {
        return new RequestWatch(this, method, url, headers);
    }
}

/** A deviation in one line. */
function describe(d) {
    const status = d.status === undefined ? '' : ` ${d.status}`;
    const pointer = d.pointer === '' ? '' : ` ${d.pointer}`;

    return `${d.side} ${d.call}${status}: ${d.where}${pointer}: ${d.text}`;
}

module.exports = { Watch, describe };
