// What every journey stands on: a server of its own on a fresh data folder, and a page that tolerates nothing unexpected.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";

import { codeAt } from "./totp.mjs";

export { expect };

const BINARY = process.env.KEYWRIGHT_BINARY || resolve(import.meta.dirname, "../build/keywright");

/** Whoever owns the installation in a journey. */
export const OWNER = { name: "Ada Lovelace", email: "ada@acme.example", password: "four unrelated words here" };
/** Whoever is invited into it. */
export const GRACE = { name: "Grace Hopper", email: "grace@acme.example", password: "velvet otter ladder monsoon" };
export const ALAN = { name: "Alan Turing", email: "alan@acme.example", password: "copper walnut drizzle atlas" };

// Settings of whoever runs the tests must not leak into the server under test.
function environment(more = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("KEYWRIGHT_"));
    return { ...Object.fromEntries(inherited), ...more };
}

/** Runs a command of the binary with `--json` and gives its one object. */
async function command(data, args, { input = "" } = {}) {
    return new Promise((done, fail) => {
        const child = execFile(BINARY, [...args, "--data", data, "--json"], { env: environment({ KEYWRIGHT_LOG: "error" }) }, (error, out, err) => {
            if (error) fail(new Error(`keywright ${args.join(" ")}: ${err || error.message}`));
            else done(JSON.parse(out));
        });
        child.stdin.end(input);
    });
}

async function freePort() {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address();
    probe.close();
    await once(probe, "close");
    return port;
}

/** The data folders that a journey may begin with. */
const BEGINNINGS = {
    // Nothing: the server prints the one-time link.
    fresh: async () => ({}),
    // An owner, an organisation, one project.
    acme: async (data) => {
        const project = ["--organisation", "Acme", "--project", "Image API", "--prefix", "acme"];
        const owner = ["--email", OWNER.email, "--name", OWNER.name, "--password-stdin"];
        const made = await command(data, ["setup", ...owner, ...project], { input: `${OWNER.password}\n` });
        return { ...made, ...OWNER };
    },
    // Keys in every state and 90 days of traffic.
    demo: async (data) => command(data, ["demo"]),
};

/** The mail server of a journey (`mail.mjs`). */
class Mailbox {
    static async start() {
        const mailbox = new Mailbox();
        mailbox.server = spawn(process.execPath, [join(import.meta.dirname, "mail.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
        mailbox.ended = once(mailbox.server, "exit");
        const first = once(createInterface(mailbox.server.stdout), "line").then(([line]) => JSON.parse(line));
        const ports = await Promise.race([first, mailbox.ended.then(() => { throw new Error("the mail server ended"); })]);
        mailbox.address = `http://127.0.0.1:${ports.http}/mails`;
        mailbox.settings = {
            KEYWRIGHT_SMTP_HOST: "127.0.0.1",
            KEYWRIGHT_SMTP_PORT: String(ports.smtp),
            KEYWRIGHT_SMTP_TLS: "none",
            KEYWRIGHT_MAIL_FROM: "Keywright <keys@acme.example>",
        };
        return mailbox;
    }

    /** Every letter to an address, oldest first. */
    async lettersTo(email) {
        const mails = await (await fetch(this.address)).json();
        return mails.filter(({ to }) => to.includes(email));
    }

    /** The newest letter to an address with this subject, once it has come. */
    async letter(email, subject) {
        let found;
        await expect(async () => {
            found = (await this.lettersTo(email)).findLast((mail) => mail.subject === subject);
            expect(found, `a letter to ${email}: ${subject}`).toBeDefined();
        }).toPass({ timeout: 15_000 });
        return found;
    }

    /** The single-use link of such a letter; text and HTML have the same one. */
    async link(email, subject) {
        const { text, html } = await this.letter(email, subject);
        const link = text.match(/http\S+\?token=\S+/)[0];
        expect(html).toContain(link);
        return link;
    }

    async stop() {
        this.server.stdin.end();
        await this.ended;
    }
}

/** A running server. `app.made` is what its beginning gave: credentials, ids. */
class App {
    constructor(data, port, made) {
        Object.assign(this, { data, made, origin: `http://127.0.0.1:${port}`, log: "" });
    }

    static async start(beginning, settings) {
        const data = await mkdtemp(join(tmpdir(), "keywright-journey-"));
        await chmod(data, 0o700);
        const app = new App(data, await freePort(), await BEGINNINGS[beginning](data));
        const address = ["--listen", app.origin.slice("http://".length), "--public-origin", app.origin];
        // Usage is written at once, so that no journey has to wait for it.
        const env = environment({ KEYWRIGHT_USAGE_FLUSH_MS: "50", ...settings });
        app.server = spawn(BINARY, ["serve", "--data", data, ...address], { env, stdio: ["ignore", "pipe", "pipe"] });
        app.ended = once(app.server, "exit");
        app.server.stderr.setEncoding("utf8").on("data", (text) => { app.log += text; });
        const first = once(createInterface(app.server.stdout), "line").then(([line]) => line);
        const line = await Promise.race([first, app.ended.then(() => { throw new Error(`the server ended: ${app.log}`); })]);
        app.setupLink = line.match(/http\S+\/setup\?token=\S+/)?.[0];
        expect(line).toContain(app.origin);
        return app;
    }

    /** A command on this server's data folder, while it runs. */
    async keywright(...args) {
        return command(this.data, args);
    }

    /** Issues a key on the command line. */
    async issue(name, { project = "image-api", environment: of = "live", scope = "read" } = {}) {
        return this.keywright("keys", "issue", "--project", project, "--environment", of, "--name", name, "--scope", scope);
    }

    /** Asks, as a service with a token, whether a key may pass. */
    async verify(token, key, more = {}) {
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", ...more.headers };
        const body = JSON.stringify({ key, ...more.body });
        const answer = await fetch(`${this.origin}/v1/keys/verify`, { method: "POST", headers, body });
        expect(answer.status).toBe(200);
        return answer.json();
    }

    /** The code alone. */
    async code(token, key) {
        return (await this.verify(token, key)).code;
    }

    /** Every byte that lies in the database's folder: the file, its WAL, what else is there. */
    async databaseFiles() {
        const folder = join(this.data, "db");
        const names = await readdir(folder);
        return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
    }

    async stop() {
        this.server.kill("SIGTERM");
        const [status] = await this.ended;
        await rm(this.data, { recursive: true, force: true });
        expect(status, "the server ends by itself").toBe(0);
        expect(this.log, "the server panicked").not.toContain("panicked");
    }
}

/** Watches one page: whatever nobody announced makes the journey fail at its end. */
class Watch {
    constructor(page, origin, runsScript) {
        Object.assign(this, { page, origin, runsScript, found: [], announced: [], dialogs: [] });
        page.on("console", (message) => this.heard(message));
        page.on("pageerror", (error) => this.found.push(`uncaught: ${error.stack ?? error}`));
        page.on("request", (request) => this.asked(request));
        page.on("requestfailed", (request) => this.failed(request));
        page.on("response", (response) => this.answered(response));
        page.on("dialog", async (dialog) => {
            this.dialogs.push(dialog.type());
            await dialog.accept().catch(() => {});
        });
    }

    /** From now on an answer of this status is part of the journey. */
    expects(status) {
        this.announced.push(status);
    }

    heard(message) {
        const text = message.text();
        const status = text.match(/the server responded with a status of (\d+)/)?.[1];
        if (status && this.announced.includes(Number(status))) return;
        // Only the module that is switched off would have used it.
        if (!this.runsScript && text.includes("was preloaded using link preload but not used")) return;
        const isAboutPolicy = /Refused to |violates the following Content Security Policy/i.test(text);
        if (message.type() === "error" || message.type() === "warning" || isAboutPolicy) {
            this.found.push(`console ${message.type()}: ${text} (${message.location().url})`);
        }
    }

    asked(request) {
        const { protocol, origin } = new URL(request.url());
        if (origin !== this.origin && !["data:", "blob:", "about:"].includes(protocol)) {
            this.found.push(`asked another origin: ${request.url()}`);
        }
    }

    failed(request) {
        // A page that is left, and a download, end requests that are under way.
        const reason = request.failure()?.errorText;
        // Chromium calls it "csp" when scripts are switched off and a preloaded one is not fetched.
        const isSwitchedOff = reason === "csp" && !this.runsScript && request.resourceType() === "script";
        if (reason !== "net::ERR_ABORTED" && !isSwitchedOff) this.found.push(`${reason}: ${request.method()} ${request.url()}`);
    }

    answered(response) {
        const status = response.status();
        if (status >= 400 && !this.announced.includes(status)) {
            this.found.push(`${status}: ${response.request().method()} ${response.url()}`);
        }
    }
}

export const test = base.extend({
    /** What the data folder holds at the start: `fresh`, `acme` or `demo`. */
    beginning: ["acme", { option: true }],
    /** More environment variables of the server. */
    settings: [{}, { option: true }],
    /** Whether the server has a mail server to send by. */
    sendsMail: [false, { option: true }],

    mailbox: async ({ sendsMail }, use) => {
        const mailbox = sendsMail ? await Mailbox.start() : null;
        await use(mailbox);
        await mailbox?.stop();
    },

    app: async ({ beginning, settings, mailbox }, use, info) => {
        const app = await App.start(beginning, { ...mailbox?.settings, ...settings });
        await use(app);
        if (info.status !== info.expectedStatus) await info.attach("server log", { body: app.log, contentType: "text/plain" });
        await app.stop();
    },

    // Long before the test's own limit, so that it says which step it was.
    actionTimeout: 10_000,
    navigationTimeout: 15_000,

    baseURL: async ({ app }, use) => use(app.origin),

    watch: async ({ app, page, javaScriptEnabled }, use) => {
        const watch = new Watch(page, app.origin, javaScriptEnabled !== false);
        await use(watch);
        expect(watch.found, "what nobody announced").toEqual([]);
    },

    context: async ({ context, javaScriptEnabled }, use) => {
        await hearsViolations(context, javaScriptEnabled);
        await use(context);
    },

    /** Makes somebody else, before a browser of their own that is watched as closely. */
    another: async ({ app, browser, javaScriptEnabled }, use) => {
        const others = [];
        await use(async () => {
            const context = await browser.newContext({ baseURL: app.origin, javaScriptEnabled });
            await hearsViolations(context, javaScriptEnabled);
            const page = await context.newPage();
            const watch = new Watch(page, app.origin, javaScriptEnabled !== false);
            others.push({ context, watch });
            return person({ app, page, watch, javaScriptEnabled });
        });
        for (const { context } of others) await context.close();
        expect(others.flatMap(({ watch }) => watch.found), "what nobody announced").toEqual([]);
    },
});

// Listens on every document from its first moment; without JavaScript the console alone tells.
async function hearsViolations(context, javaScriptEnabled) {
    if (javaScriptEnabled === false) return;
    await context.exposeBinding("reportViolation", ({ page }, text) => page.emit("console", violation(text)));
    await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) => {
            globalThis.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
        });
    });
}

function violation(text) {
    const words = `violates the following Content Security Policy directive: ${text}`;
    return { text: () => words, type: () => "error", location: () => ({ url: "" }) };
}

/** The page with its watch and its manners: every journey begins with it. */
export function person({ app, page, watch, javaScriptEnabled }) {
    return new Person(app, page, watch, javaScriptEnabled !== false);
}

/** Somebody before a browser. Each step ends when the page that it leads to is ready. */
class Person {
    constructor(app, page, watch, hydrates) {
        Object.assign(this, { app, page, watch, hydrates });
    }

    /** Ready means: whole, and where it hydrates, hydrated. */
    async settled() {
        await this.page.waitForLoadState("load");
        if (this.hydrates && await this.page.locator("script[type=module]").count() > 0) {
            await expect(this.page.locator("html")).toHaveAttribute("data-hydrated", "");
        }
    }

    /** The page has this heading, is ready, and axe finds nothing wrong with it. */
    async sees(heading) {
        await expect(this.page.getByRole("heading", { level: 1 })).toHaveText(heading);
        await this.settled();
        await this.axe();
    }

    async axe() {
        // axe works by script in the page: without JavaScript it would wait for ever.
        if (!this.hydrates) return;
        const { violations } = await new AxeBuilder({ page: this.page }).analyze();
        const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join("\n  ")}`);
        expect(told, `axe on ${this.page.url()}`).toEqual([]);
    }

    /** Opens an address; `heading` says what must be there. */
    async opens(address, heading) {
        const answer = await this.page.goto(address);
        await this.sees(heading);
        return answer;
    }

    /** Presses something that sends a form or loads a document, and gives the answer it ends at. */
    async sends(control) {
        const timeout = 15_000;
        const isAnswer = (response) => response.request().isNavigationRequest() && ![302, 303].includes(response.status());
        const [answer] = await Promise.all([this.page.waitForResponse(isAnswer, { timeout }), this.page.waitForEvent("load", { timeout }), control.click()]);
        await this.settled();
        return answer;
    }

    button(name) {
        return this.page.getByRole("button", { name, exact: true });
    }

    /** The button of the key form; with a script it names the environment. */
    submit(environment = "Live") {
        return this.button(this.hydrates ? `Create ${environment.toLowerCase()} key` : "Create key");
    }

    link(name) {
        return this.page.getByRole("link", { name, exact: true });
    }

    field(label) {
        return this.page.getByLabel(label);
    }

    /** An entry of the sidebar. */
    async goes(entry, heading = entry) {
        await this.sends(this.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: entry }));
        await this.sees(heading);
    }

    /** Fills and sends the form of the sign-in page, wherever that leads. */
    async givesThePassword({ email = this.app.made.email, password = this.app.made.password } = {}) {
        await this.field("E-mail").fill(email);
        await this.field("Password").fill(password);
        return this.sends(this.button("Sign in"));
    }

    async signsIn(who) {
        await this.page.goto("/sign-in");
        await this.settled();
        await this.givesThePassword(who);
        await expect(this.page.getByRole("heading", { level: 1 })).toHaveText("API keys");
    }

    /** Switches an authenticator app on and gives its secret. */
    async setsUpTwoFactor(password = this.app.made.password) {
        await this.opens("/account/two-factor", "Two-factor authentication");
        await this.field("Your password").fill(password);
        await this.sends(this.button("Set up an app"));
        await this.sees("Set up your authenticator app");
        const secret = await this.page.locator("#secret").innerText();
        await this.page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now()));
        await this.sends(this.button("Switch on"));
        await this.sees("Two-factor is on. Save your recovery codes now");
        await this.sends(this.button("I have stored them"));
        await this.sees("Two-factor authentication");
        return secret;
    }

    /** Fills the form of an invitation and sends it, wherever that leads. */
    async asksToInvite(email, role) {
        await this.opens("/settings/members/invite", "Invite a member");
        await this.field("E-mail address").fill(email);
        await this.page.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
        return this.sends(this.button("Invite"));
    }

    /** Invites an address and gives the link. */
    async invites(email, role = "Developer") {
        await this.asksToInvite(email, role);
        await this.sees(`Invitation for ${email}`);
        return this.page.locator("#secret").innerText();
    }

    /** Makes an account by the link of an invitation, and is signed in with it. */
    async joins(link, { name, password }) {
        await this.opens(link, "Invitation");
        await this.field("Your name").fill(name);
        await this.page.getByLabel("Password", { exact: true }).fill(password);
        await this.sends(this.button("Create account and join"));
        await this.sees("API keys");
    }

    /** Opens one of the two menus of the sidebar. */
    async opensAccountMenu() {
        await this.page.locator(".account > summary").click();
    }

    async signsOut() {
        await this.opensAccountMenu();
        await this.sends(this.button("Sign out"));
    }

    /** Creates a key by the form and stays on the page that shows its secret, which it gives. */
    async createsKey(name, { scope = "read", environment: of = "Live" } = {}) {
        await this.page.goto("/settings/api-keys/new");
        await this.settled();
        await this.page.getByRole("radio", { name: new RegExp(`^${of}`) }).check();
        await this.field("Name").fill(name);
        await this.page.getByRole("checkbox", { name: scope }).first().check();
        await this.sends(this.submit(of));
        return this.readsSecret();
    }

    async readsSecret() {
        await this.sees("Save this secret now");
        return this.page.locator("#secret").innerText();
    }
}

/** A date as pages write it: `19 February 2027`, UTC. */
export function inWords(moment) {
    const parts = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    return parts.format(moment);
}

export const DAY_MS = 86_400_000;

/** What a shell makes of a command line, without running it: its arguments after expansion. */
export async function argumentsOf(line, variables) {
    const script = `curl() { printf '%s\\0' "$@"; }\n${line}\n`;
    return new Promise((done, fail) => {
        const env = { PATH: process.env.PATH, ...variables };
        execFile("bash", ["-euc", script], { env }, (error, out) => (error ? fail(error) : done(out.split("\0").slice(0, -1))));
    });
}

/** Sends what a `curl -sS URL -H … -d …` line would send. */
export async function runsCurl(line, variables) {
    const words = await argumentsOf(line, variables);
    const after = (option) => words.flatMap((word, index) => (word === option ? [words[index + 1]] : []));
    const headers = Object.fromEntries(after("-H").map((header) => header.split(/:\s*/, 2)));
    const url = words.find((word) => word.startsWith("http"));
    return fetch(url, { method: "POST", headers, body: after("-d")[0] });
}
