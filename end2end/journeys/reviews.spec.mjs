// What keys may do is looked at: by the advisor, and by people in a review.
import { expect, person, test } from "../kit.mjs";

test.describe("the advisor", () => {
    test.use({ beginning: "demo" });

    test("takes away what nothing needed for 90 days, and gives it back", async ({ app, page, watch, javaScriptEnabled }) => {
        test.setTimeout(120_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await ada.sends(ada.link("CI pipeline"));
        await ada.sees("CI pipeline");
        const card = page.getByRole("region", { name: "Least privilege" });
        await expect(card).toContainText("Take away images:write");
        await expect(card).toContainText("Allow it only from 192.0.2.15");

        await test.step("nothing ticked is nothing done", async () => {
            watch.expects(422);
            for (const box of await card.getByRole("checkbox").all()) await box.uncheck();
            await ada.sends(ada.button("Tighten"));
            await ada.sees("Tighten key");
            await expect(page.getByText("Choose at least one thing to take away.").first()).toBeVisible();
        });
        await page.getByRole("checkbox", { name: /images:write/ }).check();
        await page.getByRole("checkbox", { name: /192\.0\.2\.15/ }).uncheck();
        await ada.sends(ada.button("Tighten"));
        await ada.sees("CI pipeline");
        await expect(page.getByRole("status")).toContainText("Tightened. For seven days it can be undone");
        await expect(page.getByText("It holds one scope, on test only.")).toBeVisible();
        await expect(card).not.toContainText("Take away images:write");

        await ada.sends(ada.link("Undo…"));
        await ada.sees("Undo the tightening of CI pipeline?");
        await expect(page.getByText("The scope images:write.")).toBeVisible();
        await ada.sends(ada.button("Undo"));
        await ada.sees("CI pipeline");
        await expect(page.getByText("It holds 2 scopes, on test only.")).toBeVisible();
        await expect(card).toContainText("has been watched since");

        await ada.opens("/settings/api-keys?q=Old+worker", "API keys");
        await ada.opens("/settings/audit-log", "Audit log");
        await expect(page.getByRole("table")).toContainText("Tightening undone");
        await expect(page.getByRole("table")).toContainText("Access that nothing needed taken away");
    });
});

test.describe("a review", () => {
    test.use({ beginning: "demo" });

    test("is started by one person and decided by another, and its result can be taken away", async ({ app, page, watch, javaScriptEnabled, another }) => {
        test.setTimeout(180_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        await starts(ada);
        const address = page.url().split("?")[0];

        const grace = await another();
        await grace.signsIn({ email: "grace@acme.example" });
        await decides(grace);
        await ada.opens(address, "Payments, fourth quarter");
        await expect(page.getByText("of 4 done")).toBeVisible();
        await ada.sends(ada.link("Finish…"));
        await ada.sees("Finish Payments, fourth quarter?");
        watch.expects(409);
        await ada.sends(ada.button("Finish now"));
        await expect(page.getByText(/(is|are) not decided\. Decide about/).first()).toBeVisible();
        await exports(ada, address);
        await ada.opens(`${address}/cancel`, "Cancel Payments, fourth quarter?");
        await ada.sends(ada.button("Cancel the review"));
        await ada.sees("Payments, fourth quarter");
        await expect(page.locator(".title-row")).toContainText("Cancelled");
        await ada.goes("Reviews");
        await expect(page.getByRole("row", { name: /Payments, fourth quarter/ })).toContainText("Cancelled");
    });
});

async function starts(ada) {
    const { page, watch } = ada;
    await ada.goes("Reviews");
    await ada.sends(ada.link("Start a review"));
    await ada.sees("Start a review");
    await page.getByLabel("Project").selectOption("Payments");
    await ada.sends(ada.button("Count"));
    await ada.sees("Start a review");
    await expect(page.getByText("4 keys · Project Payments.")).toBeVisible();

    watch.expects(422);
    await page.getByLabel("Last day").fill("2020-01-01");
    await ada.sends(ada.button("Start with 4 keys"));
    await ada.sees("Start a review");
    await expect(page.getByText("Reviewers need some time.").first()).toBeVisible();
    await expect(page.getByText("4 keys · Project Payments."), "the filter is kept").toBeVisible();
    await page.getByLabel("Name", { exact: true }).fill("Payments, fourth quarter");
    await page.getByLabel("Last day").fill(new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10));
    await page.getByRole("checkbox", { name: "Ada Lovelace" }).check();
    await page.getByRole("checkbox", { name: "Grace Hopper" }).check();
    await page.getByRole("radio", { name: /They are disabled/ }).check();
    await ada.sends(ada.button("Start with 4 keys"));
    await ada.sees("Payments, fourth quarter");
    await expect(page.getByRole("status")).toContainText("Started.");
}

async function decides(grace) {
    const { page } = grace;
    await grace.goes("Reviews");
    await grace.sends(page.getByRole("link", { name: "Payments, fourth quarter" }));
    await grace.sees("Payments, fourth quarter");
    const items = page.locator(".review-item").filter({ has: page.getByRole("radio", { name: "Keep" }) });
    const count = await items.count();
    expect(count, "something waits for Grace").toBeGreaterThan(1);
    await items.first().getByRole("radio", { name: "Keep" }).check();
    await items.first().getByLabel(/^Note about/).fill("Needed until spring");
    await items.nth(1).getByRole("radio", { name: "Revoke" }).check();
    const revoked = await items.nth(1).getByRole("heading").innerText();
    await grace.sends(grace.button("Save decisions"));
    await grace.sees("Payments, fourth quarter");
    await grace.sends(page.getByRole("navigation", { name: "Keys" }).getByRole("link", { name: "Decided" }));
    await grace.sees("Payments, fourth quarter");
    await expect(page.locator(".review-item").filter({ hasText: revoked.split("\n")[0].trim() })).toContainText("Revoked");
    await expect(page.locator(".review-item input[type=text]").first()).toHaveValue("Needed until spring");
}

async function exports(ada, address) {
    const { page } = ada;
    await ada.opens(`${address}/export`, "Export review");
    const [download] = await Promise.all([page.waitForEvent("download"), ada.button("Signed document (JSON)").click()]);
    const { readFile } = await import("node:fs/promises");
    const path = await download.path();
    const signed = JSON.parse(await readFile(path, "utf8"));
    expect(signed.document.items).toHaveLength(4);
    expect(signed.signature.algorithm).toBe("Ed25519");
    await expect(page.getByText(signed.signature.publicKey)).toBeVisible();
    const verified = await ada.app.keywright("reviews", "verify", path);
    expect(verified).toMatchObject({ intact: true, ours: true });
    const [table] = await Promise.all([page.waitForEvent("download"), ada.button("Table (CSV)").click()]);
    expect((await readFile(await table.path(), "utf8")).split("\r\n")[0]).toContain("key_id,name,environment");
}
