// A key that may have leaked: stopped at once, looked at, replaced, written up, closed.
import { readFile } from "node:fs/promises";

import { GRACE, expect, person, test } from "../kit.mjs";

test.use({ sendsMail: true });

test("a leaked key is frozen, its use told apart, its secret replaced, and the story closed", async ({ app, page, watch, javaScriptEnabled, another, mailbox }) => {
    test.setTimeout(240_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const grace = await another();
    await grace.joins(await ada.invites(GRACE.email, "Admin"), GRACE);
    const leaked = await ada.createsKey("Nightly export");
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly export");
    const key = page.url().split("?")[0];
    const { secret: neighbour } = await app.issue("Neighbour", { scope: "read" });
    await uses(app, leaked, "10.0.2.7", "/v1/images/1");
    await uses(app, leaked, "10.0.2.7", "/v1/images/2");

    const incident = await reports(ada, leaked, key);
    // Whoever has it goes on trying, from somewhere new, with another key, too.
    await uses(app, leaked, "203.0.113.99", "/v1/export");
    await uses(app, neighbour, "203.0.113.99", "/v1/export");
    await sawIt(ada, incident);
    const letter = await mailbox.letter(GRACE.email, "Nightly export of Acme may have leaked");
    expect(letter.text).toContain("every request with it is refused");
    expect(await mailbox.lettersTo(app.made.email), "who did it needs no letter").toHaveLength(0);

    await cannotOpenASecond(ada, key, incident);
    await sharesTheWork(ada, grace, mailbox, incident);
    await replaces(ada, leaked, incident);
    await closes(ada, incident);
    await takesTheReport(ada, incident, leaked);
    await theListAndTheLogTell(ada);
});

async function uses(app, key, clientIp, path) {
    const told = { clientIp, method: "GET", path, userAgent: "curl/8" };
    return (await app.verify(app.made.serviceToken, key, { body: told })).code;
}

async function reports(ada, leaked, key) {
    const { app, page, watch } = ada;
    await ada.sends(ada.link("This may be leaked…"));
    await ada.sees("Nightly export may be leaked?");
    await expect(page.getByRole("checkbox", { name: /^Freeze the key now/ })).toBeChecked();
    watch.expects(422);
    await page.getByRole("radio", { name: "Earlier" }).check();
    await ada.field("Date and time (UTC)").fill("2020-01-01T10:00");
    await ada.field("How did you notice?").fill("Seen in a public repository\nby </textarea> a friend");
    await ada.sends(ada.button("Open incident"));
    await expect(page.getByText("it cannot have leaked before").first()).toBeVisible();
    await expect(ada.field("How did you notice?")).toHaveValue("Seen in a public repository\nby </textarea> a friend");
    await ada.axe();
    await page.getByRole("radio", { name: "Just now" }).check();
    await ada.sends(ada.button("Open incident"));
    expect(await uses(app, leaked, "10.0.2.7", "/v1/images/3"), "with the next request").toBe("DISABLED");
    await ada.sees("Nightly export may have leaked");
    await expect(page.getByText("Frozen. Every request with the key is refused from now on.")).toBeVisible();
    const incident = page.url().split("?")[0];
    await page.goto(key);
    await expect(page.getByText("This key may have leaked.")).toBeVisible();
    await ada.sends(ada.link("Go to the incident"));
    return incident;
}

async function sawIt(ada, incident) {
    const { page } = ada;
    const addresses = page.getByRole("table", { name: "By address" });
    const others = page.getByRole("table", { name: "Other keys from the same addresses" });
    await expect(async () => {
        await page.goto(incident);
        const stranger = addresses.getByRole("row", { name: /203\.0\.113\.99/ });
        await expect(stranger).toContainText("New", { timeout: 300 });
        await expect(addresses.getByRole("row", { name: /10\.0\.2\.7/ })).not.toContainText("New", { timeout: 300 });
        await expect(others.getByRole("row", { name: /Neighbour/ })).toContainText("203.0.113.99 (2)", { timeout: 300 });
    }).toPass({ timeout: 20_000 });
    await ada.sees("Nightly export may have leaked");
    await expect(page.getByRole("table", { name: "By endpoint" }).getByRole("row", { name: "GET /v1/images/{id}" })).toBeVisible();
    await expect(others.getByRole("link", { name: "Neighbour may be leaked, too" })).toBeVisible();
    await expect(page.getByText("Suspected", { exact: true })).toBeVisible();
}

async function cannotOpenASecond(ada, key, incident) {
    await ada.opens(`${key}/leaked`, "An incident of Nightly export is open already");
    await ada.sends(ada.link("Go to the incident"));
    expect(ada.page.url()).toBe(incident);
}

async function sharesTheWork(ada, grace, mailbox, incident) {
    const { page } = ada;
    const item = page.locator("#item-2");
    await item.getByText("Assign or note").click();
    await item.getByLabel("For").selectOption({ label: GRACE.name });
    await item.getByLabel("Note").fill("Ask the build team");
    await ada.sends(item.getByRole("button", { name: "Save" }));
    await expect(item).toContainText(`For ${GRACE.name}`);
    expect((await mailbox.letter(GRACE.email, "Something to do about Nightly export")).text).toContain("Find out how it leaked");
    await ada.field("Something else to do").fill("Tell the print partner");
    await ada.sends(page.getByRole("button", { name: "Add", exact: true }));
    await expect(page.locator("#item-9")).toContainText("Tell the print partner");
    await grace.opens(incident, "Nightly export may have leaked");
    await grace.sends(grace.page.getByRole("button", { name: "Done: Find out how it leaked" }));
    await expect(grace.page.locator("#item-2")).toContainText(`by ${GRACE.name}`);
    await expect(grace.page.locator("#item-1")).toContainText("The key is frozen.");
}

async function replaces(ada, leaked, incident) {
    const { app, page, watch } = ada;
    await page.goto(incident);
    await ada.settled();
    await ada.sends(ada.link("Replace the secret…"));
    await ada.sees("Replace the secret of Nightly export now?");
    await ada.sends(ada.button("Make the new secret"));
    const fresh = await ada.readsSecret();
    const code = (key) => app.code(app.made.serviceToken, key);
    expect([await code(leaked), await code(fresh)]).toEqual(["EXPIRED", "VALID"]);
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Nightly export");
    await ada.opens(incident, "Nightly export may have leaked");
    await expect(page.getByText("The leaked secret is refused; the new one passes")).toBeVisible();
    watch.expects(422);
}

async function closes(ada, incident) {
    const { page } = ada;
    await ada.sends(ada.link("Close…"));
    await ada.sees("Close the incident of Nightly export?");
    await ada.sends(ada.button("Close incident"));
    await expect(page.locator("#cause-error")).toContainText("Say how the key leaked");
    await ada.axe();
    await ada.field("Cause").fill("Committed with a script.\nIt was public for an hour.");
    await ada.field("What was learnt").fill("Scan before each commit.");
    await ada.sends(ada.button("Close incident"));
    await expect(page.locator("#anyway-error")).toContainText("6 items are still open");
    await page.getByRole("checkbox", { name: /^Close anyway/ }).check();
    await ada.sends(ada.button("Close incident"));
    await ada.sees("Nightly export may have leaked");
    await expect(page.getByText("Closed. The report stays.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Add", exact: true })).toHaveCount(0);
    expect(page.url().split("?")[0]).toBe(incident);
}

async function takesTheReport(ada, incident, leaked) {
    const { page } = ada;
    await ada.sends(ada.link("Report"));
    await ada.sees("Incident report: Nightly export");
    await expect(page.getByText("It was public for an hour.")).toBeVisible();
    const [download] = await Promise.all([page.waitForEvent("download"), ada.button("JSON").click()]);
    const report = JSON.parse(await readFile(await download.path(), "utf8"));
    expect(report.incident).toMatchObject({ status: "closed", lessons: "Scan before each commit." });
    expect(report.use.addresses.rows.find(({ address }) => address === "203.0.113.99")).toMatchObject({ new: true, refusedAfter: 1 });
    expect(JSON.stringify(report)).not.toContain(leaked);
    await page.emulateMedia({ media: "print" });
    await expect(page.getByRole("navigation", { name: "Main" })).toBeHidden();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.emulateMedia({ media: null });
}

async function theListAndTheLogTell(ada) {
    const { app, page } = ada;
    await ada.goes("Incidents");
    const row = page.getByRole("table", { name: "Incidents" }).getByRole("row", { name: /Nightly export/ });
    await expect(row).toContainText("Closed");
    await expect(row).toContainText("Replaced");
    await ada.goes("Audit log");
    for (const act of ["Incident opened", "Key disabled", "Incident: item done", "Incident: secret replaced", "Key enabled", "Incident closed", "Incident exported"]) {
        await expect(page.getByRole("rowheader", { name: act }).first()).toBeVisible();
    }
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
}
