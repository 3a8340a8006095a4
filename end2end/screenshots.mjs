// Photographs every page, wide and narrow, light and dark, into docs/screenshots. The server at STAGE_ORIGIN must hold the
// demonstration with a fixed clock and seeded chance, or nothing stays equal. SETUP_LINK, the one-time link of a
// second server that is not set up, adds the pages of the first run.
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { chromium } from "playwright-core";

import { codeAt } from "./totp.mjs";

const { STAGE_ORIGIN, SETUP_LINK, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!STAGE_ORIGIN) throw new Error("STAGE_ORIGIN names the server to photograph");

const FOLDER = resolve(import.meta.dirname, "../docs/screenshots");
/** Where the stage’s clock stands. */
const STAGE_NOW = 1_795_255_200_000;
const WIDTHS = { wide: { width: 1280, height: 900 }, narrow: { width: 360, height: 780 } };
const SCHEMES = ["light", "dark"];
/** Two guises show what a page that stands beside another one looks like. */
const GUISES = { all: ["wide-light", "wide-dark", "narrow-light", "narrow-dark"], some: ["wide-light", "narrow-dark"] };
const MOST_BYTES = 20_000_000;
const ADA = { email: "ada@acme.example", password: "demonstration only, ada" };

// Published vectors stand where a secret was: chance gives another one as soon as the server is asked in another order.
const SAMPLES = [
    [/\b(\w+_(?:live|test))_[0-9A-Za-z]{50}/g, "$1_0123456789AB0123456789abcdefghijklmnopqrstuv3ndZub"],
    [/\b(kwi|kwr|kwc)_[0-9A-Za-z]{50}/g, "$1_0123456789AB0123456789abcdefghijklmnopqrstuv0000000"],
    [/\bkwt_[0-9A-Za-z]{50}/g, "kwt_0123456789AB0123456789abcdefghijklmnopqrstuv0000000"],
    [/\breq_[0-9A-Za-z]{20}/g, "req_0123456789abcdefghij"],
];

const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Without a display every machine draws text the same way only in software and without hinting.
    args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none", "--force-color-profile=srgb"],
});
const taken = new Map();

try {
    await photographTheStage();
    if (SETUP_LINK) await photographTheFirstRun();
} finally {
    await browser.close();
}
await clearAway();
await keep();

async function newPage(origin) {
    const context = await browser.newContext({ baseURL: origin, deviceScaleFactor: 1, reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC" });
    const page = await context.newPage();
    page.on("dialog", (dialog) => dialog.accept());
    return page;
}

async function ready(page) {
    await page.waitForLoadState("networkidle");
    if (await page.locator("script[type=module]").count() > 0) await page.locator("html[data-hydrated]").waitFor();
    await page.evaluate(() => document.fonts.ready);
}

async function opens(page, address) {
    await page.goto(address);
    await ready(page);
}

/** Presses what loads another document. */
async function presses(page, control) {
    await Promise.all([page.waitForEvent("load"), control.click()]);
    await ready(page);
}

/** One page in its guises; the same document, so that nothing else can differ. */
async function photograph(page, name, guises = GUISES.all) {
    await page.evaluate((samples) => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (const [pattern, sample] of samples) node.data = node.data.replace(new RegExp(pattern, "g"), sample);
        }
        document.activeElement?.blur();
    }, SAMPLES.map(([pattern, sample]) => [pattern.source, sample]));
    for (const [width, viewport] of Object.entries(WIDTHS)) {
        for (const colorScheme of SCHEMES) {
            if (!guises.includes(`${width}-${colorScheme}`)) continue;
            await page.setViewportSize(viewport);
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
            await page.evaluate(() => scrollTo(0, 0));
            const options = { animations: "disabled", caret: "hide", scale: "css" };
            taken.set(`${name}-${width}-${colorScheme}.png`, await page.screenshot(options));
        }
    }
}

/** Reads first, acts last: no picture depends on what another one needed. */
async function photographTheStage() {
    const page = await newPage(STAGE_ORIGIN);
    await opens(page, "/sign-in");
    await photograph(page, "sign-in");
    await page.getByLabel("E-mail").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await presses(page, page.getByRole("button", { name: "Sign in", exact: true }));
    await photograph(page, "api-keys");

    const address = async (name) => page.getByRole("link", { name, exact: true }).getAttribute("href");
    const keys = {
        active: await address("Production server"),
        "not-confirmed": await address("Ledger export"),
    };
    await opens(page, "/settings/api-keys?status=revoked");
    await photograph(page, "api-keys-revoked", GUISES.some);
    keys.revoked = await address("Partner preview");
    await opens(page, "/settings/projects");
    const project = await address("Image API");
    for (const [name, where] of [
        ["api-keys-filtered-empty", "/settings/api-keys?q=gateway&status=revoked"],
        ["key-active", `${keys.active}?range=7d`],
        ["key-revoked", `${keys.revoked}?range=30d`],
        ["key-not-confirmed", keys["not-confirmed"]],
        ["key-edit", `${keys.active}/edit`],
        ["key-revoke", `${keys.active}/revoke`],
        ["key-create", "/settings/api-keys/new"],
        ["approvals", "/settings/approvals"],
        ["projects", "/settings/projects"],
        ["project-edit", project],
        ["project-create", "/settings/projects/new"],
        ["service-tokens", "/settings/service-tokens"],
        ["service-token-create", "/settings/service-tokens/new"],
        ["audit-log", "/settings/audit-log"],
        ["two-factor-off", "/account/two-factor"],
        ["sessions", "/account/sessions"],
        ["account", "/account"],
        ["password", "/account/password"],
        ["email-change", "/account/email"],
        ["account-export", "/account/export"],
        ["account-delete", "/account/delete"],
        ["members", "/settings/members"],
        ["member-invite", "/settings/members/invite"],
        ["security", "/settings/security"],
        ["organisation", "/settings/organisation"],
        ["installation-organisations", "/instance/organisations"],
        ["installation-accounts", "/instance/accounts"],
        ["installation-mail", "/instance/mail"],
        ["not-found", "/settings/api-keys/key_0123456789AB"],
    ]) {
        await opens(page, where);
        await photograph(page, name);
    }
    await photographRules(page, keys);
    await photographIncidents(page);
    await photographPeople(page);
    await photographCreation(page);
    await photographRestrictions(page);
    await photographRotation(page);
    await photographReview(page);
    await photographHandover(page);
    await photographTwoFactor(page);
}

/** What an organisation asks of its keys, and what was asked of it. */
async function photographRules(page, keys) {
    for (const [name, where] of [
        ["api-keys-unused", "/settings/api-keys/unused"],
        ["import", "/settings/api-keys/import"],
        ["policy", "/settings/policy"],
        ["reviews", "/settings/reviews"],
        ["review-create", "/settings/reviews/new"],
        ["templates", "/settings/templates"],
        ["template-create", "/settings/templates/new"],
        ["key-leaked", `${keys.active}/leaked`],
        ["found", "/found"],
    ]) {
        await opens(page, where);
        await photograph(page, name, GUISES.some);
    }
    await opens(page, "/settings/policy/live");
    await page.getByLabel("A key must name the addresses it is used from").check();
    await presses(page, page.getByRole("button", { name: "See what it would break" }));
    await photograph(page, "policy-edit");
    for (const [name, key] of [["approval-waiting", "Search indexer"], ["approval-change", "Mobile app gateway"], ["approval-declined", "Image proxy"]]) {
        await opens(page, "/settings/approvals");
        await presses(page, page.getByRole("link", { name: key }).first());
        await photograph(page, name, GUISES.some);
    }
    await opens(page, "/settings/api-keys");
    for (const name of ["Production server", "Ledger export"]) await page.getByLabel(`Choose ${name}`).check();
    await presses(page, page.getByRole("button", { name: "Disable…" }));
    await photograph(page, "api-keys-bulk", GUISES.some);
    await opens(page, "/settings/api-keys");
    for (const name of ["Production server", "Ledger export"]) await page.getByLabel(`Choose ${name}`).check();
    await presses(page, page.getByRole("button", { name: "Start rotations…" }));
    await photograph(page, "rotations-start", GUISES.some);
}

async function photographIncidents(page) {
    await opens(page, "/settings/incidents");
    await photograph(page, "incidents", GUISES.some);
    await presses(page, page.getByRole("link", { name: "Nightly thumbnails" }).first());
    await photograph(page, "incident");
    const { pathname } = new URL(page.url());
    for (const [name, where] of [["incident-close", "close"], ["incident-report", "report"]]) {
        await opens(page, `${pathname}/${where}`);
        await photograph(page, name, GUISES.some);
    }
}

async function photographReview(page) {
    await opens(page, "/settings/reviews/new");
    await page.getByLabel("Name", { exact: true }).fill("Fourth quarter");
    await page.getByLabel("Last day").fill("2026-12-05");
    for (const name of ["Ada Lovelace", "Grace Hopper"]) await page.getByRole("checkbox", { name }).check();
    await presses(page, page.getByRole("button", { name: /^Start with/ }));
    await photograph(page, "review");
}

async function photographHandover(page) {
    await opens(page, "/settings/api-keys/new");
    await page.getByLabel("Name", { exact: true }).fill("Partner gateway");
    await page.getByRole("checkbox", { name: "images:read" }).check();
    await page.getByRole("radio", { name: /Hand it over by a link/ }).check();
    await presses(page, page.locator("button.primary[form=create]"));
    const link = await page.locator("#secret").innerText();
    await photograph(page, "claim-link", GUISES.some);
    const stranger = await newPage(STAGE_ORIGIN);
    await opens(stranger, link);
    await photograph(stranger, "claim", GUISES.some);
    await stranger.context().close();
}

async function photographPeople(page) {
    await opens(page, "/settings/members");
    const grace = await page.getByRole("link", { name: "Grace Hopper", exact: true }).getAttribute("href");
    for (const [name, where] of [
        ["member", grace],
        ["member-role", `${grace}/role`],
        ["member-remove", `${grace}/offboard?departure=remove`],
        ["member-reset-factors", `${grace}/reset-factors`],
    ]) {
        await opens(page, where);
        await photograph(page, name);
    }
    await opens(page, "/settings/members/invite");
    await page.getByLabel("E-mail address").fill("ada@acme.example");
    await presses(page, page.getByRole("button", { name: "Invite", exact: true }));
    await photograph(page, "member-invite-errors");
    await page.getByLabel("E-mail address").fill("barbara@acme.example");
    await presses(page, page.getByRole("button", { name: "Invite", exact: true }));
    const link = await page.locator("#secret").innerText();
    await photograph(page, "invitation-link");
    const stranger = await newPage(STAGE_ORIGIN);
    await opens(stranger, link);
    await photograph(stranger, "invitation");
    await stranger.context().close();
}

async function photographTwoFactor(page) {
    await opens(page, "/account/two-factor");
    await page.getByLabel("Your password").fill(ADA.password);
    await presses(page, page.getByRole("button", { name: "Set up an app" }));
    await photograph(page, "two-factor-enrolment");
    const secret = await page.locator("#secret").innerText();
    await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, STAGE_NOW));
    await presses(page, page.getByRole("button", { name: "Switch on" }));
    await photograph(page, "two-factor-codes");
    await presses(page, page.getByRole("button", { name: "I have stored them" }));
    await photograph(page, "two-factor-on");
    await opens(page, "/account/two-factor/codes");
    await photograph(page, "two-factor-new-codes");
    await opens(page, "/account/two-factor/replace");
    await photograph(page, "two-factor-replace");
    await opens(page, "/account/two-factor/off");
    await photograph(page, "two-factor-turn-off");
    await page.context().clearCookies();
    await opens(page, "/sign-in");
    await page.getByLabel("E-mail").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await presses(page, page.getByRole("button", { name: "Sign in", exact: true }));
    await photograph(page, "second-factor");
}

async function photographCreation(page) {
    await opens(page, "/settings/api-keys/new");
    await page.getByLabel("Name", { exact: true }).fill("Production server");
    await page.locator("#other_scopes").fill("images:*:own");
    await presses(page, page.locator("button.primary[form=create]"));
    await photograph(page, "key-create-errors");

    await opens(page, "/settings/api-keys/new");
    await page.getByLabel("Name", { exact: true }).fill("Thumbnail cache");
    await page.getByRole("checkbox", { name: "images:read" }).check();
    await presses(page, page.locator("button.primary[form=create]"));
    await photograph(page, "key-reveal");
    await page.reload();
    await ready(page);
    await photograph(page, "key-already-shown");
}

async function photographRestrictions(page) {
    await opens(page, "/settings/api-keys/new");
    await page.getByText("Addresses, resources, hours").click();
    await page.getByLabel("Name", { exact: true }).fill("Batch renderer");
    await page.getByRole("checkbox", { name: "images:read" }).check();
    await page.getByLabel("Allowed addresses").fill("10.0.0.5/8");
    await page.getByLabel("Allowed resources").fill("thumbnail-*");
    for (const day of ["mon", "tue", "wed", "thu", "fri"]) await page.locator(`input[name=hours_days][value=${day}]`).check();
    await page.locator("#hours_from").fill("08:00");
    await page.locator("#hours_to").fill("18:00");
    await presses(page, page.locator("button.primary[form=create]"));
    await photograph(page, "key-restrict-errors");
    await page.getByLabel("Allowed addresses").fill("10.0.0.0/8");
    await presses(page, page.locator("button.primary[form=create]"));
    await presses(page, page.getByRole("button", { name: "I have stored it" }));
    await photograph(page, "key-restricted");
}

async function photographRotation(page) {
    await opens(page, "/settings/service-tokens/new");
    await page.getByLabel("Name", { exact: true }).fill("Rotation");
    await presses(page, page.locator("button.primary[form=create], form#create button.primary").first());
    const token = await page.locator("#secret").innerText();
    await opens(page, "/settings/api-keys/new");
    await page.getByLabel("Name", { exact: true }).fill("Checkout service");
    await page.getByRole("checkbox", { name: "images:read" }).check();
    await presses(page, page.locator("button.primary[form=create]"));
    const old = await page.locator("#secret").innerText();
    await presses(page, page.getByRole("button", { name: "I have stored it" }));
    await presses(page, page.getByRole("link", { name: "Rotate…" }));
    await photograph(page, "key-rotate");
    await presses(page, page.getByRole("button", { name: "Make the new secret" }));
    const secret = await page.locator("#secret").innerText();
    await presses(page, page.getByRole("button", { name: "I have stored it" }));
    for (const [key, clientIp, times] of [[old, "10.0.2.7", 9], [secret, "10.0.9.9", 31]]) {
        for (let n = 0; n < times; n += 1) {
            await fetch(`${STAGE_ORIGIN}/v1/keys/verify`, {
                method: "POST",
                headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
                body: JSON.stringify({ key, clientIp }),
            });
        }
    }
    await page.waitForTimeout(2_500);
    await page.reload();
    await ready(page);
    await photograph(page, "key-rotating");
    await presses(page, page.getByRole("link", { name: "Finish now…" }));
    await photograph(page, "rotation-finish");
    await opens(page, "/settings/rotation");
    await photograph(page, "rotation");
}

async function photographTheFirstRun() {
    const page = await newPage(new URL(SETUP_LINK).origin);
    await opens(page, SETUP_LINK);
    await photograph(page, "set-up");
    for (const [label, text] of [
        ["Your name", "Ada Lovelace"], ["E-mail", ADA.email], ["Password", ADA.password],
        ["Organisation", "Acme"], ["Project name", "Image API"], ["Key prefix", "acme"],
    ]) await page.getByLabel(label).fill(text);
    await presses(page, page.getByRole("button", { name: "Create and sign in" }));
    await photograph(page, "api-keys-empty");
    // On this server every proof of identity is too old at once.
    await opens(page, "/settings/members/invite");
    await page.getByLabel("E-mail address").fill("grace@acme.example");
    await presses(page, page.getByRole("button", { name: "Invite", exact: true }));
    await photograph(page, "step-up");
}

/** Pictures of pages that are gone do not stay. */
async function clearAway() {
    await mkdir(FOLDER, { recursive: true });
    for (const name of await readdir(FOLDER)) {
        const isOfFirstRun = /^(set-up|api-keys-empty|step-up)-/.test(name);
        if (name.endsWith(".png") && !taken.has(name) && (SETUP_LINK || !isOfFirstRun)) await rm(join(FOLDER, name));
    }
}

/** A file is written only if its bytes differ. */
async function keep() {
    let written = 0;
    for (const [name, bytes] of taken) {
        const path = join(FOLDER, name);
        const former = await readFile(path).catch(() => null);
        if (former?.equals(bytes)) continue;
        await writeFile(path, bytes);
        written += 1;
    }
    const sizes = await Promise.all((await readdir(FOLDER)).map(async (name) => (await stat(join(FOLDER, name))).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${taken.size} pictures, ${written} changed, ${(total / 1e6).toFixed(1)} MB in docs/screenshots`);
    if (total > MOST_BYTES) throw new Error(`docs/screenshots holds ${total} bytes; at most ${MOST_BYTES} are kept`);
}
