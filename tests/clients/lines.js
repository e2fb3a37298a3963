'use strict';
/*
 * The lines of batch files. The API document has no schemas for them since June 2025 (it had
 * BatchRequestInput and BatchRequestOutput before), so these are ours, of what OpenAI's Batch guide
 * says and shows. The bodies inside are of the document where it has them.
 */

const text = { type: 'string', minLength: 1 };
const count = { type: 'integer', minimum: 0 };
const strings = { type: 'array', items: { type: 'string' }, minItems: 1 };

/* Request bodies by endpoint. */
const REQUEST_BODIES = {
    '/v1/chat/completions': { $ref: 'spec:CreateChatCompletionRequest' },
    '/v1/embeddings': {
        type: 'object', required: ['model', 'input'],
        properties: { model: text, input: { anyOf: [text, strings, { type: 'array', items: count }] } },
    },
    '/v1/responses': {
        type: 'object', required: ['model', 'input'],
        properties: { model: text, input: { type: ['string', 'array'] }, stream: { const: false } },
    },
    '/v1/completions': {
        type: 'object', required: ['model', 'prompt'],
        properties: { model: text, prompt: { type: ['string', 'array'] }, stream: { const: false } },
    },
    '/v1/moderations': {
        type: 'object', required: ['input'],
        properties: { model: text, input: { type: ['string', 'array'] } },
    },
};

/* Bodies of answers with status 200 by endpoint. */
const ANSWER_BODIES = {
    '/v1/chat/completions': { $ref: 'spec:CreateChatCompletionResponse' },
    '/v1/embeddings': {
        type: 'object', required: ['object', 'data', 'model', 'usage'],
        properties: {
            object: { const: 'list' },
            model: text,
            data: {
                type: 'array', minItems: 1,
                items: {
                    type: 'object', required: ['object', 'index', 'embedding'],
                    properties: {
                        object: { const: 'embedding' },
                        index: count,
                        embedding: { type: ['array', 'string'], items: { type: 'number' } },
                    },
                },
            },
            usage: {
                type: 'object', required: ['prompt_tokens', 'total_tokens'],
                properties: { prompt_tokens: count, total_tokens: count },
            },
        },
    },
    '/v1/responses': {
        type: 'object', required: ['id', 'object', 'created_at', 'status', 'model', 'output'],
        properties: {
            id: text,
            object: { const: 'response' },
            created_at: { type: 'number', format: 'unixtime' },
            status: { enum: ['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete'] },
            model: text,
            output: {
                type: 'array',
                items: { type: 'object', required: ['type'], properties: { type: text } },
            },
            usage: {
                type: 'object', required: ['input_tokens', 'output_tokens', 'total_tokens'],
                properties: { input_tokens: count, output_tokens: count, total_tokens: count },
            },
        },
    },
    '/v1/completions': {
        type: 'object', required: ['id', 'object', 'created', 'model', 'choices'],
        properties: {
            id: text,
            object: { const: 'text_completion' },
            created: { type: 'number', format: 'unixtime' },
            model: text,
            choices: {
                type: 'array', minItems: 1,
                items: {
                    type: 'object', required: ['text', 'index', 'finish_reason'],
                    properties: {
                        text: { type: 'string' },
                        index: count,
                        finish_reason: { enum: ['stop', 'length', 'content_filter'] },
                    },
                },
            },
        },
    },
    '/v1/moderations': {
        type: 'object', required: ['id', 'model', 'results'],
        properties: {
            id: text,
            model: text,
            results: {
                type: 'array', minItems: 1,
                items: { type: 'object', required: ['flagged'], properties: { flagged: { type: 'boolean' } } },
            },
        },
    },
};

function requestLine(url) {
    return {
        type: 'object',
        required: ['custom_id', 'method', 'url', 'body'],
        additionalProperties: false,
        properties: {
            custom_id: text,
            method: { const: 'POST' },
            url: { enum: Object.keys(REQUEST_BODIES) },
            body: REQUEST_BODIES[url] ?? { type: 'object' },
        },
    };
}

function responseOf(endpoint) {
    return {
        type: 'object',
        required: ['status_code', 'request_id', 'body'],
        additionalProperties: false,
        properties: {
            status_code: { type: 'integer', minimum: 200, maximum: 599 },
            request_id: text,
            body: { type: 'object' },
        },
        if: { properties: { status_code: { const: 200 } } },
        then: { properties: { body: ANSWER_BODIES[endpoint] ?? {} } },
        else: { properties: { body: { $ref: 'spec:ErrorResponse' } } },
    };
}

const lineError = {
    type: 'object', required: ['code', 'message'], additionalProperties: false,
    properties: { code: text, message: { type: 'string' } },
};

/* A line has an answer or says why there is none. */
function resultLine(endpoint) {
    return {
        type: 'object',
        required: ['id', 'custom_id', 'response', 'error'],
        additionalProperties: false,
        properties: { id: text, custom_id: text, response: {}, error: {} },
        if: { properties: { response: { type: 'null' } } },
        then: { properties: { error: lineError } },
        else: { properties: { response: responseOf(endpoint), error: { type: 'null' } } },
    };
}

const memo = new Map();

function once(kind, make, key) {
    const name = `${kind} ${key}`;

    if (!memo.has(name))
        memo.set(name, make(key));
    return memo.get(name);
}

/** The schema of a line of an input file, by the line's own url. */
const requestSchema = (url) => once('request', requestLine, url in REQUEST_BODIES ? url : '');

/** The schema of a line of an output or error file of a batch of this endpoint. */
const resultSchema = (endpoint) => once('result', resultLine, endpoint in ANSWER_BODIES ? endpoint : '');

const NEWLINE = 10;
const LINE_MAX = 16 << 20;

/**
 * Cuts chunks into lines without keeping more than one of them. @wanted(number) says which lines are
 * wanted, @take(bytes, number) gets them, without their newline. What follows the last newline is a
 * line too, unless it is empty. Lines over 16 MiB are counted only.
 */
class LineCutter {
    constructor(wanted, take) {
        this.wanted = wanted;
        this.take = take;
        this.number = 1;
        this.kept = [];
        this.bytes = 0;
    }

    keep(piece) {
        this.bytes += piece.length;
        if (this.bytes <= LINE_MAX && this.wanted(this.number))
            this.kept.push(piece);
        else
            this.kept.length = 0;
    }

    finish() {
        if (this.bytes <= LINE_MAX && this.wanted(this.number))
            this.take(this.kept.length === 1 ? this.kept[0] : Buffer.concat(this.kept), this.number);
        this.kept.length = 0;
        this.bytes = 0;
        this.number++;
    }

    push(chunk) {
        let from = 0;

        for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
            this.keep(chunk.subarray(from, at));
            this.finish();
            from = at + 1;
        }
        if (from < chunk.length)
            this.keep(Buffer.from(chunk.subarray(from))); /* the chunk may be reused */
    }

    end() {
        if (this.bytes > 0)
            this.finish();
    }

    /** Complete lines so far. */
    get count() {
        return this.number - 1;
    }
}

module.exports = { LineCutter, requestSchema, resultSchema };
