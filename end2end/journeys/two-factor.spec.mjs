// From a password alone to a code after it, and back.
import { readFile } from "node:fs/promises";

import { OWNER, expect, person, test } from "../kit.mjs";
import { codeAt } from "../totp.mjs";

test.use({ permissions: ["clipboard-read", "clipboard-write"] });

test("an app is set up, asked for, replaced by a recovery code, moved to another phone, and turned off", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const { secret, codes } = await setsUpAnApp(ada);
    await signsInWithACode(ada, secret);
    await signsInWithARecoveryCode(ada, codes[0]);
    const moved = await movesToAnotherApp(ada, secret, codes[1]);
    await turnsItOff(ada, moved.codes[1]);
});

async function setsUpAnApp(ada) {
    const { page, watch } = ada;
    await ada.opensAccountMenu();
    await ada.sends(ada.link("Two-factor"));
    await ada.sees("Two-factor authentication");
    watch.expects(422);
    await ada.field("Your password").fill("not the password, but long");
    await ada.sends(ada.button("Set up an app"));
    await expect(page.getByText("This is not your password.").first()).toBeVisible();
    await ada.field("Your password").fill(OWNER.password);
    await ada.sends(ada.button("Set up an app"));
    await ada.sees("Set up your authenticator app");
    await expect(page.getByRole("img", { name: "QR code with the secret" })).toBeVisible();
    const secret = await page.locator("#secret").innerText();

    await page.getByLabel("Code", { exact: true }).fill("12345");
    await ada.sends(ada.button("Switch on"));
    await expect(page.getByText("A code has six digits; this has 5.").first()).toBeVisible();
    expect(await page.locator("#secret").innerText(), "the same secret after a slip").toBe(secret);
    await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now()));
    await ada.sends(ada.button("Switch on"));

    await ada.sees("Two-factor is on. Save your recovery codes now");
    const codes = (await page.locator("#codes").innerText()).trim().split("\n");
    expect(codes).toHaveLength(10);
    const [download] = await Promise.all([page.waitForEvent("download"), ada.button("Download").click()]);
    expect(await readFile(await download.path(), "utf8")).toContain(codes.join("\n"));
    await ada.sends(ada.button("I have stored them"));
    await ada.sees("Two-factor authentication");
    await expect(page.getByText("10 of 10")).toBeVisible();
    return { secret, codes };
}

async function givesThePassword(ada) {
    await ada.signsOut();
    await ada.sees("Sign in");
    await ada.givesThePassword();
    await ada.sees("Second factor");
}

async function signsInWithACode(ada, secret) {
    const { page, watch } = ada;
    await givesThePassword(ada);
    // Half signed in is not signed in.
    await page.goto("/settings/api-keys");
    await ada.sees("Second factor");
    watch.expects(422);
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await ada.sends(ada.button("Continue"));
    await expect(page.getByText("The code is not right").first()).toBeVisible();
    // The next one: the code that confirmed the app is taken.
    await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now() + 30_000));
    await ada.sends(ada.button("Continue"));
    await ada.sees("API keys");
}

async function signsInWithARecoveryCode(ada, code) {
    const { page } = ada;
    await givesThePassword(ada);
    await page.getByLabel("Code", { exact: true }).fill(code.toLowerCase().replaceAll("-", " "));
    await ada.sends(ada.button("Continue"));
    await ada.sees("API keys");
    await page.goto("/account/two-factor");
    await ada.sees("Two-factor authentication");
    await expect(page.getByText("9 of 10")).toBeVisible();
}

async function movesToAnotherApp(ada, former, code) {
    const { page, watch } = ada;
    await ada.sends(ada.link("Replace"));
    await ada.sees("Move to another app or phone?");
    watch.expects(422);
    await ada.field("Your password").fill(OWNER.password);
    await page.getByLabel("Code", { exact: true }).fill("123");
    await ada.sends(ada.button("Go on"));
    await expect(page.getByText("A code has six digits; this has 3.").first()).toBeVisible();
    await ada.field("Your password").fill(OWNER.password);
    await page.getByLabel("Code", { exact: true }).fill(code);
    await ada.sends(ada.button("Go on"));
    await ada.sees("Set up your authenticator app");
    const secret = await page.locator("#secret").innerText();
    expect(secret).not.toBe(former);
    await page.getByLabel("Code", { exact: true }).fill(codeAt(secret, Date.now()));
    await ada.sends(ada.button("Switch on"));
    await ada.sees("Two-factor is on. Save your recovery codes now");
    const codes = (await page.locator("#codes").innerText()).trim().split("\n");
    await ada.sends(ada.button("I have stored them"));
    await ada.sees("Two-factor authentication");
    await expect(page.getByText("Another authenticator app was set up in place of the one before.")).toBeVisible();
    return { secret, codes };
}

async function turnsItOff(ada, code) {
    const { page } = ada;
    await ada.sends(ada.link("Turn off"));
    await ada.sees("Turn off two-factor authentication?");
    await ada.field("Your password").fill(OWNER.password);
    await page.getByLabel("Code", { exact: true }).fill(code);
    await ada.sends(ada.button("Turn off"));
    await ada.sees("Two-factor authentication");
    await expect(ada.button("Set up an app")).toBeVisible();
}
