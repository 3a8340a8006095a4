// Rotations that are opened for others: each secret is made when its owner collects it, and what a leaver knows dies.
import { ALAN, GRACE, expect, person, test } from "../kit.mjs";

test("several rotations are started at once, and each owner collects their own secret", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const grace = await another();
    await grace.joins(await ada.invites(GRACE.email), GRACE);
    const code = (key) => app.code(app.made.serviceToken, key);
    const old = await createsFor(ada, "Nightly export", GRACE.name);
    const mine = await createsFor(ada, "Image worker");
    await createsFor(ada, "Left alone");
    expect([await code(old), await code(mine)]).toEqual(["VALID", "VALID"]);

    // Chosen in the list, looked at, started: no secret on any of these pages.
    await ada.goes("API keys");
    await expect(page.getByRole("group", { name: "With the chosen keys" })).toBeHidden();
    await page.getByLabel("Choose Nightly export").check();
    await page.getByLabel("Choose Image worker").check();
    await ada.sends(ada.button("Start rotations…"));
    await ada.sees("Start 2 rotations?");
    const row = (name) => page.getByRole("row", { name });
    await expect(row(/Nightly export/)).toContainText(`Waits for ${GRACE.name}`);
    await expect(row(/Left alone/)).toHaveCount(0);
    watch.expects(422);
    await page.getByRole("radio", { name: "Custom" }).check();
    await page.getByLabel("Hours", { exact: true }).fill("800");
    await ada.sends(ada.button("Start 2 rotations"));
    await expect(page.getByText("Give the hours as a number from 1 to 720").first()).toBeVisible();
    await ada.axe();
    await page.getByRole("radio", { name: "None" }).check();
    await page.getByRole("checkbox", { name: /^Count from the first use/ }).check();
    await ada.sends(ada.button("Start 2 rotations"));
    await ada.sees("Start rotations");
    await expect(page.getByRole("status")).toContainText("2 rotations opened.");
    expect(await code(old), "nothing has changed yet").toBe("VALID");

    // Beside Rotation stands what waits for each: Ada's own one, and Grace's.
    await ada.sends(ada.link("To what waits"));
    await ada.sees("Rotation");
    const waiting = page.getByRole("table", { name: "Waiting to be collected" });
    await expect(waiting.getByRole("row", { name: /Nightly export/ })).toContainText(GRACE.name);
    await expect(waiting.getByRole("link", { name: "Collect the new secret of Nightly export" })).toHaveCount(0);
    await expect(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Rotation (1 waiting)" })).toBeVisible();
    await ada.sends(waiting.getByRole("link", { name: "Call off the rotation of Image worker" }));
    await ada.sees("Call off the rotation of Image worker?");
    await ada.sends(ada.button("Call it off"));
    await ada.sees("Image worker");
    await expect(page.getByText("Called off. The key goes on as it is.")).toBeVisible();

    const secret = await collects(grace, "Nightly export");
    expect(await code(old), "until the new one is used").toBe("VALID");
    expect(await code(secret)).toBe("VALID");
    await expect.poll(() => code(old), "with the first use of the new one").toBe("EXPIRED");
    expect(await code(mine), "called off").toBe("VALID");
    await ada.goes("Audit log");
    for (const act of ["Rotation opened, to be collected", "Opened rotation called off", "Rotation started"]) {
        await expect(page.getByRole("rowheader", { name: act }).first()).toBeVisible();
    }
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
});

test("what somebody who leaves knows dies once the new owner has collected another secret", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const [grace, alan] = [await another(), await another()];
    await grace.joins(await ada.invites(GRACE.email, "Admin"), GRACE);
    await alan.joins(await ada.invites(ALAN.email), ALAN);
    const old = await grace.createsKey("Nightly export");
    await grace.sends(grace.button("I have stored it"));
    const code = (key) => app.code(app.made.serviceToken, key);
    expect(await code(old)).toBe("VALID");

    await ada.opens("/settings/members", "Members");
    await ada.sends(ada.link(GRACE.name));
    await ada.sees(GRACE.name);
    await ada.sends(ada.link("Remove…"));
    await ada.sees(`Remove ${GRACE.name}`);
    await expect(async () => {
        await page.reload();
        await expect(page.getByRole("row", { name: /Nightly export/ }).locator("[data-label='Last 24 h']")).toHaveText("1", { timeout: 200 });
    }).toPass();
    await expect(page.getByLabel("What becomes of Nightly export")).toHaveValue("transfer_and_rotate");
    await page.getByLabel("Transfer to").selectOption({ label: ALAN.name });
    await page.getByRole("radio", { name: "None" }).check();
    await page.getByRole("checkbox", { name: /^Count from the first use/ }).check();
    await ada.axe();
    await ada.sends(ada.button("Remove member"));
    await ada.sees(GRACE.name);
    expect(await code(old), "it goes on while nobody has collected").toBe("VALID");

    await ada.opens("/settings/rotation", "Rotation");
    await ada.sends(page.getByRole("table", { name: "Waiting to be collected" }).getByRole("link", { name: "Nightly export", exact: true }));
    await ada.sees("Nightly export");
    await expect(page.getByText("The key changed hands then, and who had it before knows the secret.")).toBeVisible();
    await expect(page.getByText(`waits for ${ALAN.name}.`)).toBeVisible();

    const secret = await collects(alan, "Nightly export");
    expect(await code(old), "the overlap has not ended").toBe("VALID");
    expect(await code(secret)).toBe("VALID");
    await expect.poll(() => code(old), "now it has").toBe("EXPIRED");
    await page.reload();
    await expect(page.getByText("The key changed hands")).toHaveCount(0);
});

/** Creates a live key by the form, for somebody else or not, and gives its secret. */
async function createsFor(ada, name, owner) {
    const { page } = ada;
    await page.goto("/settings/api-keys/new");
    await ada.settled();
    await page.getByRole("radio", { name: /^Live/ }).check();
    await ada.field("Name").fill(name);
    if (owner) await page.getByLabel("Owner", { exact: true }).selectOption({ label: owner });
    await page.getByRole("checkbox", { name: "read" }).first().check();
    await ada.sends(ada.submit());
    const secret = await ada.readsSecret();
    await ada.sends(ada.button("I have stored it"));
    return secret;
}

/** Finds what waits beside the sidebar's item, and collects it. */
async function collects(somebody, name) {
    const { page } = somebody;
    await somebody.opens("/settings/api-keys", "API keys");
    const item = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Rotation (1 waiting)" });
    await somebody.sends(item);
    await somebody.sees("Rotation");
    await somebody.sends(page.getByRole("link", { name: `Collect the new secret of ${name}` }));
    await somebody.sees("Collect the new secret");
    await somebody.sends(somebody.button("Make the new secret"));
    const secret = await somebody.readsSecret();
    await somebody.sends(somebody.button("I have stored it"));
    await somebody.sees(name);
    return secret;
}
