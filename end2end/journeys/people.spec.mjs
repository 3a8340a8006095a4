// People come, are asked for more, and go.
import { ALAN, GRACE, OWNER, expect, person, test } from "../kit.mjs";
import { codeAt } from "../totp.mjs";

test("somebody is invited, joins, creates keys and leaves, and every key's fate is decided", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    const grace = await another();
    await ada.signsIn();
    const link = await handsOverAnInvitation(ada);
    await accepts(grace, link);
    const keys = await createsTwoKeys(grace);
    const verify = (key) => app.code(app.made.serviceToken, key);
    for (let times = 0; times < 3; times += 1) expect(await verify(keys.moved)).toBe("VALID");
    expect(await verify(keys.left)).toBe("VALID");

    await isRemoved(ada);
    expect(await verify(keys.moved), "what was transferred goes on").toBe("VALID");
    expect(await verify(keys.left), "what was left is refused").toBe("OWNER_INACTIVE");
    await reachesNothing(grace);
    await theLogTells(ada);
});

async function handsOverAnInvitation(ada) {
    const { page } = ada;
    await ada.goes("Members");
    await expect(page.getByRole("row", { name: OWNER.name })).toContainText("you");
    await ada.sends(ada.link("Invite"));
    const link = await ada.invites(GRACE.email, "Admin");
    expect(link).toMatch(/\/invitation\?token=kwi_[0-9A-Za-z]+$/);
    await expect(page.getByText("no mail server is set up")).toBeVisible();
    await expect(page.getByText("It works once, for this address alone")).toBeVisible();
    await ada.sends(ada.button("Done"));
    await ada.sees("Members");
    expect(ada.watch.dialogs, "whoever is done is not asked").toEqual([]);
    const waiting = page.getByRole("table", { name: "Invitations" }).getByRole("row", { name: GRACE.email });
    await expect(waiting).toContainText("Admin");
    await expect(waiting).toContainText(OWNER.name);
    return link;
}

async function accepts(grace, link) {
    const { page, watch } = grace;
    const answer = await grace.opens(link, "Invitation");
    expect(answer.headers()["referrer-policy"]).toBe("no-referrer");
    expect(answer.headers()["cache-control"]).toContain("no-store");
    await expect(page.getByText("invites you to join")).toContainText(`${OWNER.name} invites you to join Acme as admin.`);
    // Looking uses nothing up.
    await grace.opens(link, "Invitation");
    await expect(page.getByLabel("E-mail")).toHaveValue(GRACE.email);
    await expect(page.getByLabel("E-mail")).not.toBeEditable();

    watch.expects(422);
    await grace.field("Your name").fill(GRACE.name);
    await page.getByLabel("Password", { exact: true }).fill("gracehopperacme");
    await grace.sends(grace.button("Create account and join"));
    await grace.sees("Invitation");
    await expect(page.locator("#password-error")).toContainText("Choose another password.");
    await expect(grace.field("Your name")).toHaveValue(GRACE.name);

    await page.getByLabel("Password", { exact: true }).fill(GRACE.password);
    await grace.sends(grace.button("Create account and join"));
    await grace.sees("API keys");
    await expect(page.locator(".account > summary")).toContainText(GRACE.email);
    await expect(page.locator(".switcher > summary")).toContainText("Admin");

    watch.expects(410);
    const again = await page.goto(link);
    expect(again.status()).toBe(410);
    await expect.soft(page.getByRole("heading", { level: 1 }), "one heading").toHaveText(["The link is no longer valid"]);
    await grace.settled();
    await grace.axe();
}

async function createsTwoKeys(grace) {
    const moved = await grace.createsKey("Nightly export");
    await grace.sends(grace.button("I have stored it"));
    const left = await grace.createsKey("Old script");
    await grace.sends(grace.button("I have stored it"));
    await grace.sees("Old script");
    return { moved, left };
}

async function isRemoved(ada) {
    const { page } = ada;
    await ada.goes("Members");
    await expect(page.getByRole("table", { name: "Invitations" })).toHaveCount(0);
    const row = page.getByRole("row", { name: GRACE.name });
    await expect(row.getByRole("cell").nth(2)).toHaveText("2");
    await ada.sends(ada.link(GRACE.name));
    await ada.sees(GRACE.name);
    await expect(page.locator(".facts")).toContainText("2 keys");
    await ada.sends(ada.link("Remove…"));
    await ada.sees(`Remove ${GRACE.name}`);

    const moved = page.getByRole("row", { name: /Nightly export/ });
    // Usage is written in batches, a moment after the answer.
    await expect(async () => {
        await page.reload();
        await expect(moved.locator("[data-label='Last 24 h']")).toHaveText("3", { timeout: 200 });
    }).toPass();
    await ada.sees(`Remove ${GRACE.name}`);
    await expect(moved).toContainText("127.0.0.1");
    await expect(moved.locator("[data-label=Env]")).toHaveText("live");
    const left = page.getByRole("row", { name: /Old script/ });
    await expect(left.locator("[data-label='Last 24 h']")).toHaveText("1");
    // In use, it is to go on unless somebody says otherwise.
    await expect(page.getByLabel("What becomes of Nightly export")).toHaveValue("transfer_and_rotate");
    await page.getByLabel("What becomes of Nightly export").selectOption({ label: "Transfer" });
    await page.getByLabel("What becomes of Old script").selectOption({ label: "Leave, refused" });
    await page.getByLabel("Transfer to").selectOption({ label: OWNER.name });
    await ada.sends(ada.button("Remove member"));
    await ada.sees(GRACE.name);
    await expect(page.getByRole("status")).toContainText("Removed. They reach nothing of this organisation any more.");
    await expect(page.getByText("Keys they still own are refused")).toBeVisible();
    await expect(page.locator(".facts")).toContainText("1 key");
    await ada.sends(ada.link("Invite again"));
    await ada.sees("Invite a member");
}

async function reachesNothing(grace) {
    const { page, watch } = grace;
    watch.expects(403);
    for (const address of ["/settings/api-keys", "/settings/projects", "/settings/members", "/settings/audit-log", "/settings/api-keys/new"]) {
        const answer = await grace.opens(address, "Not allowed");
        expect(answer.status(), address).toBe(403);
        await expect(page.getByText("Nightly export")).toHaveCount(0);
    }
    // The account is still hers.
    await grace.opens("/account", "Profile");
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue(GRACE.name);
}

async function theLogTells(ada) {
    const { app, page } = ada;
    await ada.goes("Audit log");
    for (const act of ["Member invited", "Account created", "Member joined", "Key created", "Key transferred to another owner", "Member removed"]) {
        await expect(page.getByRole("rowheader", { name: act }).first()).toBeVisible();
    }
    await expect(page.getByRole("row", { name: /Key transferred/ })).toContainText("Nightly export");
    const removed = page.getByRole("row", { name: /Member removed/ });
    await expect(removed).toContainText(OWNER.name);
    await removed.getByText("Details").click();
    await expect(removed.locator("code")).toContainText('"keysTransferred":1');
    await expect(removed.locator("code")).toContainText('"keysLeft":1');
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
}

test("a second factor is asked of everybody while three sessions are live", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await ada.setsUpTwoFactor();
    const [grace, alan] = [await another(), await another()];
    await grace.joins(await ada.invites(GRACE.email, "Admin"), GRACE);
    await alan.joins(await ada.invites(ALAN.email, "Developer"), ALAN);
    const key = await grace.createsKey("Nightly export");
    await grace.sends(grace.button("I have stored it"));

    await asksForIt(ada, "7");
    await expect(page.getByText("Asked of everybody. Whoever has none by then")).toBeVisible();
    await expect(page.getByText("2 of 3 active members", { exact: true })).toBeVisible();
    for (const somebody of [grace, alan]) {
        await somebody.goes("API keys");
        await expect(banner(somebody)).toContainText("Set yours up within 7 days; from then on nothing else opens.");
    }
    await ada.goes("API keys");
    await expect(banner(ada), "whoever has one is not bothered").toHaveCount(0);

    await asksForIt(ada, "0");
    for (const somebody of [grace, alan]) {
        await somebody.page.goto("/settings/api-keys");
        await somebody.sees("Two-factor authentication");
        await expect(banner(somebody)).toContainText("Set yours up to go on working here.");
    }
    // What was open stays shut in another tab, too; the person's own pages do not.
    await alan.opens("/settings/projects", "Two-factor authentication");
    await alan.opens("/account/sessions", "Sessions");
    expect(await app.code(app.made.serviceToken, key), "keys go on").toBe("VALID");

    const secret = await grace.setsUpTwoFactor(GRACE.password);
    await grace.opens("/settings/api-keys", "API keys");
    await expect(grace.page.getByRole("row", { name: /Nightly export/ })).toBeVisible();
    await alan.opens("/settings/api-keys", "Two-factor authentication");

    // The last one cannot be dropped while it is asked for.
    await grace.opens("/account/two-factor/off", "Turn off two-factor authentication?");
    await grace.field("Your password").fill(GRACE.password);
    await grace.page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now() + 30_000));
    grace.watch.expects(409);
    const answer = await grace.sends(grace.button("Turn off"));
    expect(answer.status()).toBe(409);
    await grace.opens("/settings/api-keys", "API keys");

    await ada.opens("/settings/security", "Security");
    await expect(page.getByText("1 of 3 active members", { exact: true })).toBeVisible();
    await page.getByRole("radio", { name: /^Optional/ }).check();
    await ada.sends(ada.button("Save"));
    await ada.sees("Security");
    await alan.opens("/settings/api-keys", "API keys");
    await expect(banner(alan)).toHaveCount(0);
});

test("somebody with an account joins a second organisation, is suspended there, and comes back", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    const grace = await another();
    await ada.signsIn();
    await grace.joins(await ada.invites(GRACE.email, "Developer"), GRACE);
    await grace.signsOut();
    await ada.opens("/instance/organisations/new", "Create organisation");
    await page.getByLabel("Name", { exact: true }).fill("Globex");
    await ada.sends(ada.button("Create organisation"));
    await switchesTo(ada, "Globex");
    const link = await ada.invites(GRACE.email, "Admin");

    await grace.opens(link, "Invitation");
    await grace.sends(grace.link("Sign in to join"));
    await grace.sees("Sign in");
    await grace.givesThePassword(GRACE);
    await grace.sees("Invitation");
    await expect(grace.page.getByText("invites you to join")).toContainText("Globex");
    await grace.sends(grace.button("Join Globex"));
    await grace.sees("API keys");
    await expect(grace.page.locator(".switcher > summary")).toContainText("Globex");

    await ada.opens("/settings/members", "Members");
    await ada.sends(ada.link(GRACE.name));
    await ada.sees(GRACE.name);
    await ada.sends(ada.link("Suspend…"));
    await ada.sees(`Suspend ${GRACE.name}`);
    await expect(page.getByText("owns no key")).toBeVisible();
    await ada.sends(ada.button("Suspend member"));
    await ada.sees(GRACE.name);
    // Globex is shut; Acme is as it was.
    grace.watch.expects(403);
    await grace.page.goto("/settings/api-keys");
    await grace.settled();
    await expect(grace.page.locator(".switcher > summary")).not.toContainText("Globex");

    await ada.sends(ada.link("Resume…"));
    await ada.sees(`Resume ${GRACE.name}?`);
    await ada.sends(ada.button("Resume"));
    await ada.sees(GRACE.name);
    await grace.page.goto("/settings/api-keys");
    await grace.settled();
    await switchesTo(grace, "Globex");
    await expect(grace.page.locator(".switcher > summary")).toContainText("Globex");
});

async function switchesTo(somebody, organisation) {
    await somebody.page.locator(".switcher > summary").click();
    await somebody.sends(somebody.button(organisation));
    await somebody.sees("API keys");
}

function banner({ page }) {
    return page.getByRole("status").filter({ hasText: "asks everybody for a second factor" });
}

async function asksForIt(ada, days) {
    const { page } = ada;
    await ada.opens("/settings/security", "Security");
    await page.getByRole("radio", { name: /^Required/ }).check();
    await ada.field("Days to set it up").fill(days);
    await ada.sends(ada.button("Save"));
    await ada.sees("Security");
    await expect(page.getByText("Saved.")).toBeVisible();
    await expect(page.getByRole("radio", { name: /^Required/ })).toBeChecked();
}

test.describe("a proof of who one is that has grown old", () => {
    const LIFETIME_MS = 6_000;
    test.use({ settings: { KEYWRIGHT_PROOF_LIFETIME_S: String(LIFETIME_MS / 1_000) } });

    test("is asked for again in the middle of a form, which is kept", async ({ app, page, watch, javaScriptEnabled }) => {
        test.setTimeout(90_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const isOld = page.waitForTimeout(LIFETIME_MS + 200);
        watch.expects(403);
        watch.expects(422);
        await isOld;
        const asked = await ada.asksToInvite(GRACE.email, "Auditor");
        expect(asked.status()).toBe(403);
        await ada.sees("Confirm that it is you");
        await expect(page.getByText("What you typed is kept.")).toBeVisible();
        await expect(page.getByRole("alert"), "to be asked is no mistake").toHaveCount(0);

        await ada.field("Your password").fill("not the password, but long");
        const wrong = await ada.sends(ada.button("Confirm"));
        expect(wrong.status()).toBe(422);
        await ada.sees("Confirm that it is you");
        await expect(page.locator("#step_up-error")).toContainText("This is not your password.");
        await expect(ada.field("Your password")).toHaveAccessibleDescription(/This is not your password\./);
        await expect(page.locator("input[name=email]")).toHaveValue(GRACE.email);
        expect(await page.content()).not.toContain("not the password, but long");

        // Without axe until it is sent: the proof lasts for seconds here.
        await ada.field("Your password").fill(OWNER.password);
        const back = await ada.sends(ada.button("Confirm"));
        expect(back.status()).toBe(200);
        await expect(page.getByRole("heading", { level: 1 })).toHaveText("Invite a member");
        await expect(page.getByRole("status")).toContainText("Confirmed: it is you. Nothing is changed yet");
        await expect(ada.field("E-mail address")).toHaveValue(GRACE.email);
        await expect(page.getByRole("radio", { name: /^Auditor/ })).toBeChecked();
        await ada.sends(ada.button("Invite"));
        await ada.sees(`Invitation for ${GRACE.email}`);
        await expect(page.locator("#secret")).toContainText("/invitation?token=");
        expect(await page.content()).not.toContain(OWNER.password);
    });

    test("is a code where two-factor is on", async ({ app, page, watch, javaScriptEnabled }) => {
        test.setTimeout(90_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        await ada.signsIn();
        const secret = await ada.setsUpTwoFactor();
        watch.expects(403);
        await page.waitForTimeout(LIFETIME_MS + 200);
        await ada.asksToInvite(GRACE.email, "Auditor");
        await ada.sees("Confirm that it is you");
        await expect(page.getByText("Your password", { exact: true })).toHaveCount(0);
        await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now() + 30_000));
        await ada.sends(ada.button("Confirm"));
        await expect(page.getByRole("heading", { level: 1 })).toHaveText("Invite a member");
        await expect(ada.field("E-mail address")).toHaveValue(GRACE.email);
        await ada.sends(ada.button("Invite"));
        await ada.sees(`Invitation for ${GRACE.email}`);
    });
});
