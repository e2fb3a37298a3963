'use strict';
/*
 * A proxy that stands between a client and a server of the Batch API and notes every deviation from
 * the API document (watch.js). Bytes pass as they come, in both directions: what one side sent is what
 * the other gets, and what breaks on one side breaks on the other. Paths that begin with /_sim/ are the
 * simulator's own and pass unseen.
 *
 *     node proxy.js http://127.0.0.1:8080 [--port N] [--sample N]
 *
 * prints "PORT n", then a JSON object a line for each deviation, and when SIGTERM ends it the number of
 * deviations is its exit code (255 at most).
 */
const http = require('node:http');
const { Transform, pipeline } = require('node:stream');
const { Watch, describe } = require('./watch');

/* Names in lower case; a header that stands twice has its values joined. */
function headerObject(raw) {
    const headers = {};

    for (let i = 0; i < raw.length; i += 2) {
        const name = raw[i].toLowerCase();
        headers[name] = headers[name] === undefined ? raw[i + 1] : `${headers[name]}, ${raw[i + 1]}`;
    }
    return headers;
}

/* Lets everything through and shows it to @watch. */
function tap(watch) {
    return new Transform({
        transform(chunk, _, done) {
            watch?.push(chunk);
            done(null, chunk);
        },
        flush(done) {
            watch?.end();
            done();
        },
    });
}

class Proxy {
    /** @target: "http://host:port" of the server. Options are those of Watch. */
    constructor(target, options = {}) {
        this.target = new URL(target);
        this.watch = new Watch(options);
        this.calls = new Map();
        this.broken = [];
        this.server = http.createServer({ requestTimeout: 0 }, (req, res) => this.pass(req, res));
    }

    get deviations() {
        return this.watch.deviations;
    }

    /** The deviations as text, one a line, each once; "" when there are none. */
    get report() {
        const counts = new Map();

        for (const deviation of this.deviations) {
            const text = describe(deviation);
            const kind = text.replace(/(line|file-|batch_)[^\s/:]*( \d+)?/g, '$1');
            const known = counts.get(kind);

            if (known === undefined)
                counts.set(kind, { text, count: 1 });
            else
                known.count++;
        }
        return [...counts.values()].map(({ text, count }) => (count === 1 ? text : `${text} (${count} times)`))
            .join('\n');
    }

    async listen(port = 0) {
        await new Promise((resolve, reject) => {
            this.server.once('error', reject);
            this.server.listen(port, '127.0.0.1', resolve);
        });
        this.port = this.server.address().port;
        this.url = `http://127.0.0.1:${this.port}`;
        return this;
    }

    async close() {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    /* One connection to the server for each request, so that none is reused or sent again. */
    pass(req, res) {
        const request = req.url.startsWith('/_sim/') ? undefined :
            this.watch.request(req.method, req.url, headerObject(req.rawHeaders));
        const call = request === undefined ? 'unseen' :
            `${req.method} ${request.found?.template ?? new URL(req.url, 'http://host').pathname}`;
        const onward = http.request({
            host: this.target.hostname,
            port: this.target.port,
            method: req.method,
            path: req.url,
            headers: req.rawHeaders,
            agent: false,
        });
        const fail = (what, error) => {
            this.broken.push(`${call}: ${what}: ${error.code ?? error.message}`);
            onward.destroy();
            req.socket.destroy();
        };

        this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
        onward.on('error', (error) => fail('no answer', error));
        onward.on('response', (answer) => this.passAnswer(request, answer, res, fail));
        res.on('close', () => res.writableFinished || onward.destroy());
        pipeline(req, tap(request), onward, () => {}); /* errors come by onward's own event */
    }

    passAnswer(request, answer, res, fail) {
        const seen = request?.answer(answer.statusCode, headerObject(answer.rawHeaders));

        res.sendDate = false;
        res.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
        pipeline(answer, tap(seen), res, (error) => error && fail('answer cut', error));
    }
}

async function main(words) {
    const option = (name, preset) => {
        const at = words.indexOf(name);
        return at < 0 ? preset : Number(words[at + 1]);
    };
    const proxy = new Proxy(words[0], { sample: option('--sample', 100) });
    let told = 0;
    const tell = () => {
        for (; told < proxy.deviations.length; told++)
            console.log(JSON.stringify(proxy.deviations[told]));
    };

    await proxy.listen(option('--port', 0));
    console.log(`PORT ${proxy.port}`);
    setInterval(tell, 200);
    process.on('SIGTERM', () => {
        tell();
        process.exit(Math.min(told, 255));
    });
}

if (require.main === module)
    main(process.argv.slice(2));

module.exports = { Proxy };
