// Lists with something in them: found, filtered, sorted, paged; projects and keys edited; narrow screens and keyboards.
import { expect, person, test } from "../kit.mjs";

test.use({ beginning: "demo" });

/** The names in the list, from top to bottom. */
async function names(page) {
    return page.locator("tbody th[scope=row] .row-link").allInnerTexts();
}

/** Chooses in a filter and waits for the list that follows: by itself with a script, with the button without. */
async function filters(ada, label, option) {
    const { page } = ada;
    const chooses = async () => {
        const box = page.getByRole("combobox", { name: label, exact: true });
        // A person's choice comes with the focus; Playwright's alone does not.
        await box.focus();
        await box.selectOption(option);
        if (!ada.hydrates) await ada.button("Apply").click();
    };
    await Promise.all([page.waitForEvent("load", { timeout: 15_000 }), chooses()]);
    await ada.settled();
}

test.describe("API keys", () => {
    test("are searched, filtered and sorted, and the address keeps it", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        expect(await names(page)).toHaveLength(12);

        await page.getByLabel("Search keys").fill("checkOUT");
        await Promise.all([page.waitForEvent("load"), page.getByLabel("Search keys").press("Enter")]);
        await ada.settled();
        expect(new URL(page.url()).searchParams.get("q")).toBe("checkOUT");
        expect(await names(page), "revoked keys are kept apart").toEqual(["Checkout"]);
        await filters(ada, "Status", "Any");
        expect((await names(page)).sort()).toEqual(["Checkout", "Checkout (summer)"]);
        await filters(ada, "Status", "Active");
        expect(await names(page)).toEqual(["Checkout"]);
        await expect(page.getByLabel("Search keys"), "one filter keeps the others").toHaveValue("checkOUT");
        await page.reload();
        await ada.sees("API keys");
        expect(await names(page)).toEqual(["Checkout"]);
        await expect(page.getByLabel("Status")).toHaveValue("active");

        await ada.sends(ada.link("Clear"));
        await expect(page).toHaveURL(/\/settings\/api-keys$/);
        await expect(page.locator("tbody tr")).toHaveCount(12);
        await expect(page.getByLabel("Search keys")).toHaveValue("");

        await filters(ada, "Project", "Payments");
        const payments = await names(page);
        expect(payments.sort()).toEqual(["Checkout", "Ledger export", "Refund desk", "Sandbox"]);
        await filters(ada, "Environment", "Test");
        expect(await names(page)).toEqual(["Sandbox"]);
        await filters(ada, "Status", "Revoked");
        await expect(page.getByRole("heading", { name: "No key matches" })).toBeVisible();
        await ada.axe();
        await ada.sends(ada.link("Clear filters"));
        await expect(page.locator("tbody tr")).toHaveCount(12);

        // By the start of the text that people see in their configuration.
        const { keys } = await app.keywright("keys", "list", "--search", "Ledger");
        for (const typed of [keys[0].keyId, keys[0].hint.replace("…", "")]) {
            await ada.opens(`/settings/api-keys?q=${typed}`, "API keys");
            expect(await names(page), typed).toEqual(["Ledger export"]);
        }
    });

    test("are sorted by their headings", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.sends(page.getByRole("columnheader", { name: "Name" }).getByRole("link"));
        await expect(page).toHaveURL(/sort=name/);
        await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
        const byName = await names(page);
        expect(byName).toEqual([...byName].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), "en")));
        await expect(page.getByLabel("Sort")).toHaveValue("name");
        await ada.sends(page.getByRole("columnheader", { name: "Last used" }).getByRole("link"));
        await expect(page).toHaveURL((url) => url.searchParams.get("sort") === "last_used");
        await expect(page.getByRole("columnheader", { name: "Last used" })).toHaveAttribute("aria-sort", "descending");
        expect((await names(page)).at(-1), "a key that was never used comes last").toBe("Ledger export");
        await page.goBack();
        await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
        expect(await names(page)).toEqual(byName);
        await expect(page.getByLabel("Sort"), "the box follows the address").toHaveValue("name");
    });

    test("come in pages", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        for (let number = 1; number <= 40; number += 1) {
            await app.issue(`Worker ${String(number).padStart(2, "0")}`, { scope: "images:read" });
        }
        await ada.signsIn();
        const pager = page.getByRole("navigation", { name: "Pages" });
        await expect(pager).toContainText("1–50 of 52");
        await expect(pager.getByText("Previous")).toHaveAttribute("aria-disabled", "true");
        const first = await names(page);
        expect(first).toHaveLength(50);
        await ada.sends(pager.getByRole("link", { name: "Next" }));
        await expect(page).toHaveURL(/page=2/);
        await expect(pager).toContainText("51–52 of 52");
        await ada.sees("API keys");
        const second = await names(page);
        expect(second).toHaveLength(2);
        expect(new Set([...first, ...second]).size, "no key is in both").toBe(52);
        await page.reload();
        expect(await names(page)).toEqual(second);

        await ada.opens("/settings/api-keys?q=worker&sort=name", "API keys");
        // With the worker that was there before.
        await expect(pager).toContainText("1–41 of 41");
        expect(await names(page)).toHaveLength(41);
        // Past the end there is a way back.
        await ada.opens("/settings/api-keys?page=9", "API keys");
        await ada.sends(ada.link("Clear filters"));
        await expect(page.locator("tbody tr")).toHaveCount(50);
    });

    test("show their traffic, and more of it over longer ranges", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.sends(ada.link("Production server"));
        await ada.sees("Production server");
        let before = 0;
        for (const range of ["24 hours", "7 days", "30 days"]) {
            await ada.sends(ada.link(range));
            await expect(page.locator(".chart figcaption")).toContainText(`in the last ${range} (UTC)`);
            await expect(page.getByRole("link", { name: range })).toHaveAttribute("aria-current", "page");
            const total = Number((await page.locator(".chart .total").innerText()).replaceAll(",", ""));
            expect(total).toBeGreaterThan(before);
            before = total;
        }
        await page.getByText("Show as table").click();
        const table = page.getByRole("region", { name: "Requests as a table" });
        await expect(table.getByRole("row")).toHaveCount(31);
        const cells = await table.locator("td").allInnerTexts();
        const sum = cells.reduce((all, cell) => all + Number(cell.replaceAll(",", "")), 0);
        expect(sum, "the table adds up to the total").toBe(before);
        await ada.axe();
    });

    test("are renamed, and the old name is free", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.sends(ada.link("CI pipeline"));
        await ada.sends(ada.link("Edit"));
        await ada.sees("Edit key");
        await expect(page.getByLabel("Name", { exact: true })).toHaveValue("CI pipeline");
        await page.getByLabel("Name", { exact: true }).fill("Build robots");
        await ada.field("Purpose").fill("");
        await ada.sends(ada.button("Save"));
        await ada.sees("Build robots");
        await expect(page.getByRole("status")).toContainText("Saved.");
        await expect(page.locator(".facts > div").filter({ hasText: "Purpose" })).toContainText("Not told");
        await app.issue("CI pipeline", { environment: "test", scope: "images:read" });

        await ada.goes("Audit log");
        await filters(ada, "Action", "Key edited");
        await expect(page.getByRole("row", { name: /Build robots/ })).toHaveCount(1);
        await page.getByText("Details").first().click();
        await expect(page.locator("tbody code").first()).toContainText("CI pipeline");
    });
});

test.describe("projects", () => {
    test("archived, their keys are refused; restored, they pass again", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        const { secret } = await app.issue("Storefront", { project: "payments", scope: "payments:read" });
        const { secret: token } = await app.keywright("tokens", "create", "--project", "payments", "--name", "Journey");
        expect(await app.code(token, secret)).toBe("VALID");
        await ada.signsIn();
        await ada.goes("Projects");
        await ada.sends(ada.link("Payments"));
        await ada.sees("Payments");
        await ada.button("Archive project").click();
        await expect(ada.button("Restore project")).toBeVisible();
        await ada.sees("Payments");
        await expect(page.locator(".title-row")).toContainText("Archived");
        expect(await app.code(token, secret)).toBe("DISABLED");
        await ada.opens("/settings/api-keys?q=Storefront", "API keys");
        await expect(page.getByRole("row", { name: /Storefront/ })).toContainText("Disabled");
        await ada.sends(ada.link("Storefront"));
        await ada.sees("Storefront");
        await expect(page.getByText("The project is archived, so the key is refused.")).toBeVisible();
        await ada.opens("/settings/api-keys/new", "Create API key");
        await expect(page.getByLabel("Project", { exact: true }).getByRole("option")).toHaveText(["Image API"]);

        await ada.goes("Projects");
        await ada.sends(ada.link("Payments"));
        await ada.sees("Payments");
        await ada.button("Restore project").click();
        await expect(ada.button("Archive project")).toBeVisible();
        expect(await app.code(token, secret)).toBe("VALID");
        await ada.goes("Audit log");
        for (const act of ["Project archived", "Project restored"]) {
            await expect(page.getByRole("row", { name: new RegExp(`${act}.*Ada Lovelace.*Payments`) }).first()).toBeVisible();
        }
    });

    test("are created and edited, and their scopes are what keys can hold", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.goes("Projects");
        await ada.sends(ada.link("Create project"));
        await ada.sees("Create project");
        await page.getByLabel("Name", { exact: true }).fill("Größe & Maß");
        await ada.field("Key prefix").fill("mass");
        await ada.sends(ada.button("Create project"));
        await ada.sees("Größe & Maß");
        await page.getByLabel("Scope 3", { exact: true }).fill("scales:calibrate");
        await page.getByLabel("Description of scope 3").fill("Set a scale to zero");
        await page.getByLabel("Scope 3 is sensitive").check();
        // A row that is emptied goes.
        await page.getByLabel("Scope 2", { exact: true }).fill("");
        await page.getByLabel("Description of scope 2").fill("");
        await ada.sends(ada.button("Save"));
        await ada.sees("Größe & Maß");
        await expect(page.getByLabel("Scope 2", { exact: true })).toHaveValue("scales:calibrate");
        await expect(page.getByLabel("Scope 2 is sensitive")).toBeChecked();

        await ada.opens("/settings/api-keys/new", "Create API key");
        await page.getByLabel("Project", { exact: true }).selectOption("Größe & Maß");
        await page.getByLabel("Name", { exact: true }).fill("Kitchen");
        // Every project’s scopes are at hand, whether a script follows the choice or not.
        await page.getByRole("checkbox", { name: "scales:calibrate" }).check();
        if (ada.hydrates) await expect(page.getByRole("checkbox", { name: "images:read" })).toHaveCount(0);
        await ada.sends(ada.submit());
        expect(await ada.readsSecret()).toMatch(/^mass_live_/);
        await ada.sends(ada.button("I have stored it"));
        await ada.sees("Kitchen");
        await expect(page.getByText("scales:calibrate")).toBeVisible();
    });
});

test.describe("service tokens", () => {
    test("are revoked, and their service is refused from then on", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        const { secret } = await app.issue("Storefront", { project: "payments", scope: "payments:read" });
        const { secret: token } = await app.keywright("tokens", "create", "--project", "payments", "--name", "Journey");
        expect(await app.code(token, secret)).toBe("VALID");
        await ada.signsIn();
        await ada.goes("Service tokens");
        await expect(async () => {
            await page.reload();
            await expect(page.getByRole("row", { name: /Journey/ })).toContainText("just now", { timeout: 200 });
        }).toPass();
        await ada.settled();
        await ada.sends(ada.link("Revoke Journey"));
        await ada.sees("Revoke Journey?");
        await ada.sends(ada.button("Revoke token"));
        await ada.sees("Service tokens");
        await expect(page.getByRole("row", { name: /Journey/ })).toContainText("Revoked");
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        const answer = await fetch(`${app.origin}/v1/keys/verify`, { method: "POST", headers, body: JSON.stringify({ key: secret }) });
        expect(answer.status).toBe(401);
    });
});

test.describe("the look", () => {
    test("a chosen theme stays", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.opens("/settings/projects?x=1", "Projects");
        const background = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
        const light = await background();
        await ada.opensAccountMenu();
        await ada.sends(ada.button("Dark"));
        await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
        expect(await background()).not.toBe(light);
        expect(page.url(), "one stays where one was").toContain("/settings/projects?x=1");
        await ada.axe();
        await page.reload();
        await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
        await ada.signsOut();
        await ada.sees("Sign in");
        await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
        expect(await background()).not.toBe(light);
    });

    test("in the dark every page keeps its contrast", async ({ app, page, watch, javaScriptEnabled }) => {
        test.skip(javaScriptEnabled === false, "only axe measures contrast");
        test.setTimeout(240_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        await page.emulateMedia({ colorScheme: "dark" });
        await ada.signsIn();
        for (const [address, heading] of await everyPage(app)) await ada.opens(address, heading);
    });
});

/** Every page of the frame, with its heading. */
async function everyPage(app) {
    const { keys } = await app.keywright("keys", "list");
    const { tokens } = await app.keywright("tokens", "list");
    const { accounts } = await app.keywright("accounts", "list");
    const grace = accounts.find((one) => one.name === "Grace Hopper").accountId;
    const key = (name) => keys.find((one) => one.name === name);
    const production = `/settings/api-keys/${key("Production server").keyId}`;
    return [
        ["/settings/api-keys", "API keys"],
        ["/settings/api-keys?q=nothing+like+it", "API keys"],
        ["/settings/api-keys/new", "Create API key"],
        [production, "Production server"],
        [`${production}?range=90d`, "Production server"],
        [`${production}/edit`, "Edit key"],
        [`${production}/revoke`, "Revoke Production server?"],
        [`/settings/api-keys/${key("Partner preview").keyId}`, "Partner preview"],
        [`/settings/api-keys/${key("Ledger export").keyId}`, "Ledger export"],
        [`/settings/api-keys/${key("Load test").keyId}`, "Load test"],
        ["/settings/projects", "Projects"],
        ["/settings/projects/new", "Create project"],
        [`/settings/projects/${key("Production server").projectId}`, "Image API"],
        ["/settings/service-tokens", "Service tokens"],
        ["/settings/service-tokens/new", "Create service token"],
        [`/settings/service-tokens/${tokens.find((token) => token.name === "Edge proxy").tokenId}/revoke`, "Revoke Edge proxy?"],
        ["/settings/audit-log", "Audit log"],
        ["/settings/members", "Members"],
        ["/settings/members/invite", "Invite a member"],
        [`/settings/members/${grace}`, "Grace Hopper"],
        [`/settings/members/${grace}/role`, "Role of Grace Hopper"],
        [`/settings/members/${grace}/offboard`, "Remove Grace Hopper"],
        ["/settings/security", "Security"],
        ["/settings/organisation", "Organisation"],
        ["/account", "Profile"],
        ["/account/password", "Password"],
        ["/account/two-factor", "Two-factor authentication"],
        ["/account/sessions", "Sessions"],
        ["/account/email", "E-mail address"],
        ["/account/export", "Export your data"],
        ["/account/delete", "Delete your account"],
        ["/instance/organisations", "Organisations"],
        ["/instance/organisations/new", "Create organisation"],
        ["/instance/accounts", "Accounts"],
        [`/instance/accounts/${grace}`, "Grace Hopper"],
        ["/instance/mail", "Mail"],
    ];
}

test.describe("at 360 pixels", () => {
    test.use({ viewport: { width: 360, height: 780 }, hasTouch: true });

    test("no page scrolls sideways", async ({ app, page, watch, javaScriptEnabled }) => {
        test.setTimeout(240_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        const soft = expect.configure({ soft: true });
        const fits = async (what) => {
            const wide = await page.locator("html").evaluate((root) => ({ content: root.scrollWidth, window: root.clientWidth }));
            soft(wide.content, `${what} is wider than the window`).toBeLessThanOrEqual(wide.window);
        };
        await ada.opens("/sign-in", "Sign in");
        await fits("sign-in");
        await ada.signsIn();
        for (const [address, heading] of await everyPage(app)) {
            await ada.opens(address, heading);
            await fits(address);
        }
        watch.expects(404);
        await ada.opens("/nothing", "Not found");
        await fits("not found");
        watch.expects(422);
        await ada.opens("/settings/api-keys/new", "Create API key");
        await ada.sends(ada.submit());
        await fits("create with errors");
        await ada.createsKey("A name of a length that nobody would call short, in a table of 360 pixels", { scope: "images:read" });
        await fits("the secret");
        watch.expects(409);
        await page.reload();
        await ada.sees("Already shown");
        await fits("already shown");
    });

    test("what is touched is large enough", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        const soft = expect.configure({ soft: true });
        await ada.signsIn();
        for (const address of ["/settings/api-keys", "/settings/api-keys/new", "/settings/members", "/settings/security", "/account", "/account/sessions"]) {
            await page.goto(address);
            await ada.settled();
            const controls = page.locator("main :is(.button, button, select, input:not([type=hidden], [type=radio], [type=checkbox])):visible");
            for (const control of await controls.all()) {
                const box = await control.boundingBox();
                soft(Math.round(box.height), await control.evaluate((one) => one.outerHTML.slice(0, 120))).toBeGreaterThanOrEqual(44);
            }
        }
    });
});

test.describe("by keyboard", () => {
    test("the first stop skips to the content", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await page.reload();
        await ada.settled();
        await page.keyboard.press("Tab");
        await expect(ada.link("Skip to content")).toBeFocused();
        await expect(ada.link("Skip to content")).toBeInViewport();
        await page.keyboard.press("Enter");
        await expect(page.locator("#main")).toBeFocused();
        await page.keyboard.press("Tab");
        const stop = page.locator(":focus");
        expect(await stop.evaluate((element) => element.closest("main") !== null), "the next stop is in the content").toBe(true);
    });

    test("a menu opens, is left, and a key is created without a mouse", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await page.locator(".account > summary").focus();
        await page.keyboard.press("Enter");
        await expect(ada.button("Sign out")).toBeVisible();
        await page.keyboard.press("Enter");
        await expect(ada.button("Sign out")).toBeHidden();

        await page.goto("/settings/api-keys/new");
        await ada.settled();
        await page.getByLabel("Name", { exact: true }).focus();
        await page.keyboard.type("By keyboard");
        await page.getByRole("checkbox", { name: "images:read" }).focus();
        await page.keyboard.press("Space");
        await page.getByLabel("Name", { exact: true }).focus();
        await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
        expect(await ada.readsSecret()).toMatch(/^acme_live_/);
    });

    test.describe("on a narrow screen", () => {
        test.use({ viewport: { width: 360, height: 780 } });

        test("the drawer opens, leads on and closes", async ({ app, page, watch, javaScriptEnabled }) => {
            const ada = person({ app, page, watch, javaScriptEnabled });
            await ada.signsIn();
            const projects = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Projects" });
            await expect(projects).toBeHidden();
            await page.keyboard.press("Tab");
            await page.keyboard.press("Tab");
            await expect(page.locator(".drawer > summary")).toBeFocused();
            await page.keyboard.press("Enter");
            await expect(projects).toBeVisible();
            await ada.axe();
            await projects.focus();
            await page.keyboard.press("Enter");
            await ada.sees("Projects");
            await expect(projects, "it does not lie over the page it led to").toBeHidden();
        });
    });
});
