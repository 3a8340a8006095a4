// From an empty data folder to a key that was issued, verified, seen on a chart, stopped and revoked.
import { readFile } from "node:fs/promises";

import { DAY_MS, OWNER, expect, inWords, person, runsCurl, test } from "../kit.mjs";

test.describe("the first journey", () => {
    test.use({ beginning: "fresh", permissions: ["clipboard-read", "clipboard-write"] });

    test("a key is issued in the browser, verified over HTTP, seen on a chart, stopped and revoked", async ({ app, page, watch, javaScriptEnabled }) => {
        test.setTimeout(120_000);
        const ada = person({ app, page, watch, javaScriptEnabled });

        await setsUp(ada);
        const { secret, keyId } = await createsFirstKey(ada);
        const token = await createsServiceToken(ada);
        await verifiesIt(ada, { secret, keyId, token });
        await stopsAndRevokesIt(ada, { secret, keyId, token });
        await readsTheAuditLog(ada);
        await signsOutAndInAgain(ada);
    });
});

async function setsUp(ada) {
    const { app, page } = ada;
    expect(app.setupLink).toMatch(/\/setup\?token=kws_/);
    // Without the link there is nothing to set up with.
    ada.watch.expects(403);
    await ada.opens("/", "Set up Keywright");
    await expect(page.getByText("Open the one-time link")).toBeVisible();
    const answer = await ada.opens(app.setupLink, "Set up Keywright");
    expect(answer.headers()["referrer-policy"]).toBe("no-referrer");
    await ada.field("Your name").fill(OWNER.name);
    await ada.field("E-mail").fill(OWNER.email);
    await ada.field("Password").fill(OWNER.password);
    await ada.field("Organisation").fill("Acme");
    await ada.field("Project name").fill("Image API");
    await ada.field("Key prefix").fill("acme");
    // The starters stand there already; one more of our own.
    await expect(page.getByLabel("Scope 1", { exact: true })).toHaveValue("read");
    await expect(page.getByLabel("Scope 2", { exact: true })).toHaveValue("write");
    await page.getByLabel("Scope 3", { exact: true }).fill("images:delete");
    await page.getByLabel("Description of scope 3").fill("Delete images for good");
    await page.getByLabel("Scope 3 is sensitive").check();
    await ada.sends(ada.button("Create and sign in"));
    await ada.sees("API keys");
    expect(new URL(page.url()).pathname).toBe("/settings/api-keys");
    await expect(page.getByRole("heading", { name: "No keys yet" })).toBeVisible();
}

async function createsFirstKey(ada) {
    const { app, page } = ada;
    await ada.sends(ada.link("Create key").last());
    await ada.sees("Create API key");
    await expect(page.getByLabel("Project", { exact: true })).toHaveValue(/^prj_/);
    await expect(page.getByRole("radio", { name: /^Live/ })).toBeChecked();
    await ada.field("Name").fill("Production server");
    await ada.field("Purpose").fill("Renders product pictures");
    await page.getByRole("checkbox", { name: "read" }).check();
    await page.getByRole("checkbox", { name: "images:delete" }).check();
    await expiryIsToldInWords(ada);

    await ada.sends(ada.submit());
    const secret = await ada.readsSecret();
    expect(secret).toMatch(/^acme_live_[0-9A-Za-z]{50}$/);
    const keyId = `key_${secret.slice("acme_live_".length, "acme_live_".length + 12)}`;
    await expect(page.getByText("It is shown once")).toContainText(inWords(Date.now() + 90 * DAY_MS));
    // Nothing else on the page could be copied by mistake.
    expect(await page.locator(".reveal").innerText()).not.toContain(keyId);
    await copies(ada, secret);
    await downloads(ada, `IMAGE_API_API_KEY=${secret}\n`);
    const command = await page.locator("#command").textContent();
    expect(command).toContain(`curl -sS ${app.origin}/v1/keys/verify`);
    expect(command).toContain(secret);
    app.made.curl = command;

    await sendsTheSameFormAgain(ada, secret);

    await page.getByLabel("Where did you store it?").fill("Vault, team/production");
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Production server");
    expect(ada.watch.dialogs, "whoever confirms is not asked").toEqual([]);
    await expect(page.getByRole("status")).toContainText("Noted that the secret is stored.");
    await expect(page.getByText("Vault, team/production")).toBeVisible();
    expect(page.url()).toContain(keyId);

    await ada.goes("API keys");
    const row = page.getByRole("row", { name: /Production server/ });
    await expect(row).toContainText("Active");
    await expect(row).toContainText(secret.slice(0, "acme_live_".length + 4));
    await expect(row).not.toContainText("Not confirmed");
    // The key of the form that was sent twice is revoked, and kept apart.
    await expect(page.getByRole("row")).toHaveCount(2);
    return { secret, keyId };
}

async function expiryIsToldInWords(ada) {
    const { page } = ada;
    const until = (days) => `Valid until ${inWords(Date.now() + days * DAY_MS)}.`;
    await expect(page.getByRole("radio", { name: "90 days" })).toBeChecked();
    await expect(page.locator("#expiry")).toContainText(until(90));
    if (!ada.hydrates) return;
    await page.getByRole("radio", { name: "30 days" }).check();
    await expect(page.locator("#expiry")).toContainText(until(30));
    await expect(page.locator(".summary")).toContainText(`Production server may read, images:delete on live of Image API. ${until(30)}`);
    await page.getByRole("radio", { name: "90 days" }).check();
    await expect(page.locator("#expiry")).toContainText(until(90));
}

async function copies(ada, secret) {
    const button = ada.button("Copy").first();
    if (!ada.hydrates) {
        await expect(button, "what cannot work is not offered").toBeHidden();
        return;
    }
    await button.click();
    await expect(ada.page.locator("[data-copy=secret]")).toHaveText("Copied");
    expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
}

async function downloads(ada, content) {
    const [download] = await Promise.all([ada.page.waitForEvent("download"), ada.button("Download .env").click()]);
    expect(await readFile(await download.path(), "utf8")).toBe(content);
    expect(download.url()).toBe(`${ada.app.origin}/settings/env-file`);
    await expect(ada.page.getByRole("heading", { level: 1 })).toHaveText("Save this secret now");
    expect.soft(ada.watch.dialogs.splice(0), "a download does not leave the page").toEqual([]);
}

/** A double click, or a form that was kept: the same mark does not make a second key. */
async function sendsTheSameFormAgain(ada, secret) {
    const { app, page } = ada;
    const form = await page.context().newPage();
    await form.goto("/settings/api-keys/new");
    const fields = {
        nonce: await form.locator("[name=nonce]").inputValue(),
        project: await form.getByLabel("Project", { exact: true }).inputValue(),
        environment: "live", name: "Twice", scopes: "read", expiry: "90",
    };
    await form.close();
    const send = () => page.context().request.post("/settings/api-keys/new", { form: fields, headers: { origin: app.origin, accept: "text/html" } });
    const [first, second] = [await send(), await send()];
    expect(first.status()).toBe(200);
    expect(second.status()).toBe(409);
    const told = await second.text();
    expect(told).toContain("Already shown");
    expect(told).not.toContain(secret);
    const shown = (await first.text()).match(/acme_live_[0-9A-Za-z]{50}/)[0];
    expect(told).not.toContain(shown);
    const { keys } = await app.keywright("keys", "list", "--search", "Twice");
    expect(keys).toHaveLength(1);
    await app.keywright("keys", "revoke", keys[0].keyId, "--reason", "superseded");
}

async function createsServiceToken(ada) {
    const { app, page } = ada;
    await ada.goes("Service tokens");
    await expect(page.getByRole("heading", { name: "No service tokens yet" })).toBeVisible();
    await ada.sends(ada.link("Create token").first());
    await ada.sees("Create service token");
    await ada.field("Name").fill("Edge proxy");
    await ada.sends(ada.button("Create token"));
    const token = await ada.readsSecret();
    expect(token).toMatch(/^kwt_[0-9A-Za-z]{50}$/);
    await downloads(ada, `KEYWRIGHT_TOKEN=${token}\n`);
    app.made.tokenCurl = await page.locator("#command").textContent();
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Service tokens");
    const row = page.getByRole("row", { name: /Edge proxy/ });
    await expect(row).toContainText("Image API");
    await expect(row).toContainText("Active");
    await expect(row).not.toContainText("Not confirmed");
    return token;
}

async function verifiesIt(ada, { secret, keyId, token }) {
    const { app, page } = ada;
    const answer = await runsCurl(app.made.curl, { KEYWRIGHT_TOKEN: token });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("application/json");
    const verdict = await answer.json();
    expect(Object.keys(verdict).sort()).toEqual([
        "code", "environment", "expiresAt", "keyId", "name", "ownerId", "projectId", "requestId", "scopes", "valid",
    ]);
    expect(verdict).toMatchObject({ valid: true, code: "VALID", keyId, name: "Production server", environment: "live" });
    expect([...verdict.scopes].sort()).toEqual(["images:delete", "read"]);
    expect(verdict.projectId).toMatch(/^prj_/);
    expect(verdict.ownerId).toMatch(/^acc_/);
    expect(verdict.requestId).toBe(answer.headers.get("x-request-id"));
    expect(verdict.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Math.abs(Date.parse(verdict.expiresAt) - Date.now() - 90 * DAY_MS)).toBeLessThan(10 * 60_000);

    await ada.goes("API keys");
    await ada.sends(ada.link("Production server"));
    await ada.sees("Production server");
    // Usage is written in batches, a moment after the answer.
    await expect(async () => {
        await page.reload();
        await expect(page.locator(".chart .total")).toHaveText("1", { timeout: 200 });
    }).toPass();
    await ada.sees("Production server");
    await expect(page.getByRole("img", { name: "Requests over the last 24 hours: 1 allowed, 0 refused." })).toBeVisible();
    const used = page.locator(".facts > div").filter({ hasText: "Last used" });
    await expect.soft(used).toContainText(/(just now|1 minute ago) from 127\.0\.0\.1/);
    await ada.sends(ada.link("7 days"));
    await expect(page).toHaveURL(/range=7d/);
    await expect(page.getByRole("img", { name: "Requests over the last 7 days: 1 allowed, 0 refused." })).toBeVisible();

    // The line that the token's page showed is as good.
    const again = await runsCurl(app.made.tokenCurl, { API_KEY: secret });
    expect((await again.json()).code).toBe("VALID");
}

async function stopsAndRevokesIt(ada, { secret, keyId, token }) {
    const { app, page } = ada;
    const badge = page.locator(".title-row .badge");
    await ada.opens(`/settings/api-keys/${keyId}`, "Production server");
    await ada.button("Disable").click();
    await expect(badge).toHaveText("Disabled");
    await ada.sees("Production server");
    expect(await app.verify(token, secret)).toMatchObject({ valid: false, code: "DISABLED", keyId });

    await ada.button("Enable").click();
    await expect(badge).toHaveText("Active");
    await ada.settled();
    expect(await app.code(token, secret)).toBe("VALID");

    await ada.sends(ada.link("Revoke…"));
    await ada.sees("Revoke Production server?");
    await page.getByLabel("Reason").selectOption("The key leaked or may have leaked");
    await page.getByLabel("Note").fill("Seen in a public repository");
    await ada.sends(ada.button("Revoke key"));
    await ada.sees("Production server");
    await expect(page.getByRole("status")).toContainText("Revoked.");
    await expect(badge).toHaveText("Revoked");
    await expect(page.locator(".notice.danger")).toContainText("The key leaked or may have leaked");
    await expect(page.locator(".notice.danger")).toContainText("Seen in a public repository");
    await expect(ada.button("Enable")).toHaveCount(0);
    expect(await app.verify(token, secret)).toMatchObject({ valid: false, code: "REVOKED", keyId });
}

async function readsTheAuditLog(ada) {
    const { app, page } = ada;
    await ada.goes("Audit log");
    for (const act of [
        "Organisation created", "Project created", "Key created", "Key confirmed as stored", "Service token created",
        "Service token confirmed as stored", "Key disabled", "Key enabled", "Key revoked",
    ]) {
        await expect(page.getByRole("rowheader", { name: act }).first()).toBeVisible();
    }
    const revoked = page.getByRole("row", { name: /Key revoked/ }).first();
    await expect(revoked).toContainText(OWNER.name);
    await expect(revoked).toContainText("Production server");
    await expect(revoked).toContainText("127.0.0.1");
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
}

async function signsOutAndInAgain(ada) {
    const { page } = ada;
    await ada.signsOut();
    await ada.sees("Sign in");
    await page.goBack();
    await ada.sees("Sign in");
    await expect(page.getByRole("table")).toHaveCount(0);
    await ada.field("E-mail").fill(OWNER.email);
    await ada.field("Password").fill(OWNER.password);
    await ada.sends(ada.button("Sign in"));
    // Back where one wanted to be.
    await ada.sees("Audit log");
}

test.describe("a secret that was not stored", () => {
    test("a reload does not show it again, and the list says so until it is replaced", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const secret = await ada.createsKey("Lost");

        watch.expects(409);
        const answer = await page.reload();
        expect(answer.status()).toBe(409);
        await ada.sees("Already shown");
        expect(await page.content()).not.toContain(secret);
        if (ada.hydrates) expect(watch.dialogs, "leaving without having confirmed is asked about").toEqual(["beforeunload"]);

        await ada.sends(ada.link("See what was created"));
        await ada.sees("Lost");
        await expect(page.getByText("Not confirmed.")).toBeVisible();
        await ada.goes("API keys");
        await expect(page.getByRole("row", { name: /Lost/ })).toContainText("Not confirmed");
        await expect(page.getByRole("row")).toHaveCount(2);

        await ada.sends(ada.link("Lost"));
        await ada.sends(ada.link("Revoke and create again"));
        await ada.sees("Revoke Lost?");
        await expect(page.getByLabel("Reason")).toHaveValue("superseded");
        await ada.sends(ada.button("Revoke key"));
        await ada.sees("Create API key");
        await expect(ada.field("Name")).toHaveValue("Lost");
        await expect(page.getByRole("radio", { name: "Read" })).toBeChecked();
        await ada.sends(ada.submit());
        const next = await ada.readsSecret();
        expect(next).not.toBe(secret);
        await ada.sends(ada.button("I have stored it"));
        await ada.sees("Lost");
        expect(await app.code(app.made.serviceToken, secret)).toBe("REVOKED");
        expect(await app.code(app.made.serviceToken, next)).toBe("VALID");
    });

    test("somebody who confirms later need not create it again", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await app.issue("From the command line");
        await ada.signsIn();
        await expect(page.locator(".lede")).toContainText("1 not confirmed as stored");
        await ada.sends(ada.link("From the command line"));
        await ada.sees("From the command line");
        await ada.sends(ada.button("It is stored"));
        await ada.sees("From the command line");
        await expect(page.getByText("Not confirmed")).toHaveCount(0);
    });
});
