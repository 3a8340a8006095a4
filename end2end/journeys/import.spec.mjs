// Keys that were issued elsewhere: declared, sent with a mistake, sent right, verified, rotated, exported.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { expect, person, test } from "../kit.mjs";

const OLD = [1, 2].map((n) => `old_${"k3yOfTheFormerGateway".padEnd(31, "x")}${n}`);
const digest = (text) => createHash("sha256").update(text).digest("hex");
const HEADING = "digest,name,environment,owner,scopes";

function file(environment) {
    const rows = OLD.map((text, at) => `${digest(text)},Old ${at + 1},${environment},team:data,read`);
    return { name: "legacy.csv", mimeType: "text/csv", buffer: Buffer.from([HEADING, ...rows].join("\n")) };
}

test("keys from elsewhere are imported, pass, rotate and leave as a file", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();

    await ada.opens("/settings/api-keys/import", "Import keys");
    await expect(page.getByRole("heading", { name: "No project takes imported keys" })).toBeVisible();
    await ada.sends(page.getByRole("link", { name: "Choose a project" }));
    await ada.sends(page.getByRole("link", { name: "Image API" }));
    await declares(ada, { prefix: "acme_live_", length: "50", refused: true });
    await declares(ada, { prefix: "old_", length: "32" });
    expect(await app.code(app.made.serviceToken, OLD[0])).toBe("NOT_FOUND");

    await ada.opens("/settings/api-keys/import", "Import keys");
    await page.getByLabel("File", { exact: true }).setInputFiles(file("stage"));
    watch.expects(422);
    const refused = await ada.sends(ada.button("Check the file"));
    expect(refused.status()).toBe(422);
    await expect(page.getByText("2 rows of 2 are wrong").first()).toBeVisible();
    await expect(page.getByRole("row", { name: /2\s+environment\s+Choose live or test/ })).toBeVisible();
    await ada.axe();

    await page.getByLabel("File", { exact: true }).setInputFiles(file("live"));
    await ada.sends(ada.button("Check the file"));
    await expect(page.getByRole("heading", { name: "2 keys can be imported" })).toBeVisible();
    await ada.sees("Import keys");
    await ada.sends(ada.button("Import 2 keys"));
    await ada.sees("API keys");
    await expect(page.getByText("imported · old_…")).toHaveCount(2);
    expect(await app.code(app.made.serviceToken, OLD[0])).toBe("VALID");

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    const csv = await readFile(await download.path(), "utf8");
    expect(csv).toContain(",Old 1,");
    expect(csv).not.toContain(digest(OLD[0]));

    await ada.sends(page.getByRole("link", { name: "Old 1", exact: true }));
    await ada.sees("Old 1");
    const address = page.url().split("?")[0];
    await ada.opens(`${address}/rotate`, "Rotate key");
    await ada.sends(ada.button("Make the new secret"));
    const fresh = await ada.readsSecret();
    expect(fresh).toMatch(/^acme_live_/);
    const { serviceToken } = app.made;
    expect((await app.verify(serviceToken, fresh)).rotation.secret).toBe("current");
    expect((await app.verify(serviceToken, OLD[0])).rotation.secret).toBe("previous");
    expect(app.log, "no log tells an imported key").not.toContain(OLD[0]);
});

/** Declares an import format on the project's page that is open. */
async function declares(ada, { prefix, length, refused = false }) {
    const { page, watch } = ada;
    const fold = page.locator("details", { has: page.locator("summary", { hasText: "Import formats" }) });
    if (!await fold.evaluate((details) => details.open).catch(() => fold.getAttribute("open"))) {
        await fold.locator("summary").click();
    }
    await page.getByLabel("Prefix of format 1").fill(prefix);
    await page.getByLabel("Length of format 1").fill(length);
    if (refused) watch.expects(422);
    const answer = await ada.sends(ada.button("Save"));
    expect(answer.status()).toBe(refused ? 422 : 200);
    if (refused) await expect(page.getByText("could also be a key or token of Keywright").first()).toBeVisible();
}
