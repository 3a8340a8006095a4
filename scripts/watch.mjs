// watch.mjs COMMAND...: builds, runs COMMAND, and does both again whenever a source changes. For development.
import { spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { once } from "node:events";

const SOURCES = ["src", "style", "public", "migrations", "Cargo.toml", "build.rs"];
// Editors write a file in several steps; a version-control checkout writes hundreds.
const SETTLE_MS = 200;

const [command, ...words] = process.argv.slice(2);
let server = null;
let working = false;
let changed = false;
let timer;

for (const source of SOURCES.filter(existsSync)) {
    watch(source, { recursive: true }, () => {
        clearTimeout(timer);
        timer = setTimeout(rebuild, SETTLE_MS);
    });
}
for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, async () => {
        await stop();
        process.exit(0);
    });
}
await rebuild();

// A change during a build asks for one more build, however many there were.
async function rebuild() {
    changed = true;
    if (working) return;
    working = true;
    while (changed) {
        changed = false;
        if (await build()) {
            await stop();
            start();
        } else {
            console.log("» the build failed; the server is as it was");
        }
    }
    working = false;
}

async function build() {
    const [status] = await once(spawn("scripts/build.sh", { stdio: "inherit" }), "exit");
    return status === 0;
}

function start() {
    server = spawn(command, words, { stdio: "inherit", env: { ...process.env, KEYWRIGHT_DEVELOPMENT: "true" } });
}

async function stop() {
    if (!server) return;
    const ending = server;
    server = null;
    if (ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill("SIGTERM");
    await once(ending, "exit");
}
