// A secret is shown once. After that it stands nowhere: no page, no answer, no browser store, no file, no log line.
import { expect, person, test } from "../kit.mjs";

// Everything is logged that could be.
test.use({ settings: { KEYWRIGHT_LOG: "trace" } });

/** The forms in which a text could have been kept: as it is, in a form or an address, as base64, as hex. */
function shapes(secret) {
    const bytes = Buffer.from(secret);
    return [secret, encodeURIComponent(secret), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("hex")];
}

/** The part of a key that nobody may know: without the public id and the checksum. */
const hiddenPart = (secret) => secret.slice(-38, -6);

function expectAbsent(text, secrets, where) {
    for (const [name, secret] of Object.entries(secrets)) {
        for (const shape of shapes(secret)) expect(text.includes(shape), `${name} in ${where}`).toBe(false);
    }
}

/** Collects what the server answers from now on; `of` gives the texts. */
function listen(page) {
    const pending = [];
    const hear = (response) => {
        const body = response.body().then((bytes) => bytes.toString("latin1"), () => "");
        pending.push(body.then((text) => ({ url: response.url(), text: `${JSON.stringify(response.headers())}\n${text}` })));
    };
    page.on("response", hear);
    return { answers: () => Promise.all(pending) };
}

test("after its one page a secret occurs in no page, answer, address or browser store", async ({ app, page, watch, javaScriptEnabled }) => {
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const secret = await ada.createsKey("Production server");
    const keyId = `key_${secret.slice("acme_live_".length, "acme_live_".length + 12)}`;
    const heard = listen(page);
    await page.getByLabel("Where did you store it?").fill("Vault");
    await ada.sends(ada.button("I have stored it"));
    await page.goto("/settings/service-tokens/new");
    await ada.settled();
    await ada.field("Name").fill("Edge proxy");
    const before = await heard.answers();
    await ada.sends(ada.button("Create token"));
    const token = await ada.readsSecret();
    const later = listen(page);
    await ada.sends(ada.button("I have stored it"));

    const secrets = { key: secret, "hidden part": hiddenPart(secret), token, "hidden part of the token": hiddenPart(token) };
    expect(await app.code(token, secret)).toBe("VALID");
    for (const { url, text } of before) expectAbsent(text, { key: secret, "hidden part": hiddenPart(secret) }, url);
    const { keys: [{ projectId }] } = await app.keywright("keys", "list");
    for (const address of [
        "/settings/api-keys", `/settings/api-keys?q=${keyId}`, `/settings/api-keys/${keyId}`, `/settings/api-keys/${keyId}?range=90d`,
        `/settings/api-keys/${keyId}/edit`, `/settings/api-keys/${keyId}/revoke`, `/settings/api-keys/new?from=${keyId}`,
        "/settings/projects", `/settings/projects/${projectId}`, "/settings/service-tokens", "/settings/audit-log", `/settings/audit-log?target=${keyId}`,
    ]) {
        await page.goto(address);
        await ada.settled();
        expectAbsent(await page.content(), secrets, address);
        expectAbsent(await page.title(), secrets, `the title of ${address}`);
    }
    expectAbsent(JSON.stringify(await page.evaluate(() => ({
        local: { ...localStorage }, session: { ...sessionStorage }, state: history.state, name: window.name, cookies: document.cookie,
    }))), secrets, "the browser's stores");
    if (ada.hydrates) {
        const kept = await page.evaluate(async () => ({ databases: await indexedDB.databases(), caches: await caches.keys() }));
        expect(kept).toEqual({ databases: [], caches: [] });
    }
    expectAbsent(JSON.stringify(await page.context().cookies()), secrets, "cookies");
    const browser = await page.context().newCDPSession(page);
    const { entries } = await browser.send("Page.getNavigationHistory");
    expect(entries.length).toBeGreaterThan(10);
    expectAbsent(JSON.stringify(entries), secrets, "the history");

    // What programs are told.
    const verdict = await app.verify(token, secret);
    expectAbsent(JSON.stringify(verdict), secrets, "the verdict");
    for (const command of [["keys", "list"], ["tokens", "list"], ["audit", "verify"]]) {
        expectAbsent(JSON.stringify(await app.keywright(...command)), secrets, command.join(" "));
    }
    for (const { url, text } of await later.answers()) expectAbsent(text, secrets, url);
});

test("a secret lies in no file of the database and in no line of the log, wherever it was put", async ({ app, page, watch, javaScriptEnabled }) => {
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const secret = await ada.createsKey("Production server");
    const [download] = await Promise.all([page.waitForEvent("download"), ada.button("Download .env").click()]);
    await download.path();
    await ada.sends(ada.button("I have stored it"));
    const token = app.made.serviceToken;
    expect(await app.code(token, secret)).toBe("VALID");

    await putsItEverywhere(app, token, secret);
    // In a search by hand, as people do.
    await page.goto("/settings/api-keys");
    await ada.settled();
    await page.getByLabel("Search keys").fill(secret);
    await Promise.all([page.waitForEvent("load"), page.getByLabel("Search keys").press("Enter")]);
    await ada.settled();
    expect(page.url()).not.toContain(secret);

    const [session] = (await page.context().cookies()).filter((cookie) => cookie.name.endsWith("kw_s"));
    const secrets = {
        key: secret, "hidden part": hiddenPart(secret), token, "hidden part of the token": hiddenPart(token),
        password: app.made.password, session: session.value,
    };
    // Usage and its paths are written by now.
    await new Promise((done) => setTimeout(done, 500));
    const files = await app.databaseFiles();
    expect(files.map((file) => file.name)).toContain("keywright.db");
    const id = Buffer.from(secret.slice("acme_live_".length, "acme_live_".length + 12));
    expect(files.some((file) => file.bytes.includes(id)), "the public id is there, so the right files were read").toBe(true);
    for (const { name, bytes } of files) {
        for (const [what, one] of Object.entries(secrets)) {
            for (const shape of shapes(one)) expect.soft(bytes.includes(shape), `${what} in ${name}`).toBe(false);
            // Folded, as addresses are, it is hardly less of a secret.
            const folded = bytes.toString("latin1").toLowerCase().includes(one.toLowerCase());
            expect.soft(folded, `${what}, folded, in ${name}`).toBe(false);
        }
    }
    expect(app.log, "the log tells more than it does by default").toMatch(/DEBUG/);
    expectAbsent(app.log, secrets, "the log");
});

/** A client that leaks its key wherever a client can. */
async function putsItEverywhere(app, token, secret) {
    const page = (path, headers = {}) => fetch(`${app.origin}${path}`, { headers: { accept: "text/html", ...headers }, redirect: "manual" });
    await page(`/settings/api-keys?q=${secret}`);
    await page(`/settings/audit-log?target=x${secret}y&${secret}=1`);
    await page(`/sign-in?next=/settings/api-keys/${secret}`);
    await page(`/settings/api-keys/${secret}`);
    await page(`/${secret}`);
    await page("/sign-in", { referer: `${app.origin}/settings/api-keys?q=${secret}`, "user-agent": `curl/8 ${secret}`, "x-forwarded-for": secret });
    await page("/sign-in", { cookie: `kw_s=${secret}; ${secret}=1`, authorization: `Bearer ${secret}`, "x-request-id": secret });
    await fetch(`${app.origin}/v1/keys/verify?key=${secret}`, { method: "POST", headers: { authorization: `Bearer ${secret}` }, body: secret });
    await fetch(`${app.origin}/v1/${secret}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    const told = { path: `/images?key=${secret}`, userAgent: `client ${secret}`, method: secret.slice(0, 60), resource: secret, tags: [`key=${secret}`] };
    const verdict = await app.verify(token, secret, { body: told });
    expect(JSON.stringify(verdict)).not.toContain(hiddenPart(secret));
    // Broken bodies are not quoted.
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    for (const body of [`{"key":"${secret}"`, `{"key":"${secret}","${secret}":1}`, `{"key":["${secret}"]}`, `{"key":"x","permissions":"${secret}"}`]) {
        const answer = await fetch(`${app.origin}/v1/keys/verify`, { method: "POST", headers, body });
        expect(answer.status).toBe(400);
        expect(await answer.text()).not.toContain(hiddenPart(secret));
    }
    // Forms: as a name, an e-mail, a password.
    const form = (path, fields) => fetch(`${app.origin}${path}`, {
        method: "POST", redirect: "manual",
        headers: { origin: app.origin, accept: "text/html", "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields),
    });
    await form("/sign-in", { email: `${secret}@acme.example`, password: secret, next: `/${secret}` });
    await form("/theme", { theme: secret });
}

test.describe("the set-up token", () => {
    test.use({ beginning: "fresh" });

    test("is in no file and no line of the log, and works once", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        const token = new URL(app.setupLink).searchParams.get("token");
        await page.goto(app.setupLink);
        await ada.settled();
        await ada.field("E-mail").fill("ada@acme.example");
        await ada.field("Password").fill("four unrelated words here");
        await ada.field("Organisation").fill("Acme");
        await ada.field("Project name").fill("Image API");
        await ada.field("Key prefix").fill("acme");
        await ada.sends(ada.button("Create and sign in"));
        await ada.sees("API keys");
        watch.expects(404);
        await ada.opens(app.setupLink, "Not found");
        const secrets = { token, "hidden part": hiddenPart(token), password: "four unrelated words here" };
        for (const { name, bytes } of await app.databaseFiles()) expectAbsent(bytes.toString("latin1"), secrets, name);
        expectAbsent(app.log, secrets, "the log");
    });
});
