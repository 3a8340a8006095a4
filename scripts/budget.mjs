// What a first visit to the heaviest page costs: every byte that build/keywright sends for it, as it is on the wire.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const BINARY = "build/keywright";
const PAGE = "/settings/api-keys";
const EMAIL = "budget@example.test";
const PASSWORD = "a long phrase only for measuring";
const EVERYTHING_BYTES = 300_000;
const HTML_AND_CSS_BYTES = 40 * 1024;

const folder = mkdtempSync(join(tmpdir(), "keywright-budget-"));
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
let server;
try {
    setUp();
    server = spawn(BINARY, ["serve", "--data", folder, "--listen", `127.0.0.1:${port}`, "--public-origin", origin], {
        stdio: ["ignore", "ignore", "inherit"],
    });
    await ready();
    process.exitCode = report(await firstLoad(await signIn()));
} finally {
    if (server && server.exitCode === null) {
        server.kill();
        await new Promise((done) => server.once("exit", done));
    }
    rmSync(folder, { recursive: true, force: true });
}

function setUp() {
    const words = ["setup", "--data", folder, "--email", EMAIL, "--organisation", "Acme", "--project", "Image API", "--prefix", "acme", "--password-stdin", "--json"];
    const { status, stderr, error } = spawnSync(BINARY, words, { input: PASSWORD, encoding: "utf8" });
    if (status !== 0) throw new Error(`${BINARY} ${words.join(" ")} failed: ${stderr || error}`);
}

async function ready() {
    for (let attempt = 0; attempt < 200; attempt++) {
        if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
        const answer = await send("GET", "/healthz").catch(() => null);
        if (answer?.status === 200) return;
        await pause(50);
    }
    throw new Error("the server did not answer /healthz within ten seconds");
}

// The session's cookie.
async function signIn() {
    const form = new URLSearchParams({ email: EMAIL, password: PASSWORD }).toString();
    const answer = await send("POST", "/sign-in", {
        Origin: origin,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": Buffer.byteLength(form),
    }, form);
    const cookies = answer.headers["set-cookie"] ?? [];
    if (answer.status < 300 || answer.status > 399 || cookies.length === 0) {
        throw new Error(`signing in answered ${answer.status} with ${cookies.length} cookies`);
    }
    return cookies.map((cookie) => cookie.split(";")[0]).join("; ");
}

async function firstLoad(cookie) {
    const page = await get(PAGE, { Cookie: cookie, Accept: "text/html", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate" });
    const paths = [...new Set(page.text.match(/\/pkg\/[A-Za-z0-9._/-]+/g) ?? [])];
    for (const kind of [".css", ".js", ".wasm"]) {
        if (!paths.some((path) => path.endsWith(kind))) throw new Error(`${PAGE} names no ${kind} file under /pkg/`);
    }
    const assets = [];
    for (const path of paths) assets.push(await get(path, { Cookie: cookie }));
    return [page, ...assets];
}

async function get(path, headers) {
    const answer = await send("GET", path, { "Accept-Encoding": "br", ...headers });
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status} ${answer.headers.location ?? ""}`);
    const encoding = answer.headers["content-encoding"] ?? "as it is";
    const plain = { br: brotliDecompressSync, gzip: gunzipSync }[encoding]?.(answer.body) ?? answer.body;
    return { path, encoding, type: answer.headers["content-type"] ?? "", wireBytes: answer.wireBytes, plainBytes: plain.length, text: plain.toString() };
}

// node:http and not fetch: it leaves the body compressed, and lets us set the headers that browsers set.
function send(method, path, headers = {}, body) {
    return new Promise((resolve, reject) => {
        // A connection of its own for each request: what it has read is then exactly this answer.
        const call = request(origin + path, { method, headers, agent: false }, (answer) => {
            const { socket } = answer;
            const chunks = [];
            answer.on("data", (chunk) => chunks.push(chunk));
            answer.on("error", reject);
            answer.on("end", () => resolve({
                status: answer.statusCode,
                headers: answer.headers,
                body: Buffer.concat(chunks),
                wireBytes: socket.bytesRead,
            }));
        });
        call.on("error", reject);
        call.end(body);
    });
}

function report(loads) {
    const total = (list) => list.reduce((sum, { wireBytes }) => sum + wireBytes, 0);
    const htmlAndCss = total(loads.filter(({ type }) => /^text\/(html|css)/.test(type)));
    for (const { path, encoding, plainBytes, wireBytes } of loads) row(path, encoding, plainBytes, wireBytes);
    const within = [
        verdict("everything", total(loads), EVERYTHING_BYTES),
        verdict("HTML and CSS", htmlAndCss, HTML_AND_CSS_BYTES),
    ];
    return within.every(Boolean) ? 0 : 1;
}

function row(path, encoding, plainBytes, wireBytes) {
    console.log(`  ${path.padEnd(44)} ${encoding.padEnd(8)} ${String(plainBytes).padStart(9)} → ${String(wireBytes).padStart(8)} bytes`);
}

function verdict(what, bytes, budget) {
    const within = bytes <= budget;
    console.log(`${what}: ${bytes} of ${budget} bytes${within ? "" : ": over the budget"}`);
    return within;
}

function freePort() {
    return new Promise((resolve) => {
        const probe = createServer().listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}
