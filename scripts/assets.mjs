// assets.mjs PACKAGE STYLE PUBLIC SITE: gathers what browsers load into SITE, under names that carry a hash of the
// content, with compressed copies and a manifest, site.json. The server's build script embeds the manifest's files.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
};

const [packageFolder, styleFolder, publicFolder, site] = process.argv.slice(2);
mkdirSync(site, { recursive: true });

const sources = [
    { logical: "keywright.wasm", content: readFileSync(join(packageFolder, "keywright.wasm")) },
    { logical: "keywright.js", content: glue(join(packageFolder, "keywright.js")) },
    { logical: "keywright.css", content: Buffer.from(styleSheet(styleFolder)) },
    ...filesIn(publicFolder).map((file) => ({
        logical: relative(publicFolder, file).replaceAll("\\", "/"),
        content: readFileSync(file),
    })),
];
const assets = sources.map(asset).sort((a, b) => (a.logical < b.logical ? -1 : 1));
writeWhenNew(join(site, "site.json"), `${JSON.stringify({ assets }, null, 2)}\n`);
removeAllBut(new Set(["site.json", ...assets.flatMap(({ file, br, gz }) => [file, br, gz])]));

for (const { logical, bytes, brBytes } of assets) {
    console.log(`  ${logical.padEnd(24)} ${String(bytes).padStart(9)} bytes ${String(brBytes ?? "–").padStart(8)} brotli`);
}

function asset({ logical, content }) {
    const type = TYPES[extname(logical)];
    if (!type) throw new Error(`${logical}: no media type is known for "${extname(logical)}" (scripts/assets.mjs)`);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const extension = extname(logical);
    const file = `${logical.slice(0, -extension.length).replaceAll("/", "-")}.${hash}${extension}`;
    // The name says the content, so what is there already need not be compressed again.
    writeOnce(file, () => content);
    const br = compressed(`${file}.br`, content, brotli);
    const gz = compressed(`${file}.gz`, content, (bytes) => gzipSync(bytes, { level: 9 }));
    return {
        logical,
        path: `/pkg/${file}`,
        type,
        file,
        br: br && `${file}.br`,
        gz: gz && `${file}.gz`,
        bytes: content.length,
        brBytes: br,
    };
}

// The size of the compressed copy, or null where it would not be smaller; then there is none.
function compressed(name, content, compress) {
    if (!existsSync(join(site, name))) {
        const bytes = compress(content);
        if (bytes.length >= content.length) return null;
        writeOnce(name, () => bytes);
    }
    return readFileSync(join(site, name)).length;
}

function brotli(content) {
    return brotliCompressSync(content, {
        params: {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_LGWIN]: 24,
            [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        },
    });
}

// The page hands the wasm's hashed path to the glue, so the glue is served as it is; but it must stand alone.
function glue(file) {
    const content = readFileSync(file);
    const foreign = content.toString().match(/^import .* from ['"]\.\/.*$/m);
    if (foreign) throw new Error(`${basename(file)} needs another file, which would have no hashed name: ${foreign[0]}`);
    return content;
}

// One style sheet in the order of the file names, which begin with a number for that purpose.
function styleSheet(folder) {
    const files = filesIn(folder).filter((file) => file.endsWith(".css"));
    const number = (file) => Number.parseInt(basename(file), 10) || 0;
    files.sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1));
    // A string is matched first, so that one that looks like a comment survives.
    const stringOrComment = /("(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*')|\/\*[^]*?\*\//g;
    return files
        .map((file) => readFileSync(file, "utf8").replace(stringOrComment, (_, string) => string ?? ""))
        .join("\n")
        .replace(/[ \t]+$/gm, "")
        .replace(/\n{2,}/g, "\n")
        .trimStart();
}

function filesIn(folder) {
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort();
}

function writeOnce(name, content) {
    if (!existsSync(join(site, name))) write(join(site, name), content());
}

// Cargo looks at the manifest's time: an equal one must stay untouched.
function writeWhenNew(path, content) {
    if (!existsSync(path) || readFileSync(path, "utf8") !== content) write(path, content);
}

// Under its own name a file is always whole.
function write(path, content) {
    const unfinished = `${path}.${process.pid}.new`;
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
}

function removeAllBut(names) {
    for (const name of readdirSync(site)) {
        if (!names.has(name)) rmSync(join(site, name), { recursive: true });
    }
}
