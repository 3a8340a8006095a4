// What people get wrong: each mistake is told beside its field, and nothing that was typed is lost.
import { GRACE, OWNER, expect, person, test } from "../kit.mjs";
import { codeAt } from "../totp.mjs";

// Soft: one run tells everything that is wrong with a form.
const soft = expect.configure({ soft: true });

/** The text anywhere in a longer one. */
const containing = (text) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));

/** The field is marked, and its message stands beside it and is read out with it. */
async function expectError(page, label, id, message) {
    const field = page.getByLabel(label, { exact: true });
    await soft(field).toHaveAttribute("aria-invalid", "true");
    await soft(field).toHaveAccessibleDescription(containing(message));
    await soft(page.locator(`#${id}-error`)).toContainText(message);
    await expectInSummary(page, id, message);
}

/** A group of choices is described by its message. */
async function expectGroupError(page, id, message) {
    await soft(page.locator(`#${id}-error`)).toContainText(message);
    await soft(page.locator(`#${id}`)).toHaveAccessibleDescription(containing(message));
    await expectInSummary(page, id, message);
}

async function expectInSummary(page, id, message) {
    await soft(page.getByRole("alert").getByRole("link", { name: message })).toHaveAttribute("href", `#${id}`);
}

test.describe("signing in", () => {
    test("a wrong password keeps the e-mail and says nothing about which of the two was wrong", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.opens("/settings/projects", "Sign in");
        watch.expects(401);
        await ada.field("E-mail").fill(app.made.email);
        await ada.field("Password").fill("not the right one at all");
        const answer = await ada.sends(ada.button("Sign in"));
        expect(answer.status()).toBe(401);
        await ada.sees("Sign in");
        await expect(page.getByRole("alert")).toContainText("The e-mail address or the password is not right.");
        await expect(ada.field("E-mail")).toHaveValue(app.made.email);
        await expect(ada.field("Password")).toHaveValue("");
        expect(await page.content()).not.toContain("not the right one at all");

        await ada.field("Password").fill(app.made.password);
        await ada.sends(ada.button("Sign in"));
        // Where one wanted to go survives the mistake.
        await ada.sees("Projects");
    });

    test("a code is read with spaces, and what is no code is told apart from a wrong one", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const secret = await ada.setsUpTwoFactor();
        await ada.signsOut();
        await ada.givesThePassword();
        await ada.sees("Second factor");
        watch.expects(422);
        for (const [typed, message] of [
            ["", "Enter the six digits that your app shows."],
            ["12345", "A code has six digits; this has 5."],
            ["1234567", "A code has six digits; this has 7."],
            ["１２３４５６", "These digits are of another script or width. Type them as 0 to 9."],
            ["12345a", "this has 6 characters."],
        ]) {
            await page.getByLabel("Code", { exact: true }).fill(typed);
            const answer = await ada.sends(ada.button("Continue"));
            expect(answer.status(), typed).toBe(422);
            await expectError(page, "Code", "code", message);
        }
        await ada.sees("Second factor");
        // The next one: the code that confirmed the app is taken.
        const code = codeAt(secret, Date.now() + 30_000);
        await page.getByLabel("Code", { exact: true }).fill(` ${code.slice(0, 3)} ${code.slice(3)} `);
        await ada.sends(ada.button("Continue"));
        await ada.sees("API keys");
    });

    test("setting up a second time is not possible", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        expect(app.setupLink).toBeUndefined();
        watch.expects(404);
        for (const address of ["/setup", `/setup?token=kws_${"0".repeat(50)}`]) {
            const answer = await ada.opens(address, "Not found");
            expect(answer.status()).toBe(404);
        }
    });
});

test.describe("setting up", () => {
    test.use({ beginning: "fresh" });

    test("every field says what is wrong with it, and the link stays good", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.opens(app.setupLink, "Set up Keywright");
        watch.expects(422);
        await ada.field("Your name").fill("Ada");
        await ada.field("E-mail").fill("ada at acme");
        await ada.field("Password").fill("too short");
        await ada.field("Key prefix").fill("kwt");
        await ada.field("Scope 1").first().fill("Not A Scope");
        const answer = await ada.sends(ada.button("Create and sign in"));
        expect(answer.status()).toBe(422);
        await ada.sees("Set up Keywright");
        await expect(page.getByRole("alert")).toContainText("things need your attention");
        await expectError(page, "E-mail", "email", "This is not an e-mail address.");
        await expectError(page, "Password", "password", "it needs at least 15");
        await expectError(page, "Organisation", "organisation", "The organisation’s name is missing.");
        await expectError(page, "Project name", "project", "The project name is missing.");
        await expectError(page, "Key prefix", "prefix", "is reserved");
        await expectGroupError(page, "scopes", "is not a scope name");
        await expect(ada.field("Your name")).toHaveValue("Ada");
        await expect(ada.field("E-mail")).toHaveValue("ada at acme");
        await expect(ada.field("Key prefix")).toHaveValue("kwt");
        await expect(page.getByLabel("Scope 1", { exact: true })).toHaveValue("Not A Scope");
        await expect(page.getByLabel("Description of scope 2")).toHaveValue("Create, change and delete");
        expect(await page.content()).not.toContain("too short");

        await ada.field("E-mail").fill("ada@acme.example");
        await ada.field("Password").fill("four unrelated words here");
        await ada.field("Organisation").fill("Acme");
        await ada.field("Project name").fill("Image API");
        await ada.field("Key prefix").fill("acme");
        await page.getByLabel("Scope 1", { exact: true }).fill("read");
        await ada.sends(ada.button("Create and sign in"));
        await ada.sees("API keys");
    });
});

test.describe("the form of a key", () => {
    test("an empty form tells all that is missing and keeps what was chosen", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.opens("/settings/api-keys/new", "Create API key");
        watch.expects(422);
        await page.getByRole("radio", { name: /^Test/ }).check();
        await ada.field("Purpose").fill("Renders <b>product</b> pictures");
        await page.getByRole("radio", { name: "30 days" }).check();
        const answer = await ada.sends(ada.submit("Test"));
        expect(answer.status()).toBe(422);
        await ada.sees("Create API key");
        await soft(page.getByRole("alert")).toContainText("2 things need your attention");
        await expectError(page, "Name", "name", "The name is missing.");
        await expectGroupError(page, "scopes", "Choose at least one scope");
        await expect(page.getByRole("radio", { name: /^Test/ })).toBeChecked();
        await expect(ada.field("Purpose")).toHaveValue("Renders <b>product</b> pictures");
        await expect(page.getByRole("radio", { name: "30 days" })).toBeChecked();

        // The summary of mistakes leads to the field.
        await page.getByRole("alert").getByRole("link", { name: "The name is missing." }).click();
        await expect(page.getByLabel("Name", { exact: true })).toBeFocused();

        // Put right, it passes.
        await page.getByLabel("Name", { exact: true }).fill("CI");
        await page.getByRole("checkbox", { name: "read" }).check();
        await ada.sends(ada.submit("Test"));
        expect(await ada.readsSecret()).toMatch(/^acme_test_/);
    });

    test("a taken name, an unknown scope, a wrong wildcard, a day that has passed", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await app.issue("Production server");
        await ada.signsIn();
        await ada.opens("/settings/api-keys/new", "Create API key");
        watch.expects(422);
        watch.expects(409);

        // Names that read alike are one.
        await page.getByLabel("Name", { exact: true }).fill("  PRODUCTION server ");
        await page.getByRole("checkbox", { name: "read" }).check();
        await ada.sends(ada.submit());
        await expectError(page, "Name", "name", "Another live key of this project has this name.");
        await expect(page.getByRole("checkbox", { name: "read" })).toBeChecked();
        await ada.axe();

        await page.getByLabel("Name", { exact: true }).fill("Worker");
        await ada.field("Wildcards").fill("images:*:own");
        await ada.sends(ada.submit());
        await expect(page.getByRole("alert")).toContainText("“images:*:own” is not a scope");
        await expect(ada.field("Wildcards")).toHaveValue("images:*:own");

        await ada.field("Wildcards").fill("videos:read");
        await ada.sends(ada.submit());
        await expect(page.getByRole("alert")).toContainText("Image API does not list videos:read.");
        await expect(ada.field("Wildcards")).toHaveValue("videos:read");

        await ada.field("Wildcards").fill("");
        await page.getByRole("group", { name: "Expires" }).getByRole("radio", { name: "Custom" }).check();
        await ada.field("Last valid day").fill("2020-02-29");
        await ada.sends(ada.submit());
        await expectGroupError(page, "expiry", "2020-02-29 has passed. Choose a later day.");
        await expect(page.getByRole("group", { name: "Expires" }).getByRole("radio", { name: "Custom" })).toBeChecked();
        await expect(ada.field("Last valid day")).toHaveValue("2020-02-29");
        await expect(ada.field("Name").first()).toHaveValue("Worker");
        await ada.axe();

        const { total } = await app.keywright("keys", "list");
        expect(total, "none of these made a key").toBe(1);
    });

    test("what is too long is refused by the server too", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.opens("/settings/api-keys/new", "Create API key");
        watch.expects(422);
        const tooLong = "n".repeat(201);
        const name = page.getByLabel("Name", { exact: true });
        await name.fill(tooLong);
        await expect(name, "the browser stops at the limit").toHaveValue("n".repeat(200));
        await name.evaluate((input) => input.removeAttribute("maxlength"));
        await name.fill(tooLong);
        const purpose = ada.field("Purpose");
        await purpose.evaluate((input) => input.removeAttribute("maxlength"));
        await purpose.fill("p".repeat(1001));
        await page.getByRole("checkbox", { name: "read" }).check();
        await ada.sends(ada.submit());
        await expectError(page, "Name", "name", "The name has 201 characters; at most 200 fit.");
        await expect(page.locator("#purpose-error")).toContainText("The purpose has 1001 characters; at most 1000 fit.");
        await expect(page.locator("#purpose")).toHaveAttribute("aria-invalid", "true");
        await expect(name).toHaveValue(tooLong);
    });
});

test.describe("other forms", () => {
    test("a project and a service token tell what is wrong beside the field", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        watch.expects(422);
        watch.expects(409);
        await ada.opens("/settings/projects/new", "Create project");
        await page.getByLabel("Name", { exact: true }).fill("日本");
        await ada.field("Key prefix").fill("Not-Good");
        await page.getByLabel("Scope 2", { exact: true }).fill("read");
        await ada.sends(ada.button("Create project"));
        await ada.sees("Create project");
        await expectError(page, "Name", "name", "needs at least one letter a–z or digit");
        await expectError(page, "Key prefix", "prefix", "2 to 16 lower-case letters");
        await expectGroupError(page, "scopes", "“read” is listed twice.");
        await expect(page.getByLabel("Name", { exact: true })).toHaveValue("日本");

        await page.getByLabel("Name", { exact: true }).fill("image api");
        await ada.field("Key prefix").fill("other");
        await page.getByLabel("Scope 2", { exact: true }).fill("");
        await ada.sends(ada.button("Create project"));
        await expect(page.getByLabel("Name", { exact: true })).toHaveAttribute("aria-invalid", "true");

        await ada.opens("/settings/service-tokens/new", "Create service token");
        for (const box of await page.getByRole("checkbox").all()) await box.uncheck();
        await ada.sends(ada.button("Create token"));
        await ada.sees("Create service token");
        await expectError(page, "Name", "name", "is missing.");
        await expectGroupError(page, "permissions", "Choose at least one permission.");
        for (const box of await page.getByRole("checkbox").all()) await expect(box).not.toBeChecked();
    });

    test("of two people who edit a project at once, the second is told", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.goes("Projects");
        await ada.sends(ada.link("Image API"));
        await ada.sees("Image API");
        const other = await page.context().newPage();
        await other.goto(page.url());
        await other.getByLabel("Name", { exact: true }).fill("Image service");
        await other.getByRole("button", { name: "Save" }).click();
        await expect(other.getByRole("status")).toHaveText(/Saved/);
        await other.close();

        watch.expects(409);
        await page.getByLabel("Name", { exact: true }).fill("Picture API");
        const answer = await ada.sends(ada.button("Save"));
        expect(answer.status()).toBe(409);
        await expect(page.getByRole("alert")).toBeVisible();
        await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Picture API");
        await ada.axe();
        await ada.sends(ada.button("Save"));
        await ada.sees("Picture API");
    });
});

test.describe("invitations", () => {
    test("who is a member, or invited already, or no address is not invited", async ({ app, page, watch, javaScriptEnabled, another }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const link = await ada.invites(GRACE.email, "Developer");
        watch.expects(409);
        watch.expects(422);
        const refused = async (email, message) => {
            await ada.asksToInvite(email, "Admin");
            await ada.sees("Invite a member");
            await expectError(page, "E-mail address", "email", message);
            await soft(ada.field("E-mail address")).toHaveValue(email);
            await soft(page.getByRole("radio", { name: /^Admin/ })).toBeChecked();
        };
        await refused("grace", "This is not an e-mail address.");
        await refused(GRACE.email, "This address is invited already.");
        await refused(OWNER.email.toUpperCase(), "This person is a member already. Change their role on their page.");
        const grace = await another();
        await grace.joins(link, GRACE);
        await refused(GRACE.email, "This person is a member already.");
    });

    test("a link that is opened while signed in as somebody else leads on, and joins nobody by mistake", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const link = await ada.invites(GRACE.email, "Developer");
        await ada.opens(link, "Invitation");
        await expect(page.getByText(`It is for ${GRACE.email}, and you are signed in as ${OWNER.email}.`)).toBeVisible();
        await expect(ada.button("Create account and join")).toHaveCount(0);
        await ada.sends(ada.link("Stay signed in"));
        await ada.sees("API keys");

        await ada.opens(link, "Invitation");
        await ada.sends(ada.button("Sign out and go on"));
        await ada.sees("Invitation");
        expect(new URL(page.url()).search, "the link is kept, but not in the address").toBe("");
        await ada.field("Your name").fill(GRACE.name);
        await page.getByLabel("Password", { exact: true }).fill(GRACE.password);
        await ada.sends(ada.button("Create account and join"));
        await ada.sees("API keys");
        await expect(page.locator(".account > summary")).toContainText(GRACE.email);
    });
});

test.describe("addresses", () => {
    test("an unknown key, something that is no id, and no page at all are one readable 404", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        watch.expects(404);
        for (const address of [
            "/settings/api-keys/key_0123456789AB", "/settings/api-keys/nonsense", "/settings/api-keys/key_0123456789AB/edit",
            "/settings/api-keys/key_0123456789AB/revoke", "/settings/projects/prj_0123456789AB", "/settings/service-tokens/tok_0123456789AB/revoke",
            "/settings/nothing", "/nothing",
        ]) {
            const answer = await ada.opens(address, "Not found");
            expect(answer.status(), address).toBe(404);
        }
        await ada.sends(ada.link("Go to API keys"));
        await ada.sees("API keys");
    });

    test("wrong values in an address are left out, not an error", async ({ app, page, watch, javaScriptEnabled }) => {
        const ada = person({ app, page, watch, javaScriptEnabled });
        await app.issue("Production server");
        await ada.signsIn();
        const answer = await ada.opens("/settings/api-keys?project=x&environment=y&status=z&sort=%00&page=-1", "API keys");
        expect(answer.status()).toBe(200);
        await expect(page.getByRole("row", { name: /Production server/ })).toBeVisible();
        await ada.opens("/settings/api-keys?page=999999999999", "API keys");
        await ada.opens("/settings/audit-log?page=99&action=%F0", "Audit log");
    });
});

test.describe("a whole key where it does not belong", () => {
    for (const [where, label, name] of [["/settings/api-keys", "Search keys", "q"], ["/settings/audit-log", "On", "target"]]) {
        test(`in the search of ${where} it is reduced to its id`, async ({ app, page, watch, javaScriptEnabled }) => {
            const ada = person({ app, page, watch, javaScriptEnabled });
            const { keyId, secret } = await app.issue("Production server");
            await ada.signsIn();
            await page.goto(where);
            await ada.settled();
            const asked = [];
            page.on("request", (request) => asked.push(`${request.method()} ${request.url()} ${request.postData() ?? ""} ${JSON.stringify(request.headers())}`));
            const answers = [];
            page.on("response", (response) => answers.push(response));
            await page.getByLabel(label, { exact: true }).fill(`  ${secret} `);
            await page.getByLabel(label, { exact: true }).press("Enter");
            await page.waitForURL((url) => url.searchParams.get(name) === keyId);
            await ada.settled();
            expect(new URL(page.url()).search).toContain(`${name}=${keyId}`);
            expect(page.url()).not.toContain(secret);
            await expect(page.getByLabel(label, { exact: true })).toHaveValue(keyId);
            await expect(page.getByRole("row", { name: /Production server/ }).first()).toBeVisible();
            const leaks = asked.filter((request) => request.includes(secret));
            if (ada.hydrates) {
                expect(leaks, "it did not travel").toEqual([]);
            } else {
                const refused = answers.find((response) => response.url().includes(secret));
                expect(refused.status()).toBe(303);
                expect(refused.headers().location).toContain(`${name}=${keyId}`);
            }
            expect(app.log).not.toContain(secret);
            await ada.axe();
        });
    }
});
