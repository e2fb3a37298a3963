'use strict';
/*
 * The API document: which operations there are, and what their requests and answers look like.
 *
 * openai-batch-spec.json is OpenAI's own OpenAPI 3.1 document, cut to the paths of files and batches
 * (README.md says from where). Its schemas are JSON Schema 2020-12 and are compiled as they stand, but
 * for one thing: those of files and batches are closed here. The document lets any object have more
 * members; ours must have no member that the document doesn't know.
 */
const fs = require('node:fs');
const path = require('node:path');
const Ajv = require('ajv/dist/2020');
const addFormats = require('ajv-formats');

const DOCUMENT = path.join(__dirname, 'openai-batch-spec.json');
const BASE = 'https://document/openai';
const CLOSED = ['Batch', 'BatchRequestCounts', 'BatchError', 'BatchFileExpirationAfter', 'CreateBatchRequest',
    'DeleteFileResponse', 'Error', 'ErrorResponse', 'FileExpirationAfter', 'ListBatchesResponse',
    'ListFilesResponse', 'OpenAIFile'];

/* Every object in @schema that lists its members gets no others. */
function close(schema) {
    if (Array.isArray(schema))
        return schema.map(close);
    if (schema === null || typeof schema !== 'object')
        return schema;
    const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
    if (schema.properties !== undefined && typeof schema.properties === 'object' &&
        closed.additionalProperties === undefined)
        closed.additionalProperties = false;
    return closed;
}

function loadDocument() {
    const document = JSON.parse(fs.readFileSync(DOCUMENT, 'utf8'));

    for (const name of CLOSED)
        document.components.schemas[name] = close(document.components.schemas[name]);
    return document;
}

/* What the descriptions of the document say, and its schemas do not. */
const PROSE = {
    Metadata: {
        anyOf: [
            {
                type: 'object',
                maxProperties: 16,
                propertyNames: { maxLength: 64 },
                additionalProperties: { type: 'string', maxLength: 512 },
            },
            { type: 'null' },
        ],
    },
    limits: { 'GET /v1/batches': [1, 100], 'GET /v1/files': [1, 10000] },
};

/* The one call of ours that is not among the paths the document was cut to; as the API reference has it. */
const MODELS = {
    get: {
        operationId: 'listModels',
        responses: {
            200: {
                content: {
                    'application/json': {
                        schema: {
                            type: 'object',
                            required: ['object', 'data'],
                            properties: {
                                object: { const: 'list' },
                                data: {
                                    type: 'array',
                                    items: {
                                        type: 'object',
                                        required: ['id', 'object', 'created', 'owned_by'],
                                        properties: {
                                            id: { type: 'string' },
                                            object: { const: 'model' },
                                            created: { type: 'integer', format: 'unixtime' },
                                            owned_by: { type: 'string' },
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
            401: { content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } } } },
        },
    },
};

/* "anyOf" and its branches complain together; the deepest complaint says most. */
function explain(errors) {
    const texts = errors.map((error) => ({
        pointer: error.instancePath,
        text: error.message + (error.params.additionalProperty === undefined ? '' :
            `: ${error.params.additionalProperty}`) +
            (error.params.allowedValues === undefined ? '' : `: ${error.params.allowedValues.join(', ')}`),
    }));
    const seen = new Set();

    return texts.filter(({ pointer, text }) => !seen.has(pointer + text) && seen.add(pointer + text))
        .slice(0, 8);
}

/* "/v1/files/{file_id}" as a pattern and the names in it. */
function compilePath(template) {
    const names = [];
    const pattern = template.replace(/\{([^}]+)\}/g, (_, name) => {
        names.push(name);
        return '([^/]+)';
    });

    return { pattern: new RegExp(`^${pattern}$`), names };
}

class Spec {
    constructor() {
        this.document = loadDocument();
        this.document.components.schemas.Metadata = PROSE.Metadata;
        this.document.paths['/v1/models'] = MODELS;
        this.ajv = new Ajv({ strict: false, allErrors: true });
        addFormats(this.ajv);
        /* seconds, not milliseconds: before the year 5000 */
        this.ajv.addFormat('unixtime', {
            type: 'number',
            validate: (value) => Number.isInteger(value) && value > 0 && value < 1e11,
        });
        this.ajv.addSchema(this.document, BASE);
        this.compiled = new Map();
        this.paths = Object.entries(this.document.paths).map(([template, methods]) =>
            ({ template, methods, ...compilePath(template) }));
    }

    resolve(thing) {
        if (thing === undefined || thing.$ref === undefined)
            return thing;
        return thing.$ref.slice(2).split('/').reduce((at, key) => at[key], this.document);
    }

    /** {template, methods, params} of a path; undefined if the document has no such path. */
    findPath(pathname) {
        for (const entry of this.paths) {
            const match = entry.pattern.exec(pathname);

            if (match !== null)
                return {
                    template: entry.template,
                    methods: entry.methods,
                    params: Object.fromEntries(entry.names.map((name, i) => [name, match[i + 1]])),
                };
        }
        return undefined;
    }

    /** [lowest, highest] value of an operation's "limit", as its description says; or undefined. */
    limitRange(method, template) {
        return PROSE.limits[`${method} ${template}`];
    }

    /**
     * What is wrong with @value by @schema (a schema of the document, or ours, which refers to the
     * document's as "spec:Name"): a list of {pointer, text}, empty if nothing is.
     */
    problems(schema, value) {
        let validate = this.compiled.get(schema);

        if (validate === undefined) {
            const text = JSON.stringify(schema)
                .replaceAll('"spec:', `"${BASE}#/components/schemas/`)
                .replaceAll('"#/components', `"${BASE}#/components`);
            validate = this.ajv.compile(JSON.parse(text));
            this.compiled.set(schema, validate);
        }
        return validate(value) ? [] : explain(validate.errors);
    }
}

module.exports = { Spec };
