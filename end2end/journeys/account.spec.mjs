// What people do with their own account: password, sessions, address, export, farewell.
import { readFile } from "node:fs/promises";

import { GRACE, OWNER, expect, person, test } from "../kit.mjs";

const NEXT_PASSWORD = "lantern gravel sixty plums";

/** The same person in another browser. */
async function signedInElsewhere(another) {
    const elsewhere = await another();
    await elsewhere.signsIn();
    return elsewhere;
}

async function isSignedOut(somebody) {
    await somebody.page.goto("/settings/api-keys");
    await somebody.sees("Sign in");
}

test("the password is changed, and every other session ends", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const elsewhere = await signedInElsewhere(another);
    await ada.opensAccountMenu();
    await ada.sends(ada.link("Account"));
    await ada.sees("Profile");
    await ada.sends(page.getByRole("navigation", { name: "Account" }).getByRole("link", { name: "Password" }));
    await ada.sees("Password");
    watch.expects(422);
    const current = ada.field("Current password");
    const next = page.getByLabel("New password", { exact: true });
    const change = () => ada.sends(ada.button("Change password"));

    await current.fill("not the password, but long");
    await next.fill(NEXT_PASSWORD);
    expect((await change()).status()).toBe(422);
    await ada.sees("Password");
    await expect(page.locator("#password-error")).toContainText("This is not your password.");
    await expect(current).toHaveValue("");
    await expect(next).toHaveValue("");

    await current.fill(OWNER.password);
    await next.fill("short");
    await change();
    await expect(page.locator("#new_password-error")).toContainText("15");
    await current.fill(OWNER.password);
    await next.fill("lovelacelovelace");
    if (ada.hydrates) await expect(page.getByText("easy to guess for who knows you").or(page.getByText("Only names that anybody would try")).first()).toBeVisible();
    await change();
    await ada.sees("Password");
    await expect(page.locator("#new_password-error")).toContainText("Choose another password.");
    await current.fill(OWNER.password);
    await next.fill(OWNER.password);
    await change();
    await expect(page.locator("#new_password-error")).toContainText("This is the password you have now.");
    await elsewhere.opens("/settings/api-keys", "API keys");

    await expect(page.getByLabel("Sign out everywhere else")).toBeChecked();
    await current.fill(OWNER.password);
    await next.fill(NEXT_PASSWORD);
    await change();
    await ada.sees("Profile");
    await expect(page.getByText("Your password is changed.")).toBeVisible();
    await isSignedOut(elsewhere);
    await expect(page.getByRole("region", { name: "About your account" })).toContainText("Your password was changed.");
    await ada.sends(ada.button("Got it"));
    await expect(page.getByRole("region", { name: "About your account" })).toHaveCount(0);

    elsewhere.watch.expects(401);
    await elsewhere.givesThePassword();
    await expect(elsewhere.page.getByRole("alert")).toContainText("The e-mail address or the password is not right.");
    await elsewhere.givesThePassword({ password: NEXT_PASSWORD });
    await elsewhere.sees("API keys");
});

test("another session is seen and signed out", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(90_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const [phone, laptop] = [await signedInElsewhere(another), await signedInElsewhere(another)];
    await ada.opens("/account/sessions", "Sessions");
    const rows = page.getByRole("table", { name: "Your sessions" }).getByRole("row");
    await expect(rows).toHaveCount(4);
    const own = rows.filter({ hasText: "This session" });
    await expect(own).toHaveCount(1);
    await expect(own.getByRole("button")).toHaveCount(0);
    await expect(own).toContainText("127.0.0.1");

    await ada.sends(page.getByRole("button", { name: /^Sign out .* at 127\.0\.0\.1$/ }).first());
    await ada.sees("Sessions");
    await expect(page.getByRole("status")).toContainText("Signed out there.");
    await expect(rows).toHaveCount(3);
    await ada.sends(ada.button("Sign out all others"));
    await ada.sees("Sessions");
    await expect(page.getByRole("status")).toContainText("Signed out everywhere else. You go on here.");
    await expect(rows).toHaveCount(2);
    await expect(ada.button("Sign out all others")).toHaveCount(0);
    for (const other of [phone, laptop]) await isSignedOut(other);
    await ada.goes("Audit log");
    await expect(page.getByRole("rowheader", { name: "Signed out another session" })).toBeVisible();
});

test.describe("by mail", () => {
    test.use({ sendsMail: true });

    test("a forgotten password is set anew by a link that works once", async ({ app, page, watch, javaScriptEnabled, mailbox, another }) => {
        test.setTimeout(120_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        const elsewhere = await signedInElsewhere(another);
        await ada.opens("/sign-in", "Sign in");
        await ada.sends(ada.link("Forgot your password?"));
        await ada.sees("Forgot your password?");
        // Whoever exists or not, the page says the same.
        const told = [];
        for (const email of ["nobody@acme.example", OWNER.email]) {
            await ada.opens("/forgot-password", "Forgot your password?");
            await ada.field("E-mail").fill(email);
            await ada.sends(ada.button("Send the link"));
            await ada.sees("Forgot your password?");
            told.push(await page.getByRole("main").innerText());
        }
        expect(told[0]).toContain("If an account has this address, a letter is on its way.");
        expect(told[1]).toBe(told[0]);
        const link = await mailbox.link(OWNER.email, "Choose a new password for Keywright");
        expect(await mailbox.lettersTo("nobody@acme.example")).toEqual([]);

        const answer = await ada.opens(link, "Choose a new password");
        expect(answer.headers()["referrer-policy"]).toBe("no-referrer");
        expect(await page.content(), "the page does not say whose it is").not.toContain(OWNER.email);
        watch.expects(422);
        const next = page.getByLabel("New password", { exact: true });
        await next.fill("short");
        await ada.sends(ada.button("Set the password"));
        await ada.sees("Choose a new password");
        await expect(page.locator("#new_password-error")).toContainText("15");
        await ada.opens(link, "Choose a new password");
        await next.fill(NEXT_PASSWORD);
        await ada.sends(ada.button("Set the password"));
        await ada.sees("Sign in");
        await expect(page.getByRole("status")).toContainText("Your new password is set. Sign in with it.");
        await isSignedOut(elsewhere);

        watch.expects(410);
        const again = await ada.opens(link, "The link is no longer valid");
        expect(again.status()).toBe(410);
        // Home, which is the way to sign in for whoever is not signed in.
        await ada.sends(ada.link("Go to Keywright"));
        await ada.sees("Sign in");
        watch.expects(401);
        await ada.givesThePassword();
        await ada.givesThePassword({ password: NEXT_PASSWORD });
        await ada.sees("API keys");
        await mailbox.letter(OWNER.email, "Your password was changed");
        expect(app.log).not.toContain(link.split("=")[1]);
    });

    test("an address is changed once both have agreed, whoever is signed in where they open the link", async ({ app, page, watch, javaScriptEnabled, mailbox, another }) => {
        test.setTimeout(120_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        const grace = await another();
        await ada.signsIn();
        await grace.joins(await ada.invites(GRACE.email, "Developer"), GRACE);
        const moved = "countess@acme.example";

        await ada.opens("/account", "Profile");
        await ada.sends(page.locator("a[href='/account/email']"));
        await ada.sees("E-mail address");
        watch.expects(422);
        await ada.field("New e-mail address").fill(OWNER.email.toUpperCase());
        await ada.sends(ada.button("Send the letters"));
        await ada.sees("E-mail address");
        await expect(page.locator("#email-error")).toContainText("This is the address you have now.");
        await ada.field("New e-mail address").fill(moved);
        await ada.sends(ada.button("Send the letters"));
        await ada.sees("Profile");
        await expect(page.getByText("Two letters are on their way.")).toBeVisible();
        await expect(page.getByText(`Your address is to become ${moved}.`)).toContainText(`Open the links that were sent to ${OWNER.email} and to ${moved}.`);

        // The link of the present address, opened in the browser of somebody else.
        await grace.opens(await mailbox.link(OWNER.email, "Is this your new e-mail address?"), "Change of e-mail address");
        await expect(grace.page.getByText("You are signed in with another account in this browser.")).toBeVisible();
        await expect(grace.page.getByRole("main")).not.toContainText(OWNER.email);
        await grace.sends(grace.button("Agree to the new address"));
        await grace.sees("E-mail address");
        await expect(grace.page.getByRole("status")).toContainText("The new address takes effect when the other end agrees too.");
        await ada.opens("/account", "Profile");
        await expect(page.getByText(`${OWNER.email} has agreed; open the link that was sent to ${moved}.`)).toBeVisible();

        // The other one by nobody in particular.
        const stranger = await another();
        const link = await mailbox.link(moved, "Confirm your e-mail address for Keywright");
        await stranger.opens(link, "Change of e-mail address");
        await expect(stranger.page.getByText("The other end has agreed already")).toBeVisible();
        await stranger.sends(stranger.button("Agree to the new address"));
        await stranger.sees("E-mail address");
        await expect(stranger.page.getByRole("status")).toContainText("The new e-mail address is in force.");
        stranger.watch.expects(410);
        await stranger.opens(link, "The link is no longer valid");

        await ada.opens("/account", "Profile");
        await expect(page.locator(".facts")).toContainText(moved);
        await grace.opens("/account", "Profile");
        await expect(grace.page.locator(".facts")).toContainText(GRACE.email);
        await ada.signsOut();
        await ada.sees("Sign in");
        await ada.givesThePassword({ email: moved });
        await ada.sees("API keys");
        for (const email of [OWNER.email, moved]) await mailbox.letter(email, "Your e-mail address was changed");
    });

    test("a link for a new password leaves whoever is signed in where it is opened alone", async ({ app, page, watch, javaScriptEnabled, mailbox, another }) => {
        test.setTimeout(90_000);
        const ada = person({ app, page, watch, javaScriptEnabled });
        const grace = await another();
        await ada.signsIn();
        await ada.invites(GRACE.email, "Developer");
        await grace.joins(await mailbox.link(GRACE.email, "Ada Lovelace invites you to Acme on Keywright"), GRACE);
        await ada.opens("/settings/members", "Members");
        await ada.sends(ada.link(GRACE.name));
        await ada.sends(ada.link("New password link…"));
        await ada.sees(`Make a new password link for ${GRACE.name}?`);
        await ada.sends(ada.button("Make the link"));
        await ada.sees(`New password for ${GRACE.name}`);
        const link = await page.locator("#secret").innerText();
        expect(await mailbox.link(GRACE.email, "Choose a new password for Keywright"), "by mail it is the same").toBe(link);

        await ada.opens(link, "Choose a new password");
        await expect(page.getByText("You are signed in with another account in this browser.")).toBeVisible();
        await page.getByLabel("New password", { exact: true }).fill(NEXT_PASSWORD);
        await ada.sends(ada.button("Set the password"));
        await isSignedOut(grace);
        await ada.opens("/settings/api-keys", "API keys");
        await grace.givesThePassword({ email: GRACE.email, password: NEXT_PASSWORD });
        await grace.sees("API keys");
    });
});

test("a member takes their data along and leaves, and their keys are refused", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const grace = await another();
    await grace.joins(await ada.invites(GRACE.email, "Admin"), GRACE);
    const key = await grace.createsKey("Nightly export");
    await grace.sends(grace.button("I have stored it"));
    expect(await app.code(app.made.serviceToken, key)).toBe("VALID");

    await grace.opens("/account", "Profile");
    await grace.sends(grace.link("Export your data"));
    await grace.sees("Export your data");
    const [download] = await Promise.all([grace.page.waitForEvent("download"), grace.button("Download").click()]);
    expect(download.suggestedFilename()).toBe("keywright-export.json");
    const text = await readFile(await download.path(), "utf8");
    expect(JSON.parse(text)).toMatchObject({ format: "keywright-personal-export-1", account: { name: GRACE.name, email: GRACE.email } });
    expect(text).toContain("Nightly export");
    for (const foreign of [key, GRACE.password, OWNER.email]) expect(text).not.toContain(foreign);

    // The last owner stays.
    await ada.opens("/account/delete", "Delete your account");
    await expect(page.getByText("You are the last owner of Acme.")).toBeVisible();
    await expect(ada.button("Delete the account")).toHaveCount(0);

    const { page: hers, watch: watched } = grace;
    await grace.opens("/account", "Profile");
    await grace.sends(grace.link("Delete your account"));
    await grace.sees("Delete your account");
    await expect(hers.getByText("You leave Acme.")).toBeVisible();
    await expect(hers.getByRole("heading", { name: "1 key will be refused" })).toBeVisible();
    await expect(hers.getByRole("table", { name: "Keys you own" }).getByRole("row", { name: /Nightly export/ })).toContainText("Acme");
    await expect(hers.getByText(`In Acme, ask ${OWNER.name} to take them over.`)).toBeVisible();
    watched.expects(422);
    await grace.field("Your e-mail address").fill("grace");
    await grace.sends(grace.button("Delete the account"));
    await grace.sees("Delete your account");
    await expect(hers.locator("#email-error")).toContainText(`Type ${GRACE.email} to confirm.`);
    await grace.field("Your e-mail address").fill(GRACE.email);
    await grace.sends(grace.button("Delete the account"));
    await grace.sees("Sign in");
    await expect(hers.getByRole("status")).toContainText("Your account is deleted.");
    expect(await app.code(app.made.serviceToken, key)).toBe("OWNER_INACTIVE");
    await isSignedOut(grace);
    watched.expects(401);
    await grace.givesThePassword(GRACE);
    await expect(hers.getByRole("alert")).toContainText("The e-mail address or the password is not right.");

    await ada.opens("/settings/members", "Members");
    await expect(page.getByText(GRACE.email)).toHaveCount(0);
    await ada.opens("/settings/api-keys", "API keys");
    await expect(page.getByRole("row", { name: /Nightly export/ })).toContainText("Owner inactive");
    expect(await app.keywright("audit", "verify")).toMatchObject({ ok: true });
});
