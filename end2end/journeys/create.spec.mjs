// The comforts of creating a key: templates, groups of scopes, review, snippets, links, resources.
import { execFile } from "node:child_process";

import { expect, person, test } from "../kit.mjs";

test("a key is made from a template by presets, reviewed, and its secret has somewhere to go", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await listsScopesAndModels(ada);
    await makesATemplate(ada);
    const secret = await createsFromTheTemplate(ada);
    await seesSnippets(ada, secret);
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly batch");
    await expect(page.getByText("May use 2 of 4 listed resources: gpt-4.1, gpt-4.1-mini.")).toBeVisible();
    const ask = (body) => app.verify(app.made.serviceToken, secret, { body: { resource: "gpt-4.1", ...body } });
    expect((await ask({ permissions: "images:read AND images:write" })).code).toBe("VALID");
    expect((await ask({ permissions: "images:delete" })).code, "no preset takes what is sensitive").toBe("INSUFFICIENT_SCOPE");
    expect((await ask({ permissions: "jobs:run" })).code).toBe("INSUFFICIENT_SCOPE");
    await opensItAsALink(ada);
    await deletesTheTemplate(ada);
});

test("a link fills the form in, says so, and creates nothing by itself", async ({ app, page, watch, javaScriptEnabled }) => {
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const query = "project=image-api&environment=test&name=Preview&scopes=read+*&expiry=30&ip_allow=10.0.0.5/8&colour=red";
    await ada.opens(`/settings/api-keys/new?${query}`, "Create API key");
    await expect(page.getByText("Filled in by a link. Read it before you create the key.")).toBeVisible();
    await expect(page.getByText("The scope * allows everything in the project")).toBeVisible();
    await expect(page.getByText("The address also says “colour”")).toBeVisible();
    await expect(page.locator("#ip_allow-error")).toContainText("Write 10.0.0.0/8 for the network");
    await expect(page.getByLabel("Allowed addresses")).toHaveValue("10.0.0.5/8");
    await expect(page.getByLabel("Wildcards")).toHaveValue("*");
    expect((await app.keywright("keys", "list")).total).toBe(0);
    await page.getByLabel("Allowed addresses").fill("10.0.0.0/8");
    await page.getByLabel("Wildcards").fill("");
    await ada.sends(ada.submit("Test"));
    await ada.readsSecret();
    const { keys } = await app.keywright("keys", "list");
    expect(keys.map(({ name, scopes }) => [name, scopes])).toEqual([["Preview", ["read"]]]);
});

async function listsScopesAndModels(ada) {
    const { page } = ada;
    await ada.goes("Projects");
    await ada.sends(ada.link("Image API"));
    await ada.sees("Image API");
    const scopes = ["images:read", "images:write", "images:delete", "jobs:list", "jobs:run"];
    for (const [index, scope] of scopes.entries()) {
        await page.getByLabel(`Scope ${index + 1}`, { exact: true }).fill(scope);
    }
    await page.getByLabel("Scope 3 is sensitive").check();
    await page.getByLabel("Resources").fill("gpt-4.1 The large one\ngpt-4.1-mini\ngpt-4.1-nano\nclaude-opus-4");
    await ada.sends(ada.button("Save"));
    await ada.sees("Image API");
    await expect(page.getByText("Saved.").first()).toBeVisible();
}

async function makesATemplate(ada) {
    const { page, watch } = ada;
    await ada.goes("Templates");
    await expect(page.getByRole("row", { name: /^Read-only/ })).toContainText("reads everything that is not sensitive");
    await ada.sends(ada.link("Create template"));
    await ada.sees("Create template");
    const name = page.getByLabel("Name", { exact: true });
    await name.fill("Read-only");
    await ada.field("Description").fill("Batch jobs on worker 3");
    await page.getByRole("radio", { name: /^Nothing/ }).check();
    await ada.field("And these scopes").fill("images:read images:write");
    await ada.field("Days between rotations").fill("30");
    watch.expects(422);
    await ada.sends(ada.button("Create template"));
    await expect(page.getByText("Another template has this name.").first()).toBeVisible();
    await expect(ada.field("Description")).toHaveValue("Batch jobs on worker 3");
    await ada.axe();
    await name.fill("Batch");
    await ada.sends(ada.button("Create template"));
    await ada.sees("Templates");
    await expect(page.getByRole("row", { name: /^Batch/ })).toContainText("images:read, images:write, for 90 days, rotated every 30 days");
}

async function createsFromTheTemplate(ada) {
    const { page } = ada;
    await page.goto("/settings/api-keys/new");
    await ada.settled();
    await ada.sends(page.getByRole("navigation", { name: "Start from" }).getByRole("link", { name: /^Batch/ }));
    await ada.sees("Create API key");
    await expect(page.getByText("Filled in from the template Batch.")).toBeVisible();
    const images = page.getByRole("group", { name: "images", exact: true });
    await expect(images.getByRole("radio", { name: "Write" })).toBeChecked();
    await expect(images.getByRole("checkbox"), "shown under Custom alone").toHaveCount(0);
    await images.getByRole("radio", { name: "Custom" }).check();
    await expect(images.getByRole("checkbox", { name: /images:delete/ })).toBeVisible();
    await images.getByRole("radio", { name: "Write" }).check();
    await ada.field("Name").fill("Nightly batch");
    await page.getByText("Addresses, resources, hours").click();
    await page.getByLabel("Allowed resources").fill("gpt-4.1*");
    await page.getByLabel("Denied resources").fill("*-nano");
    if (ada.hydrates) await expect(page.locator(".summary")).toContainText("Nightly batch may read and write images on live of Image API.");
    await ada.sends(ada.button("Review"));
    await ada.sees("Create API key");
    await expect(page.getByText("Review: nothing is created yet")).toBeVisible();
    await expect(page.getByText("It may images:read, images:write.")).toBeVisible();
    await expect(page.getByText("gpt-4.1* allows 3 of 4 listed resources")).toBeVisible();
    await expect(page.getByText("*-nano denies 1 of 4 listed resources")).toBeVisible();
    await expect(images.getByRole("radio", { name: "Write" })).toBeChecked();
    await ada.sends(ada.submit());
    return ada.readsSecret();
}

/** Each is folded, holds no secret, and what is for a shell is understood by one. */
async function seesSnippets(ada, secret) {
    const { page } = ada;
    const kinds = page.locator(".snippets > details");
    await expect(kinds).toHaveCount(11);
    for (const kind of await kinds.all()) await expect(kind).not.toHaveAttribute("open");
    await page.getByText("Kubernetes", { exact: true }).click();
    await expect(page.getByText("--from-file=IMAGE_API_API_KEY=/dev/stdin")).toBeVisible();
    await page.getByText("HashiCorp Vault", { exact: true }).click();
    await expect(page.getByText("vault kv put -mount=secret image-api-live")).toBeVisible();
    await ada.axe();
    expect((await kinds.allTextContents()).join("")).not.toContain(secret.slice(-20));
    for (const kind of ["aws", "google", "azure", "vault", "kubernetes", "docker", "github", "gitlab", "program"]) {
        const line = await page.locator(`#snippet-${kind}-0`).textContent();
        await isShell(line);
    }
    await isShell(await page.locator("#snippet-assistants-0").textContent());
    await isShell(await page.locator("#snippet-environment-2").textContent());
}

/** Whether bash reads the line without complaint; nothing is run. */
async function isShell(line) {
    await new Promise((done, fail) => {
        const shell = execFile("bash", ["-n"], (error, _, complaint) => (error || complaint ? fail(new Error(`${line}\n${complaint}`)) : done()));
        shell.stdin.end(line);
    });
}

async function opensItAsALink(ada) {
    const { page } = ada;
    await page.getByText("Docker", { exact: true }).click();
    await expect(page.getByText("docker secret create image-api-live -")).toBeVisible();
    await ada.sends(ada.link("Copy as link"));
    await ada.sees("Create API key");
    const link = await page.locator("code.address").textContent();
    expect(link).toContain(`${ada.app.origin}/settings/api-keys/new?`);
    expect(link).not.toContain("nonce");
    await page.goto(link);
    await ada.sees("Create API key");
    await expect(ada.field("Name")).toHaveValue("Nightly batch");
    await expect(page.getByLabel("Allowed resources")).toHaveValue("gpt-4.1*");
    await ada.field("Name").fill("Another batch");
    await ada.sends(ada.button("Copy link to this form"));
    await ada.sees("Create API key");
    await expect(page.getByText("This address opens the form as you filled it in.")).toBeVisible();
    expect(await page.locator("code.address").textContent()).toContain("name=Another%20batch");
}

async function deletesTheTemplate(ada) {
    const { page } = ada;
    await ada.goes("Templates");
    await ada.sends(ada.link("Delete Batch"));
    await ada.sees("Delete Batch?");
    await ada.sends(ada.button("Delete template"));
    await ada.sees("Templates");
    await expect(page.getByText("Deleted. Keys that began with it stay as they are.")).toBeVisible();
    await expect(page.getByRole("row", { name: /^Batch/ })).toHaveCount(0);
}
