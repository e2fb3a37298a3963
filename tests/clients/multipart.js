'use strict';
/* A streaming reader of multipart/form-data (RFC 7578) that sees each byte once and keeps none. */

const HEADERS_MAX = 16384;
const HEADERS_END = Buffer.from('\r\n\r\n');

/* name="x" and filename="y" of a Content-Disposition; undefined where there is none. */
function disposition(value) {
    const parameter = (name) => {
        const match = new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(value);
        return match === null ? undefined : match[1];
    };

    return {
        isFormData: /^form-data\s*(;|$)/i.test(value),
        name: parameter('name'),
        filename: parameter('filename'),
    };
}

function parseHeaders(bytes) {
    const headers = {};

    for (const line of bytes.toString('latin1').split('\r\n')) {
        const colon = line.indexOf(':');

        if (colon > 0)
            headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    return headers;
}

/**
 * @on.part({isFormData, name, filename, type}) starts a part, @on.data(chunk) gives its bytes,
 * @on.partEnd() ends it, @on.problem(text) says that this is no multipart body; nothing follows it.
 */
class Multipart {
    constructor(boundary, on) {
        this.on = on;
        this.delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
        this.rest = Buffer.from('\r\n'); /* the first boundary may stand at the very start */
        this.state = this.preamble;
    }

    push(chunk) {
        this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
        while (this.state !== null && this.state())
            continue;
    }

    end() {
        if (this.state !== null && this.state !== this.epilogue)
            this.fail('the body ends before the closing boundary');
    }

    fail(text) {
        this.state = null;
        this.rest = Buffer.alloc(0);
        this.on.problem(text);
    }

    /* Each state returns whether it got any further. */

    preamble() {
        const at = this.rest.indexOf(this.delimiter);

        if (at > 0)
            this.fail('bytes before the first boundary');
        else if (at === 0)
            return this.goto(this.afterBoundary, this.delimiter.length);
        else if (this.rest.length > this.delimiter.length)
            this.fail('the body does not start with the boundary of its Content-Type');
        return false;
    }

    goto(state, consumed) {
        this.rest = this.rest.subarray(consumed);
        this.state = state;
        return true;
    }

    afterBoundary() {
        if (this.rest.length < 2)
            return false;
        const two = this.rest.toString('latin1', 0, 2);
        if (two === '--')
            return this.goto(this.epilogue, 2);
        if (two === '\r\n')
            return this.goto(this.headers, 2);
        this.fail('neither a line end nor "--" after a boundary');
        return false;
    }

    headers() {
        const at = this.rest.indexOf(HEADERS_END);

        if (at < 0) {
            if (this.rest.length > HEADERS_MAX)
                this.fail('headers of a part without an end');
            return false;
        }
        const headers = parseHeaders(this.rest.subarray(0, at));
        this.on.part({ ...disposition(headers['content-disposition'] ?? ''), type: headers['content-type'] });
        return this.goto(this.body, at + HEADERS_END.length);
    }

    body() {
        const at = this.rest.indexOf(this.delimiter);

        if (at >= 0) {
            if (at > 0)
                this.on.data(this.rest.subarray(0, at));
            this.on.partEnd();
            return this.goto(this.afterBoundary, at + this.delimiter.length);
        }
        const sure = this.rest.length - (this.delimiter.length - 1);
        if (sure > 0) {
            this.on.data(this.rest.subarray(0, sure));
            this.rest = Buffer.from(this.rest.subarray(sure));
        }
        return false;
    }

    epilogue() {
        const text = this.rest.toString('latin1');

        this.rest = Buffer.alloc(0);
        if (/[^\s]/.test(text))
            this.on.problem('bytes after the closing boundary');
        return false;
    }
}

module.exports = { Multipart };
