// The same key, two secrets for a while, with traffic on both.
import { GRACE, expect, person, test } from "../kit.mjs";

test("a key is rotated while both secrets are in use, and each end of it holds", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const grace = await another();
    await grace.joins(await ada.invites(GRACE.email, "Admin"), GRACE);
    const old = await ada.createsKey("Nightly export");
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly export");
    const address = page.url().split("?")[0];

    // Somebody who opened the form at the same time comes second.
    await grace.opens(`${address}/rotate`, "Rotate key");
    const secret = await rotates(ada);
    grace.watch.expects(409);
    const second = await grace.sends(grace.button("Make the new secret"));
    expect(second.status()).toBe(409);
    await expect(grace.page.getByText("running already").first()).toBeVisible();

    const traffic = new Traffic(app, { old, secret });
    try {
        await watchesBoth(ada, traffic);
        await lengthens(ada);
        await finishes(ada, traffic);
    } finally {
        await traffic.stops();
    }
    await takesAnotherBack(ada, secret);
    await theLogTells(ada);
});

/** Asks about both secrets again and again, each from its own address, and remembers the last codes. */
class Traffic {
    constructor(app, secrets) {
        Object.assign(this, { app, secrets, last: {}, running: true });
        this.done = this.goesOn();
    }

    async goesOn() {
        const from = { old: "10.0.2.7", secret: "10.0.9.9" };
        while (this.running) {
            for (const [name, key] of Object.entries(this.secrets)) {
                const answer = await this.app.verify(this.app.made.serviceToken, key, { body: { clientIp: from[name] } });
                this.last[name] = answer.code;
                this.told = { ...this.told, [name]: answer.rotation?.secret };
            }
            await new Promise((resume) => setTimeout(resume, 50));
        }
    }

    async stops() {
        this.running = false;
        await this.done;
    }
}

async function rotates(ada) {
    const { page, watch } = ada;
    await ada.sends(ada.link("Rotate…"));
    await ada.sees("Rotate key");
    watch.expects(422);
    await page.getByRole("radio", { name: "Custom" }).check();
    await page.getByLabel("Hours", { exact: true }).fill("800");
    await ada.sends(ada.button("Make the new secret"));
    await expect(page.getByText("Give the hours as a number from 1 to 720").first()).toBeVisible();
    await expect(page.getByLabel("Hours", { exact: true })).toHaveValue("800");
    await ada.axe();
    await page.getByRole("radio", { name: "1 hour" }).check();
    await ada.sends(ada.button("Make the new secret"));
    const secret = await ada.readsSecret();
    await expect(page.getByText("This is the new secret of the key")).toBeVisible();
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly export");
    await expect(page.locator(".title-row")).toContainText("Rotating");
    return secret;
}

async function watchesBoth(ada, traffic) {
    const { page } = ada;
    const card = page.getByRole("region", { name: "Rotation" });
    await expect(async () => {
        await page.reload();
        await expect(card).toContainText("The old secret was last used just now from 10.0.2.7. Something still has it.", { timeout: 300 });
        await expect(card).toContainText("10.0.9.9", { timeout: 300 });
    }).toPass({ timeout: 15_000 });
    await ada.sees("Nightly export");
    expect(traffic.last).toEqual({ old: "VALID", secret: "VALID" });
    expect(traffic.told).toEqual({ old: "previous", secret: "current" });
    await ada.goes("Rotation");
    const running = page.getByRole("table", { name: "Running" }).getByRole("row", { name: /Nightly export/ });
    await expect(running).toContainText("in 59 minutes");
    await ada.sends(running.getByRole("link", { name: "Nightly export", exact: true }));
    await ada.sees("Nightly export");
}

async function lengthens(ada) {
    const { page } = ada;
    await ada.sends(ada.link("Extend…"));
    await ada.sees("Let the old secret of Nightly export go on?");
    await page.getByRole("radio", { name: "3 days" }).check();
    await ada.sends(ada.button("Extend"));
    await ada.sees("Nightly export");
    await expect(page.getByText("Extended. The old secret goes on until then.")).toBeVisible();
    await expect(page.getByRole("region", { name: "Rotation" })).toContainText("in 2 days");
}

async function finishes(ada, traffic) {
    const { page } = ada;
    await ada.sends(ada.link("Finish now…"));
    await ada.sees("Finish the rotation of Nightly export?");
    await expect(page.getByText(/It was used for [\d,]+ requests? in the last 24 hours/)).toBeVisible();
    await ada.sends(ada.button("Finish now"));
    await ada.sees("Nightly export");
    await expect.poll(() => traffic.last, "at once").toEqual({ old: "EXPIRED", secret: "VALID" });
    await expect(page.getByRole("region", { name: "Rotation" })).toHaveCount(0);
}

async function takesAnotherBack(ada, secret) {
    const { app, page } = ada;
    const code = (key) => app.code(app.made.serviceToken, key);
    await ada.sends(ada.link("Rotate…"));
    await ada.sees("Rotate key");
    await page.getByRole("checkbox", { name: /^Count from the first use/ }).check();
    await ada.sends(ada.button("Make the new secret"));
    const newest = await ada.readsSecret();
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly export");
    const card = page.getByRole("region", { name: "Rotation" });
    await expect(card).toContainText("Ends 24 hours after the first use of the new one");
    expect(await code(newest)).toBe("VALID");
    await expect(async () => {
        await page.reload();
        await expect(card).toContainText("Ends in 23 hours", { timeout: 300 });
    }).toPass({ timeout: 15_000 });
    await ada.sends(ada.link("Cancel…"));
    await ada.sees("Cancel the rotation of Nightly export?");
    await ada.sends(ada.button("Cancel the rotation"));
    await ada.sees("Nightly export");
    expect([await code(secret), await code(newest)]).toEqual(["VALID", "NOT_FOUND"]);
}

async function theLogTells(ada) {
    const { app, page } = ada;
    await ada.goes("Audit log");
    for (const act of ["Rotation started", "Rotation extended", "Rotation finished", "Rotation counts down from the first use", "Rotation cancelled"]) {
        await expect(page.getByRole("rowheader", { name: act }).first()).toBeVisible();
    }
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
}
